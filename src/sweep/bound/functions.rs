//! Elementary and special functions of intervals.
//!
//! How far a library is off nobody guarantees (the standard says nothing of `exp`, and what is fast is not what is
//! careful). So nothing is counted in units in the last place: a value is trusted to a part in 2⁴⁵ of itself and to the
//! smallest normal double, some hundred times more than any library in use is off, and only at the one point where it
//! is exact by definition (e⁰ = 1) is it taken as it is.

use super::arithmetic::{absolute, is_exact_product, outward};
use super::interval::{Bound, End, higher};

/// The part of a value to which a library function is trusted.
const TRUST: f64 = 1.0 / (1u64 << 45) as f64;

/// A strictly increasing function on the reals, or on what lies above some number.
#[derive(Clone, Copy)]
pub(super) struct Increasing {
    /// Computed by a library.
    pub value: fn(f64) -> f64,
    /// Its limits on the left and on the right, which it does not reach.
    pub limits: (f64, f64),
    /// A point where its value is known exactly.
    pub exact: Option<(f64, f64)>,
    /// The part of the value to which it is trusted.
    pub trust: f64,
}

impl Increasing {
    pub(super) const fn new(value: fn(f64) -> f64, limits: (f64, f64), exact: Option<(f64, f64)>) -> Self {
        Increasing { value, limits, exact, trust: TRUST }
    }

    pub(super) fn of(self, a: Bound) -> Bound {
        Bound { defined: a.defined, ..Bound::of(self.end(a.low, false), self.end(a.high, true)) }
    }

    fn end(self, end: End, up: bool) -> End {
        let (least, most) = self.limits;
        match (end.at, self.exact) {
            (at, _) if at == f64::NEG_INFINITY => return End::open(least),
            (at, _) if at == f64::INFINITY => return End::open(most),
            (at, Some((point, value))) if at == point => return end.moved(value),
            _ => {}
        }
        let value = (self.value)(end.at);
        // What overflows is finite all the same.
        let size = value.abs().min(f64::MAX);
        let margin = size * self.trust + f64::MIN_POSITIVE;
        let value = value.clamp(f64::MIN, f64::MAX);
        let at = if up { (value + margin).next_up() } else { (value - margin).next_down() };
        match up {
            true if at < most => End { at, open: end.open },
            false if at > least => End { at, open: end.open },
            // Beyond its limit, or not a number.
            true => End::open(most),
            false => End::open(least),
        }
    }

    /// The same for a function that is 0 at 0 and only there: signs are kept.
    pub(super) fn of_signed(self, a: Bound) -> Bound {
        let mut bound = self.of(a);
        if a.low.at >= 0.0 && bound.low.at <= 0.0 {
            bound.low = End { at: 0.0, open: a.low.open };
        }
        if a.high.at <= 0.0 && bound.high.at >= 0.0 {
            bound.high = End { at: 0.0, open: a.high.open };
        }
        bound.with(a.nonzero, a.defined)
    }
}

const INFINITE: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
const AT_ZERO: Option<(f64, f64)> = Some((0.0, 0.0));

pub(super) const EXP: Increasing = Increasing::new(f64::exp, (0.0, f64::INFINITY), Some((0.0, 1.0)));
pub(super) const LN: Increasing = Increasing::new(f64::ln, INFINITE, Some((1.0, 0.0)));
pub(super) const EXP_M1: Increasing = Increasing::new(f64::exp_m1, (-1.0, f64::INFINITY), AT_ZERO);
pub(super) const LN_1P: Increasing = Increasing::new(f64::ln_1p, INFINITE, AT_ZERO);
pub(super) const TANH: Increasing = Increasing::new(f64::tanh, (-1.0, 1.0), AT_ZERO);
pub(super) const SIGMOID: Increasing =
    Increasing::new(|a| 1.0 / (1.0 + (-a).exp()), (0.0, 1.0), Some((0.0, 0.5)));
pub(super) const SOFTPLUS: Increasing =
    Increasing::new(|a| a.max(0.0) + (-a.abs()).exp().ln_1p(), (0.0, f64::INFINITY), None);
pub(super) const ERF: Increasing = Increasing::new(libm::erf, (-1.0, 1.0), AT_ZERO);
pub(super) const SINH: Increasing = Increasing::new(f64::sinh, INFINITE, AT_ZERO);
pub(super) const ASINH: Increasing = Increasing::new(libm::asinh, INFINITE, AT_ZERO);
/// Of several steps, some of which cancel a little: trusted to a part in 2³⁶.
pub(super) const LN_NORMAL_CDF: Increasing = Increasing {
    trust: 1.0 / (1u64 << 36) as f64,
    ..Increasing::new(crate::sweep::special::ln_normal_cdf, (f64::NEG_INFINITY, 0.0), None)
};
/// On [0, ∞).
const COSH: Increasing = Increasing::new(f64::cosh, (1.0, f64::INFINITY), Some((0.0, 1.0)));

/// √a where a ≥ 0; IEEE 754 rounds it to the nearest.
pub(super) fn square_root(a: Bound) -> Bound {
    let defined = a.defined && a.is_nonnegative();
    let inside = Bound { low: higher(a.low, End::closed(0.0)), ..a };
    let end = |end: End, up: bool| {
        let root = end.at.sqrt();
        let exact = end.at == 0.0 || end.at.is_infinite() || is_exact_product(root, root, end.at);
        match exact {
            true => end.moved(root),
            false => End { at: outward(root, up, 1.0), open: end.open },
        }
    };
    Bound::of(end(inside.low, false), end(inside.high, true)).with(a.nonzero, defined)
}

pub(super) fn hyperbolic_cosine(a: Bound) -> Bound {
    let bound = COSH.of(absolute(a));
    bound.with(true, a.defined)
}

pub(super) fn sign(a: Bound) -> Bound {
    let low = if a.is_positive() {
        1.0
    } else if a.is_nonnegative() {
        0.0
    } else {
        -1.0
    };
    let high = if a.is_negative() {
        -1.0
    } else if a.is_nonpositive() {
        0.0
    } else {
        1.0
    };
    Bound::closed(low, high).with(a.nonzero, a.defined)
}
