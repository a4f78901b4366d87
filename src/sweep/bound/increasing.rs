//! Increasing functions of intervals.
//!
//! The accuracy of library functions is not guaranteed (IEEE 754 does not specify `exp`, and fast implementations
//! trade accuracy for speed). So no error bound in units in the last place is assumed: a value is trusted to a
//! relative error of 2⁻⁴⁵ plus the smallest normal double, some hundred times the error of any library in use, and
//! taken as exact only at the one point where it is exact by definition (e⁰ = 1).

use super::interval::{Bound, End};

/// The relative error to which a library function is trusted.
const TRUST: f64 = 1.0 / (1u64 << 45) as f64;

/// A strictly increasing function on the reals, or above some number.
#[derive(Clone, Copy)]
pub(in crate::sweep) struct Increasing {
    /// Computed by a library.
    pub value: fn(f64) -> f64,
    /// Its limits on the left and on the right, which it does not reach.
    pub limits: (f64, f64),
    /// A point where its value is known exactly.
    pub exact: Option<(f64, f64)>,
    /// The relative error to which it is trusted.
    pub trust: f64,
}

impl Increasing {
    /// The limits of a function that takes every real value.
    pub const EVERYWHERE: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
    /// The exact value of a function with f(0) = 0.
    pub const ZERO_AT_ZERO: Option<(f64, f64)> = Some((0.0, 0.0));

    pub const fn new(value: fn(f64) -> f64, limits: (f64, f64), exact: Option<(f64, f64)>) -> Self {
        Increasing { value, limits, exact, trust: TRUST }
    }

    pub fn of(self, a: Bound) -> Bound {
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
        // A result that overflows is finite.
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

    /// Returns the image of an interval under a function that is 0 only at 0, so that signs are kept.
    pub fn of_signed(self, a: Bound) -> Bound {
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
