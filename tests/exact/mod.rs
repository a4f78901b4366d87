//! Programs of one variable, evaluated with any number of bits.
//!
//! What f64 cannot resolve (a slope of 10⁻³⁴ next to a value of 1) is computed with 320 bits and with 640:
//! their difference bounds the rounding error of the first.

use std::collections::HashMap;

use astro_float_num::{BigFloat, Consts, RoundingMode};
use pushforward::prelude::*;
use pushforward::tape::{Binary, Choice, NodeId, Op, Subgraph, Unary};

const ROUNDING: RoundingMode = RoundingMode::ToEven;

/// Numbers of so many bits.
struct Numbers {
    bits: usize,
    constants: Consts,
}

/// A value, and how far off it may be.
pub struct Enclosed {
    pub value: BigFloat,
    pub off: BigFloat,
}

impl Enclosed {
    /// self - other.
    pub fn minus(&self, other: &Enclosed) -> Enclosed {
        Enclosed {
            value: self.value.sub(&other.value, 320, ROUNDING),
            off: self.off.add(&other.off, 320, ROUNDING),
        }
    }

    /// -1, 1, or 0 where that cannot be told.
    pub fn sign(&self) -> i32 {
        match self.value.abs().cmp(&self.off) {
            Some(1..) if self.value.is_positive() => 1,
            Some(1..) => -1,
            _ => 0,
        }
    }

    /// Whether it is surely smaller than `factor` times another, in size.
    pub fn is_below(&self, factor: f64, other: &Enclosed) -> bool {
        let most = self.value.abs().add(&self.off, 320, ROUNDING);
        let least = other.value.abs().sub(&other.off, 320, ROUNDING);
        most.cmp(&least.mul(&BigFloat::from_f64(factor, 320), 320, ROUNDING)).is_some_and(|order| order < 0)
    }

    pub fn is_finite(&self) -> bool {
        !(self.value.is_inf() || self.value.is_nan())
    }
}

/// x at z, where all nodes have one element.
pub fn enclosed(tape: &Tape, z: Var<'_>, x: Var<'_>, parameters: &Parameters, at: f64) -> Enclosed {
    let [low, high] = [320, 640].map(|bits| {
        let constants = Consts::new().expect("room for constants");
        Numbers { bits, constants }.run(tape, z, x, parameters, at)
    });
    let off = low.sub(&high, 640, ROUNDING).abs();
    // Where the two agree to the last bit, that bit may still be a rounding.
    let last = high.abs().mul(&BigFloat::from_f64(2f64.powi(-300), 64), 320, ROUNDING);
    Enclosed {
        value: high,
        off: off.mul(&BigFloat::from_f64(4.0, 64), 320, ROUNDING).add(&last, 320, ROUNDING),
    }
}

impl Numbers {
    fn number(&self, value: f64) -> BigFloat {
        BigFloat::from_f64(value, self.bits)
    }

    fn add(&self, a: &BigFloat, b: &BigFloat) -> BigFloat {
        a.add(b, self.bits, ROUNDING)
    }

    fn multiply(&self, a: &BigFloat, b: &BigFloat) -> BigFloat {
        a.mul(b, self.bits, ROUNDING)
    }

    fn divide(&self, a: &BigFloat, b: &BigFloat) -> BigFloat {
        a.div(b, self.bits, ROUNDING)
    }

    fn exp(&mut self, a: &BigFloat) -> BigFloat {
        a.exp(self.bits, ROUNDING, &mut self.constants)
    }

    fn ln(&mut self, a: &BigFloat) -> BigFloat {
        a.ln(self.bits, ROUNDING, &mut self.constants)
    }

    /// ln(1 + a) for a > -1, by its series where 1 + a would lose digits.
    fn ln_1p(&mut self, a: &BigFloat) -> BigFloat {
        if !a.is_zero() && a.exponent().is_none_or(|exponent| exponent >= -20) {
            return self.ln(&self.add(a, &self.number(1.0)));
        }
        let (mut power, mut sum) = (a.clone(), a.clone());
        for n in 2..=(self.bits / 20 + 2) {
            power = self.multiply(&power, &a.neg());
            sum = self.add(&sum, &self.divide(&power, &self.number(n as f64)));
        }
        sum
    }

    /// (1 - e⁻²ᵃ)/(1 + e⁻²ᵃ) of |a|; for small a by the library, which knows the series.
    fn tanh(&mut self, a: &BigFloat) -> BigFloat {
        if a.exponent().is_none_or(|exponent| exponent < 12) {
            return a.tanh(self.bits, ROUNDING, &mut self.constants);
        }
        a.signum()
    }

