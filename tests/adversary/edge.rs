//! Slopes that are positive or not by the last digit: A - B·u for an expression A of constants and u in [0,
//! 1].
//!
//! A is computed in exact fractions, so that it is known whether A > B or A < B. In the program it is
//! computed by operations that lose digits in floating point: powers, products with an underflow, sums that
//! cancel.

use num_rational::BigRational;
use pushforward::prelude::*;

use crate::random_programs::Chooser;

#[derive(Clone, Debug)]
pub struct Edge {
    pub number: Number,
    /// B.
    pub taken: f64,
    /// Which u of a parameter, 1 for some value of it and nowhere more; the last form is B - aⁿ·uⁿ, where A < B is
    /// what keeps the slope positive.
    pub share: usize,
}

/// A positive number, as it is written.
#[derive(Clone, Debug)]
pub enum Number {
    /// aⁿ
    Power(f64, i32),
    /// A product, factor by factor.
    Product(Vec<f64>),
    /// A sum, term by term.
    Sum(Vec<f64>),
}

const TURNED: usize = 4;

fn exact(value: f64) -> BigRational {
    BigRational::from_float(value).expect("finite")
}

impl Number {
    fn any(choose: &mut Chooser) -> Number {
        match choose.below(3) {
            0 => {
                let n = choose.pick(&[2, 3, 7, 40, 333, 1000]);
                Number::Power(1.0 + 2.0 * choose.number() / f64::from(n).max(4.0), n)
            }
            1 => {
                // Down to where digits are lost, and up again.
                let down = choose.pick(&[-10.0, -150.0, -160.0, -162.0]);
                let mut digits = || 1.0 + choose.number().abs();
                let low = 10f64.powf(down);
                let factors = [low * digits(), low * digits(), digits() / low, digits() / low];
                Number::Product(factors.to_vec())
            }
            _ => {
                let far = 10f64.powf(choose.pick(&[3.0, 16.0, 30.0, 300.0]));
                let (small, odd) = (0.5 + choose.number().abs(), choose.number());
                Number::Sum(match choose.below(3) {
                    0 => vec![far, small, -far],
                    1 => vec![small, far, odd, -far, 1.0],
                    _ => vec![0.1, 0.2, -0.3, small, 1e-17 * odd],
                })
            }
        }
    }

    fn exact(&self) -> BigRational {
        match self {
            Number::Power(a, n) => exact(*a).pow(*n),
            Number::Product(factors) => factors.iter().map(|factor| exact(*factor)).product(),
            Number::Sum(terms) => terms.iter().map(|term| exact(*term)).sum(),
        }
    }

    fn record<'t>(&self, tape: &'t Tape) -> Var<'t> {
        let join = |values: &[f64], op: fn(Var<'t>, f64) -> Var<'t>| {
            values[1..].iter().fold(tape.constant(values[0]), |all, value| op(all, *value))
        };
        match self {
            Number::Power(a, n) => tape.constant(*a).powi(*n),
            Number::Product(factors) => join(factors, |a, b| a * b),
            Number::Sum(terms) => join(terms, |a, b| a + b),
        }
    }
}

impl Edge {
    /// A slope that is positive for all parameters, or one that is 0 for some.
    pub fn any(positive: bool, choose: &mut Chooser) -> Edge {
        use num_traits::{Signed, ToPrimitive};
        loop {
            let number = Number::any(choose);
            let a = number.exact();
            let Some(near) = a.to_f64().filter(|near| near.is_finite() && *near > 1e-6) else { continue };
            // From the next number to clearly another one.
            let margin = choose.pick(&[0.0, 2.3e-16, 5e-16, 1e-14, 5e-14, 1e-9, 1e-3]);
            let taken = near * if choose.chance(0.5) { 1.0 - margin } else { 1.0 + margin };
            let difference = a - exact(taken);
            let turned = matches!(number, Number::Power(..)) && choose.chance(0.5);
            let difference = if turned { -difference } else { difference };
            if (positive && difference.is_positive()) || (!positive && difference.is_negative()) {
                let share = if turned { TURNED } else { choose.below(TURNED) };
                return Edge { number, taken, share };
            }
        }
    }

    /// A - B·u(p), or B - (a·u(p))ⁿ.
    pub fn record<'t>(&self, p: Var<'t>) -> Var<'t> {
        let u = match self.share {
            0 => p.sin(),
            1 => p.cos(),
            2 => p.sin().powi(2),
            3 => 1.0 - 0.5 * p.tanh().powi(2),
            _ => {
                let Number::Power(a, n) = self.number else { unreachable!("a power is turned") };
                return self.taken - (a * p.sin()).powi(n);
            }
        };
        self.number.record(p.tape()) - self.taken * u
    }
}
