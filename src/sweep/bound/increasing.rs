//! Increasing functions of intervals.
//!
//! How far a library is off nobody guarantees (the standard says nothing of `exp`, and what is fast is not what is
//! careful). So nothing is counted in units in the last place: a value is trusted to a part in 2⁴⁵ of itself and to the
//! smallest normal double, some hundred times more than any library in use is off, and only at the one point where it
//! is exact by definition (e⁰ = 1) is it taken as it is.

use super::interval::{Bound, End};

/// The part of a value to which a library function is trusted.
const TRUST: f64 = 1.0 / (1u64 << 45) as f64;

/// A strictly increasing function on the reals, or on what lies above some number.
#[derive(Clone, Copy)]
pub(in crate::sweep) struct Increasing {
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
    /// The limits of a function that takes every value.
    pub const EVERYWHERE: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
    /// The exact value of a function that is 0 at 0.
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