    /// ln Φ(a): φ(a)·Σ a²ᵏ⁺¹/(1·3·…·(2k+1)) near 0, the continued fraction of φ/Q beyond.
    fn ln_normal_cdf(&mut self, a: &BigFloat) -> BigFloat {
        let one = self.number(1.0);
        let half_square = self.multiply(&self.multiply(a, a), &self.number(0.5));
        let two_pi = self.constants.pi(self.bits, ROUNDING);
        let two_pi = self.multiply(&two_pi, &self.number(2.0));
        let root = two_pi.sqrt(self.bits, ROUNDING);
        let size = a.abs();
        if size.cmp(&self.number(12.0)).is_some_and(|order| order > 0) {
            // Q(t) = φ(t)/(t + 1/(t + 2/(t + 3/(t + …)))).
            let mut tail = size.clone();
            for k in (1..=self.bits * 4).rev() {
                tail = self.add(&size, &self.divide(&self.number(k as f64), &tail));
            }
            let scaled = self.multiply(&root, &tail);
            if a.is_negative() {
                let log = self.ln(&scaled);
                return self.add(&half_square, &log).neg();
            }
            let density = self.exp(&half_square.neg());
            let q = self.divide(&density, &scaled);
            return self.ln_1p(&q.neg());
        }
        // 1 - Φ of up to 12 loses 104 bits.
        let wide = Numbers { bits: self.bits + 192, constants: Consts::new().expect("room for constants") };
        let (mut term, mut sum) = (size.clone(), size.clone());
        for k in 1..2000 {
            let square = wide.multiply(&size, &size);
            term = wide.divide(&wide.multiply(&term, &square), &wide.number(f64::from(2 * k + 1)));
            sum = wide.add(&sum, &term);
            if term.is_zero()
                || term.exponent().zip(sum.exponent()).is_some_and(|(t, s)| t < s - wide.bits as i32)
            {
                break;
            }
        }
        let bits = wide.bits;
        let density = half_square.neg().exp(bits, ROUNDING, &mut self.constants);
        let root = {
            let pi = self.constants.pi(bits, ROUNDING);
            pi.mul(&wide.number(2.0), bits, ROUNDING).sqrt(bits, ROUNDING)
        };
        let above = wide.divide(&wide.multiply(&density, &sum), &root);
        let half = wide.number(0.5);
        let phi = if a.is_negative() { half.sub(&above, bits, ROUNDING) } else { wide.add(&half, &above) };
        if a.is_negative() {
            return phi.ln(self.bits, ROUNDING, &mut self.constants);
        }
        let below = phi.sub(&one, bits, ROUNDING);
        self.ln_1p(&below)
    }

    fn run(&mut self, tape: &Tape, z: Var<'_>, x: Var<'_>, parameters: &Parameters, at: f64) -> BigFloat {
        let declarations = tape.declarations();
        let mut known: HashMap<NodeId, BigFloat> = HashMap::from([(z.id(), self.number(at))]);
        for id in Subgraph::new(tape, &[z.id()], &[x.id()]).nodes() {
            let node = tape.node(*id);
            assert_eq!(node.shape.len(), 1, "one element");
            let operand = |k: usize| known[&node.operands[k]].clone();
            let (a, b) = (|| operand(0), || operand(1));
            let value = match &node.op {
                Op::Input(_) => continue,
                Op::Parameter(number) => {
                    let tensor = parameters.get(&declarations[*number as usize].name).expect("a value");
                    self.number(tensor.values[0])
                }
                Op::Constant(data) => self.number(data.values()[0]),
                Op::Broadcast | Op::Sum => a(),
                Op::Unary(Unary::Neg) => a().neg(),
                Op::Unary(Unary::Abs) => a().abs(),
                Op::Unary(Unary::Exp) => self.exp(&a()),
                Op::Unary(Unary::Tanh) => self.tanh(&a()),
                Op::Unary(Unary::Sinh) => a().sinh(self.bits, ROUNDING, &mut self.constants),
                Op::Unary(Unary::Asinh) => {
                    let size = a().abs();
                    let square = self.multiply(&size, &size);
                    let root = self.add(&square, &self.number(1.0)).sqrt(self.bits, ROUNDING);
                    // ln(1 + s + s²/(1 + √(1 + s²)))
                    let rest = self.divide(&square, &self.add(&root, &self.number(1.0)));
                    let log = self.ln_1p(&self.add(&size, &rest));
                    if a().is_negative() { log.neg() } else { log }
                }
                Op::Unary(Unary::Sin) => a().sin(self.bits, ROUNDING, &mut self.constants),
                Op::Unary(Unary::Sigmoid) => {
                    let e = self.exp(&a().neg());
                    self.divide(&self.number(1.0), &self.add(&e, &self.number(1.0)))
                }
                Op::Unary(Unary::Softplus) => {
                    let e = self.exp(&a().abs().neg());
                    let log = self.ln_1p(&e);
                    if a().is_negative() { log } else { self.add(&a(), &log) }
                }
                Op::Unary(Unary::LnNormalCdf) => self.ln_normal_cdf(&a()),
                Op::Unary(Unary::Powi(k)) => {
                    let power = a().powi(k.unsigned_abs() as usize, self.bits, ROUNDING);
                    if *k < 0 { self.divide(&self.number(1.0), &power) } else { power }
                }
                Op::Binary(Binary::Add) => self.add(&a(), &b()),
                Op::Binary(Binary::Sub) => a().sub(&b(), self.bits, ROUNDING),
                Op::Binary(Binary::Mul) => self.multiply(&a(), &b()),
                Op::Binary(Binary::Div) => self.divide(&a(), &b()),
                Op::Choice(Choice::Max) => {
                    if a().cmp(&b()).is_some_and(|order| order > 0) {
                        a()
                    } else {
                        b()
                    }
                }
                Op::Choice(Choice::Min) => {
                    if a().cmp(&b()).is_some_and(|order| order < 0) {
                        a()
                    } else {
                        b()
                    }
                }
                Op::Binary(Binary::Less) => {
                    self.number(f64::from(u8::from(a().cmp(&b()).is_some_and(|order| order < 0))))
                }
                Op::Choice(Choice::Select) => {
                    if a().is_zero() {
                        operand(2)
                    } else {
                        b()
                    }
                }
                other => panic!("{} is not among the operations of these programs", other.name()),
            };
            known.insert(*id, value);
        }
        known.remove(&x.id()).expect("x is among the nodes")
    }
}
