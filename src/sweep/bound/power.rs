//! Powers of intervals.
//!
//! aⁿ is computed by repeated squaring with every product rounded outwards: the error of a power grows with n, and no
//! number of units in the last place holds for all n. aᵇ is e^(b·ln a), by the intervals of each step.

use super::arithmetic::{absolute, is_exact_product, outward, product, reciprocal};
use super::interval::{Bound, End, higher};
use crate::sweep::function::{EXP, LN};

pub(in crate::sweep) fn power(a: Bound, exponent: i32) -> Bound {
    // The largest negative exponent has no positive counterpart of its type.
    let n = exponent.unsigned_abs();
    if exponent < 0 {
        return reciprocal(whole_power(a, n));
    }
    whole_power(a, n)
}

fn whole_power(a: Bound, n: u32) -> Bound {
    match n {
        0 => Bound { defined: a.defined, ..Bound::closed(1.0, 1.0) },
        1 => a,
        _ => {
            let a = if n.is_multiple_of(2) { absolute(a) } else { a };
            let bound = Bound::of(end_power(a.low, n, false), end_power(a.high, n, true));
            bound.with(a.nonzero, a.defined)
        }
    }
}

/// Returns an end of an interval raised to a power that is odd, or of a number that is not negative.
fn end_power(end: End, n: u32, up: bool) -> End {
    if end.at < 0.0 {
        return end_power(end.negated(), n, !up).negated();
    }
    if end.at == 0.0 || end.at == 1.0 || end.at.is_infinite() {
        return end;
    }
    let at = size_power(end.at, n, up);
    // A result that underflows is not 0, and one that overflows is finite.
    End { at, open: end.open || at == 0.0 || at.is_infinite() }
}

/// aⁿ for a > 0, rounded up or down.
fn size_power(a: f64, mut n: u32, up: bool) -> f64 {
    let times = |a: f64, b: f64| {
        let value = a * b;
        if is_exact_product(a, b, value) { value } else { outward(value, up, 1.0) }
    };
    let (mut square, mut result) = (a, 1.0);
    while n > 1 {
        if n % 2 == 1 {
            result = times(result, square);
        }
        square = times(square, square);
        n /= 2;
    }
    times(result, square)
}

/// aᵇ for a > 0, and 0 where a is 0 and b > 0.
///
/// Where a may be below 0 nothing is claimed: floating-point arithmetic has values for some of these.
pub(super) fn power_of_positive(a: Bound, b: Bound) -> Bound {
    let inside = a.is_positive() || (a.is_nonnegative() && b.is_positive());
    let defined = a.defined && b.defined && inside;
    if !a.is_positive() {
        let low = if a.is_nonnegative() { End::closed(0.0) } else { Bound::REALS.low };
        return Bound { low, defined, ..Bound::REALS };
    }
    let logarithm = LN.of(Bound { low: higher(a.low, End::open(0.0)), ..a });
    let bound = EXP.of(product(logarithm, b));
    bound.with(true, defined)
}

/// a·a
pub(super) fn square(a: Bound) -> Bound {
    whole_power(a, 2)
}
