//! Sums, products and quotients of intervals, rounded outwards.
//!
//! IEEE 754 rounds each of + - · / √ to the nearest number, so that the true result lies between the two neighbours
//! of the computed one. An end is kept as computed only where it is known to be exact. Two special cases: an error
//! term that underflows proves nothing, and a result that overflows is still finite (its lower end is the largest
//! double, not ∞).

use super::interval::{Bound, End, higher, lower};

/// Below this size the error of a product or quotient may itself underflow.
const EXACT_FROM: f64 = 1e-250;

/// Returns the outer neighbour of a computed number.
///
/// The true value is finite; `sign` is its sign, which rounding does not cross.
pub(in crate::sweep) fn outward(computed: f64, up: bool, sign: f64) -> f64 {
    match up {
        true if sign < 0.0 => computed.next_up().min(0.0),
        true => computed.next_up(),
        false if sign > 0.0 => computed.next_down().max(0.0),
        false => computed.next_down(),
    }
}

/// Makes an end from a computed value; an end that was rounded to 0 is open.
fn rounded(computed: f64, exact: bool, up: bool, sign: f64, open: bool) -> End {
    if exact {
        return End { at: computed + 0.0, open: open || computed.is_infinite() };
    }
    let at = outward(computed, up, sign);
    End { at: at + 0.0, open: open || at == 0.0 || at.is_infinite() }
}

pub(in crate::sweep) fn negative(a: Bound) -> Bound {
    Bound { low: a.high.negated(), high: a.low.negated(), ..a }.in_order()
}

pub(in crate::sweep) fn absolute(a: Bound) -> Bound {
    if a.is_nonnegative() {
        return a;
    }
    if a.is_nonpositive() {
        return negative(a);
    }
    let low = if a.nonzero { End::open(0.0) } else { End::closed(0.0) };
    Bound { low, high: higher(a.high, a.low.negated()), ..a }.in_order()
}

pub(in crate::sweep) fn sum(a: Bound, b: Bound) -> Bound {
    let low = end_sum(a.low, b.low, false);
    let high = end_sum(a.high, b.high, true);
    Bound { defined: a.defined && b.defined, ..Bound::of(low, high) }
}

/// a + b, rounded outwards unless it is exact (Knuth's TwoSum; a sum never underflows).
fn end_sum(a: End, b: End, up: bool) -> End {
    let open = a.open || b.open;
    if a.at.is_infinite() || b.at.is_infinite() {
        return End::open(if up { f64::INFINITY } else { f64::NEG_INFINITY });
    }
    let sum = a.at + b.at;
    let back = sum - a.at;
    let error = (a.at - (sum - back)) + (b.at - back);
    rounded(sum, sum.is_finite() && error == 0.0, up, 0.0, open)
}

pub(in crate::sweep) fn product(a: Bound, b: Bound) -> Bound {
    let ends = |up: bool| {
        let corners = [(a.low, b.low), (a.low, b.high), (a.high, b.low), (a.high, b.high)];
        let ends = corners.map(|(x, y)| end_product(x, y, up));
        ends.into_iter().reduce(|best, end| if up { higher(best, end) } else { lower(best, end) })
    };
    let (low, high) = (ends(false).expect("a corner"), ends(true).expect("a corner"));
    Bound::of(low, high).with(a.nonzero && b.nonzero, a.defined && b.defined)
}

fn end_product(x: End, y: End, up: bool) -> End {
    if x.at == 0.0 || y.at == 0.0 {
        // A zero that is reached makes 0 with any other factor.
        let reached = (x.at == 0.0 && !x.open) || (y.at == 0.0 && !y.open);
        return End { at: 0.0, open: !reached };
    }
    let value = x.at * y.at;
    let infinite = x.at.is_infinite() || y.at.is_infinite();
    let exact = infinite || is_exact_product(x.at, y.at, value);
    rounded(value, exact, up, x.at.signum() * y.at.signum(), x.open || y.open)
}

/// Whether a·b is exactly this value.
pub(in crate::sweep) fn is_exact_product(a: f64, b: f64, value: f64) -> bool {
    is_safe(value) && a.mul_add(b, -value) == 0.0
}

/// Whether the rounding error of a product or quotient of this size is a double.
fn is_safe(value: f64) -> bool {
    value.is_finite() && value.abs() >= EXACT_FROM
}

pub(in crate::sweep) fn reciprocal(a: Bound) -> Bound {
    // An empty interval counts as positive and negative: test positive first, so that the recursion on -a ends.
    if a.is_negative() && !a.is_positive() {
        return negative(reciprocal(negative(a)));
    }
    if !a.is_positive() {
        // Where it is defined at all it is not 0.
        let low = if a.is_nonnegative() { End::open(0.0) } else { Bound::REALS.low };
        let high = if a.is_nonpositive() { End::open(0.0) } else { Bound::REALS.high };
        return Bound::of(low, high).with(true, a.defined && a.nonzero);
    }
    let end = |end: End, up: bool| match end.at {
        0.0 => End::open(f64::INFINITY),
        at if at.is_infinite() => End::open(0.0),
        at => {
            let value = 1.0 / at;
            let exact = is_safe(value) && is_exact_product(value, at, 1.0);
            rounded(value, exact, up, 1.0, end.open)
        }
    };
    Bound::of(end(a.high, false), end(a.low, true)).with(true, a.defined)
}

pub(super) fn quotient(a: Bound, b: Bound) -> Bound {
    let divisor = b.low.at;
    if divisor != b.high.at || divisor == 0.0 || !divisor.is_finite() {
        return product(a, reciprocal(b));
    }
    // By one number: rounded once, and not at all where the quotient is exact.
    if divisor < 0.0 {
        return quotient(negative(a), negative(b));
    }
    let end = |end: End, up: bool| {
        let value = end.at / divisor;
        let exact = end.at == 0.0
            || end.at.is_infinite()
            || (is_safe(value) && is_exact_product(value, divisor, end.at));
        rounded(value, exact, up, end.at, end.open)
    };
    Bound::of(end(a.low, false), end(a.high, true)).with(a.nonzero, a.defined && b.defined)
}

/// Returns the bound of a sum of `count` numbers that all lie in one interval.
pub(super) fn repeated(a: Bound, count: usize) -> Bound {
    if count == 0 {
        return Bound::closed(0.0, 0.0);
    }
    let times = product(a, Bound::closed(count as f64, count as f64));
    // Numbers of either sign may cancel, so the sum may be 0 although none of them is.
    Bound { defined: a.defined, ..Bound::of(times.low, times.high) }
}
