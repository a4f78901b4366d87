//! The range of a scalar and whether it is defined, for all inputs in their sets and all parameters.
//!
//! Each operation maps intervals that contain its operands to one that contains its result; operands are
//! treated as independent, except for a·a and a - a. A scalar is defined if its operands are and its
//! operation is defined on their intervals. For a select both branches must be defined, whatever the condition is.

use std::collections::HashMap;

use dashu_ratio::RBig;
use rustc_hash::FxHashMap;

use super::determinant::exact_determinant;
use super::elementary::pi;
use super::interval::Interval;
use super::scalar::{Function, Id, Scalar, Scalars};

/// The range of a scalar.
#[derive(Clone, Debug)]
pub(super) struct Range {
    /// Contains its value wherever it is defined.
    pub interval: Interval,
    pub defined: bool,
}

/// Ranges for given sets of inputs and letters, and for given values of parameters if they are fixed.
#[derive(Clone, Default)]
pub(super) struct Ranges {
    given: HashMap<Id, Interval>,
    values: HashMap<String, Vec<f64>>,
    /// What is known of scalars beside the intervals of their operands.
    narrowed: FxHashMap<Id, Interval>,
    known: FxHashMap<Id, Range>,
}

impl Ranges {
    pub fn new(given: HashMap<Id, Interval>) -> Ranges {
        Ranges { given, ..Ranges::default() }
    }

    /// Builds ranges with these values of the parameters.
    pub fn at(given: HashMap<Id, Interval>, values: &HashMap<String, Vec<f64>>) -> Ranges {
        Ranges { given, values: values.clone(), ..Ranges::default() }
    }

    pub fn give(&mut self, id: Id, interval: Interval) {
        self.given.insert(id, interval);
    }

    /// Takes into account that a scalar lies above or below a number, wherever it is defined.
    pub fn narrow(&mut self, id: Id, beside: Interval) {
        self.narrowed.insert(id, beside);
        self.known.clear();
    }

    pub fn of(&mut self, scalars: &Scalars, id: Id) -> Range {
        if let Some(known) = self.known.get(&id) {
            return known.clone();
        }
        for id in scalars.order(&[id], |id| self.known.contains_key(&id)) {
            let range = match self.given.get(&id) {
                Some(interval) => Range { interval: interval.clone(), defined: true },
                None => self.scalar(scalars, scalars.get(id)),
            };
            let range = match self.narrowed.get(&id) {
                Some(beside) => Range { interval: range.interval.common(beside), ..range },
                None => range,
            };
            self.known.insert(id, range);
        }
        self.known[&id].clone()
    }

    fn scalar(&self, scalars: &Scalars, scalar: &Scalar) -> Range {
        let known = |interval: Interval| Range { interval, defined: true };
        match scalar {
            Scalar::Input(_) => known(Interval::reals()),
            Scalar::Letter(_, ends) => {
                let [low, high] = ends.map(f64::from_bits);
                known(Interval::between(low, high))
            }
            Scalar::Parameter(name, e) => {
                let value = self.values.get(&**name).and_then(|values| values.get(*e));
                known(value.map_or(Interval::reals(), |value| Interval::of(*value)))
            }
            Scalar::Number(bits) => known(Interval::of(f64::from_bits(*bits))),
            Scalar::TwoOverRootPi => {
                known(pi().sqrt().recip().map_or(Interval::between(1.0, 2.0), |r| r.mul(&Interval::of(2.0))))
            }
            Scalar::Sum(terms) => {
                let zero = known(Interval::of(0.0));
                terms.iter().fold(zero, |sum, term| {
                    let term = &self.known[term];
                    Range { interval: sum.interval.add(&term.interval), defined: sum.defined && term.defined }
                })
            }
            Scalar::Apply(function, operands) => {
                let ranges: Vec<&Range> = operands.iter().map(|id| &self.known[id]).collect();
                let same = operands.len() == 2 && operands[0] == operands[1];
                let intervals: Vec<&Interval> = ranges.iter().map(|range| &range.interval).collect();
                let (interval, defined) = apply(*function, &intervals, same);
                Range { interval, defined: defined && ranges.iter().all(|range| range.defined) }
            }
            Scalar::Solve(matrix, right, _) => {
                let known = right.iter().all(|id| self.known[id].defined);
                Range { interval: Interval::reals(), defined: known && self.is_nonsingular(scalars, matrix) }
            }
            // A power series that converges everywhere.
            Scalar::MatrixExp(matrix, _) => {
                let defined = matrix.iter().all(|id| self.known[id].defined);
                Range { interval: Interval::reals(), defined }
            }
            Scalar::Inverse(matrix, _) | Scalar::LogAbsDet(matrix) => {
                Range { interval: Interval::reals(), defined: self.is_nonsingular(scalars, matrix) }
            }
            // Whether a root exists is unknown, too.
            Scalar::Root { ends, .. } => {
                let [low, high] = ends.map(f64::from_bits);
                Range { interval: Interval::closed(low, high), defined: false }
            }
        }
    }
}

impl Ranges {
    /// Returns whether a matrix is proven non-singular: defined and triangular, with a diagonal that is never
    /// 0; or made of numbers, with a determinant that is not 0 in exact fractions.
    fn is_nonsingular(&self, scalars: &Scalars, matrix: &[Id]) -> bool {
        let n = matrix.len().isqrt();
        let zero = |e: usize| scalars.value(matrix[e]) == Some(0.0);
        let below = (0..n * n).filter(|e| e % n < e / n).all(zero);
        let above = (0..n * n).filter(|e| e % n > e / n).all(zero);
        let diagonal = || (0..n).all(|k| self.known[&matrix[k * n + k]].interval.excludes_zero());
        if !matrix.iter().all(|id| self.known[id].defined) {
            return false;
        }
        let numbers: Option<Vec<RBig>> =
            matrix.iter().map(|id| scalars.value(*id).and_then(|value| RBig::try_from(value).ok())).collect();
        match numbers {
            _ if (below || above) && diagonal() => true,
            Some(numbers) => {
                !exact_determinant(numbers.chunks(n.max(1)).map(<[RBig]>::to_vec).collect()).is_zero()
            }
            None => false,
        }
    }
}

/// Returns the interval of a function's values, and whether it is defined on the whole of its operands'
/// intervals.
fn apply(function: Function, operands: &[&Interval], same: bool) -> (Interval, bool) {
    use Function as F;
    let a = operands[0];
    let all = |interval: Interval| (interval, true);
    let unit = || Interval::closed(0.0, 1.0);
    match function {
        F::Neg => all(a.neg()),
        F::Recip => quotient(&Interval::of(1.0), a),
        F::Exp => all(a.exp()),
        F::Ln => (a.ln(), a.is_positive()),
        F::ExpM1 => all(a.exp_m1()),
        F::Ln1p => (a.ln_1p(), a.add(&Interval::of(1.0)).is_positive()),
        F::Tanh => all(a.tanh()),
        // 1/cosh², between 0 and 1.
        F::Sech2 => {
            let cosh = a.cosh();
            all(cosh.mul(&cosh).recip().unwrap_or_else(|| Interval::new((0.0, true), (1.0, false))))
        }
        F::Sigmoid => all(a.sigmoid()),
        F::Softplus => all(a.softplus()),
        F::Sin => all(a.wave(true)),
        F::Cos => all(a.wave(false)),
        F::Sqrt => (a.sqrt(), a.is_nonnegative()),
        F::Abs => all(a.abs()),
        F::Sign => all(match (a.is_positive(), a.is_negative()) {
            (true, _) => Interval::of(1.0),
            (_, true) => Interval::of(-1.0),
            _ if a.is_nonnegative() => unit(),
            _ => Interval::closed(-1.0, 1.0),
        }),
        F::Erf => all(a.erf()),
        F::Sinh => all(a.sinh()),
        F::Cosh => all(a.cosh()),
        F::Asinh => all(a.asinh()),
        F::AtanPi => all(a.atan_pi()),
        F::TanPi => (a.tan_pi(), a.is_within(&Interval::between(-0.5, 0.5))),
        F::NormalCdf => all(a.normal_cdf()),
        // Its sign is that of a - ½; more is not worked out.
        F::NormalQuantile => {
            let half = a.sub(&Interval::of(0.5));
            let (above, below) = (half.is_positive(), half.is_negative());
            let interval = match (above, below) {
                (true, _) => Interval::between(0.0, f64::INFINITY),
                (_, true) => Interval::between(f64::NEG_INFINITY, 0.0),
                _ => Interval::reals(),
            };
            (interval, a.is_within(&Interval::between(0.0, 1.0)))
        }
        F::LnNormalCdf => all(a.ln_normal_cdf()),
        // φ/Φ is positive and decreasing, with a slope between -1 and 0; higher derivatives are not bounded.
        F::InverseMills(0) => all(Interval::between(0.0, f64::INFINITY)),
        F::InverseMills(1) => all(Interval::between(-1.0, 0.0)),
        F::InverseMills(_) => all(Interval::reals()),
        F::AsinhSlope => {
            let root = Interval::of(1.0).add(&a.power(2)).sqrt();
            all(root.recip().unwrap_or_else(|| Interval::new((0.0, true), (1.0, false))))
        }
        // The minimum of ln Γ on (0, ∞) is -0.1214862905358…
        F::LnGamma => (Interval::between(-0.121_486_3, f64::INFINITY), a.is_positive()),
        F::Polygamma(0) => (Interval::reals(), a.is_positive()),
        F::Polygamma(n) if n % 2 == 1 => (Interval::between(0.0, f64::INFINITY), a.is_positive()),
        F::Polygamma(_) => (Interval::between(f64::NEG_INFINITY, 0.0), a.is_positive()),
        F::Powi(0) => all(Interval::of(1.0)),
        F::Powi(n) if n > 0 => all(a.power(n.unsigned_abs())),
        F::Powi(n) => quotient(&Interval::of(1.0), &power_away_from_zero(a, n.unsigned_abs())),
        F::Add => all(a.add(operands[1])),
        F::Sub if same => all(Interval::of(0.0)),
        F::Sub => all(a.sub(operands[1])),
        F::Mul if same => all(a.power(2)),
        F::Mul => all(a.mul(operands[1])),
        F::Div => quotient(a, operands[1]),
        // 0 where a is 0 and b is positive, else e^(b ln a).
        F::Pow if a.is_nonnegative() && !a.is_positive() && operands[1].is_positive() => {
            let zero = Interval::of(0.0);
            all(if a.is_within(&zero) { zero } else { a.ln().mul(operands[1]).exp().hull(&zero) })
        }
        F::Pow => (a.ln().mul(operands[1]).exp(), a.is_positive()),
        F::LogAddExp => all(a.log_add_exp(operands[1])),
        F::Min => all(a.neg().maximum(&operands[1].neg()).neg()),
        F::Max => all(a.maximum(operands[1])),
        F::Less | F::LessEq => {
            let (a, b, equal) = (operands[0], operands[1], function == F::LessEq);
            all(match (a.is_below(b, equal), b.is_below(a, !equal)) {
                (true, _) => Interval::of(1.0),
                (_, true) => Interval::of(0.0),
                _ => unit(),
            })
        }
        F::Select if operands[0].excludes_zero() => all(operands[1].clone()),
        F::Select if *operands[0] == Interval::of(0.0) => all(operands[2].clone()),
        F::Select => all(operands[1].hull(operands[2])),
    }
}

/// aⁿ of a number that is not 0, as an open interval where 0 is an end.
fn power_away_from_zero(a: &Interval, n: u32) -> Interval {
    let power = a.power(n);
    match n.is_multiple_of(2) && a.excludes_zero() && !power.is_positive() {
        true => power.above(0.0, true),
        false => power,
    }
}

fn quotient(a: &Interval, b: &Interval) -> (Interval, bool) {
    match b.recip() {
        Some(recip) => (a.mul(&recip), true),
        None => (Interval::reals(), false),
    }
}
