//! Interval arithmetic in high precision, rounded outwards.
//!
//! An end is a binary number of [`DIGITS`] digits, or ±∞. Sums, products, quotients and the elementary
//! functions are correctly rounded by dashu in the requested direction, so that an interval computed from
//! intervals contains every real number that it must. Ends are open or closed: eᵃ > 0 although eᵃ comes
//! arbitrarily close to 0.

use dashu_float::round::mode::{Down, Up};
use dashu_float::{Context, FBig, FpResult, Repr};

/// Binary digits of an end.
pub(super) const DIGITS: usize = 192;
/// Larger exponents are rounded to 0 or ∞; far inside of dashu's range.
const LARGEST_EXPONENT: isize = 1 << 50;

pub(super) type Num = Repr<2>;

/// An end of an interval; an infinite one is open.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct End {
    pub at: Num,
    pub open: bool,
}

/// All real numbers between two ends.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Interval {
    pub low: End,
    pub high: End,
}

pub(super) fn number(value: f64) -> Num {
    Num::try_from(value).unwrap_or_else(|_| Num::zero())
}

pub(super) fn power_of_two(exponent: isize) -> Num {
    Num::new(1.into(), exponent)
}

pub(super) fn zero() -> Num {
    Num::zero()
}

/// Returns the position of the leading digit.
pub(super) fn magnitude(a: &Num) -> isize {
    a.exponent() + a.digits() as isize
}

/// Returns the result of an operation rounded down and up.
pub(super) fn rounded(
    down: impl FnOnce(Context<Down>) -> FpResult<FBig<Down, 2>>,
    up: impl FnOnce(Context<Up>) -> FpResult<FBig<Up, 2>>,
) -> Option<(Num, Num)> {
    Some((rounded_down(down)?, rounded_up(up)?))
}

/// Returns the result of an operation rounded down, if it is finite.
pub(super) fn rounded_down(down: impl FnOnce(Context<Down>) -> FpResult<FBig<Down, 2>>) -> Option<Num> {
    let low = down(Context::new(DIGITS)).ok()?.value().into_repr();
    low.is_finite().then_some(low)
}

/// Returns the result of an operation rounded up, if it is finite.
pub(super) fn rounded_up(up: impl FnOnce(Context<Up>) -> FpResult<FBig<Up, 2>>) -> Option<Num> {
    let high = up(Context::new(DIGITS)).ok()?.value().into_repr();
    high.is_finite().then_some(high)
}

impl End {
    pub fn closed(at: Num) -> End {
        let open = at.is_infinite();
        End { at, open }
    }

    pub fn open(at: Num) -> End {
        End { at, open: true }
    }
}

pub(super) fn lower(a: End, b: End) -> End {
    match a.at.cmp(&b.at) {
        std::cmp::Ordering::Less => a,
        std::cmp::Ordering::Greater => b,
        std::cmp::Ordering::Equal => End { open: a.open && b.open, ..a },
    }
}

pub(super) fn higher(a: End, b: End) -> End {
    match a.at.cmp(&b.at) {
        std::cmp::Ordering::Greater => a,
        std::cmp::Ordering::Less => b,
        std::cmp::Ordering::Equal => End { open: a.open && b.open, ..a },
    }
}

fn negated(end: &End) -> End {
    let at = if end.at == zero() { zero() } else { -end.at.clone() };
    End { at, open: end.open }
}

impl Interval {
    pub fn reals() -> Interval {
        Interval { low: End::open(Num::neg_infinity()), high: End::open(Num::infinity()) }
    }

    pub fn new(low: (f64, bool), high: (f64, bool)) -> Interval {
        let end = |(at, open): (f64, bool), infinity: Num| match at.is_infinite() {
            true => End::open(infinity),
            false => End { at: number(at), open },
        };
        Interval { low: end(low, Num::neg_infinity()), high: end(high, Num::infinity()) }
    }

    pub fn between(low: f64, high: f64) -> Interval {
        Interval::new((low, true), (high, true))
    }

    pub fn closed(low: f64, high: f64) -> Interval {
        Interval::new((low, false), (high, false))
    }

    pub fn point(at: Num) -> Interval {
        Interval { low: End::closed(at.clone()), high: End::closed(at) }
    }

    pub fn of(value: f64) -> Interval {
        Interval::point(number(value))
    }

    /// Whether every number of this interval is below every number of the other; or, if they may be `equal`, not above.
    pub fn is_below(&self, other: &Interval, equal: bool) -> bool {
        match self.high.at.cmp(&other.low.at) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => equal || self.high.open || other.low.open,
            std::cmp::Ordering::Greater => false,
        }
    }

    /// Returns the interval with its ends, if they are numbers.
    pub fn closure(&self) -> Option<Interval> {
        let bounded = !self.low.at.is_infinite() && !self.high.at.is_infinite();
        let close = |end: &End| End::closed(end.at.clone());
        bounded.then(|| Interval { low: close(&self.low), high: close(&self.high) })
    }

    pub fn is_positive(&self) -> bool {
        self.low.at > zero() || (self.low.at == zero() && self.low.open)
    }

    pub fn is_negative(&self) -> bool {
        self.neg().is_positive()
    }

    pub fn is_nonnegative(&self) -> bool {
        self.low.at >= zero()
    }

    pub fn excludes_zero(&self) -> bool {
        self.is_positive() || self.is_negative()
    }

    /// Returns whether every number of this interval is in the other.
    pub fn is_within(&self, other: &Interval) -> bool {
        let above = |a: &End, b: &End| a.at > b.at || (a.at == b.at && (a.open || !b.open));
        above(&self.low, &other.low) && above(&negated(&self.high), &negated(&other.high))
    }

    /// Returns whether the intervals are disjoint.
    pub fn is_apart_from(&self, other: &Interval) -> bool {
        let below = |a: &End, b: &End| a.at < b.at || (a.at == b.at && (a.open || b.open));
        below(&self.high, &other.low) || below(&other.high, &self.low)
    }

    /// Returns the part above `low`.
    pub fn above(&self, low: f64, open: bool) -> Interval {
        let end = End { at: number(low), open };
        // Of two ends at the same place, the open one is higher.
        let low = match self.low.at == end.at {
            true => End { open: self.low.open || open, ..end },
            false => higher(self.low.clone(), end),
        };
        Interval { low, high: self.high.clone() }
    }

    /// Returns the part that lies in another interval as well, which is not empty.
    pub fn common(&self, other: &Interval) -> Interval {
        let tighter = |a: &End, b: &End, up: bool| match a.at.cmp(&b.at) {
            std::cmp::Ordering::Equal => End { open: a.open || b.open, ..a.clone() },
            order => {
                let first = (order == std::cmp::Ordering::Less) == up;
                if first { a.clone() } else { b.clone() }
            }
        };
        Interval { low: tighter(&self.low, &other.low, false), high: tighter(&self.high, &other.high, true) }
    }

    pub fn hull(&self, other: &Interval) -> Interval {
        Interval {
            low: lower(self.low.clone(), other.low.clone()),
            high: higher(self.high.clone(), other.high.clone()),
        }
    }

    /// Returns an interval that contains the larger of two numbers.
    pub fn maximum(&self, other: &Interval) -> Interval {
        // Both are at most the maximum, so the higher of the two lower ends counts; if they are equal, it is
        // open if either is.
        let low = match self.low.at.cmp(&other.low.at) {
            std::cmp::Ordering::Greater => self.low.clone(),
            std::cmp::Ordering::Less => other.low.clone(),
            std::cmp::Ordering::Equal => End { open: self.low.open || other.low.open, ..self.low.clone() },
        };
        Interval { low, high: higher(self.high.clone(), other.high.clone()) }
    }

    pub fn neg(&self) -> Interval {
        Interval { low: negated(&self.high), high: negated(&self.low) }
    }

    pub fn abs(&self) -> Interval {
        if self.is_nonnegative() {
            return self.clone();
        }
        if self.neg().is_nonnegative() {
            return self.neg();
        }
        let high = higher(self.high.clone(), negated(&self.low));
        Interval { low: End::closed(zero()), high }
    }

    pub fn add(&self, other: &Interval) -> Interval {
        let sum = |a: &End, b: &End, up: bool| {
            let open = a.open || b.open;
            if a.at.is_infinite() || b.at.is_infinite() {
                return End::open(if a.at.is_infinite() { a.at.clone() } else { b.at.clone() });
            }
            let at = match up {
                true => rounded_up(|context| context.add(&a.at, &b.at)),
                false => rounded_down(|context| context.add(&a.at, &b.at)),
            };
            match at {
                Some(at) => End { at, open },
                None => End::open(if up { Num::infinity() } else { Num::neg_infinity() }),
            }
        };
        Interval { low: sum(&self.low, &other.low, false), high: sum(&self.high, &other.high, true) }
    }

    pub fn sub(&self, other: &Interval) -> Interval {
        self.add(&other.neg())
    }

    pub fn mul(&self, other: &Interval) -> Interval {
        self.mul_of_one_sign(other).unwrap_or_else(|| self.mul_by_corners(other))
    }

    /// a·b of any two intervals: the ends are among the products of ends.
    fn mul_by_corners(&self, other: &Interval) -> Interval {
        let mut ends: Option<(End, End)> = None;
        for x in [&self.low, &self.high] {
            for y in [&other.low, &other.high] {
                let (low, high) = corner(x, y);
                ends = Some(match ends {
                    None => (low, high),
                    Some((least, most)) => (lower(least, low), higher(most, high)),
                });
            }
        }
        let (low, high) = ends.expect("there are four corners");
        Interval { low, high }
    }

    /// a·b where the finite ends of each are both above 0 or both below 0, so that the ends of the product are known
    /// from the signs; otherwise `None`.
    fn mul_of_one_sign(&self, other: &Interval) -> Option<Interval> {
        let sign = |interval: &Interval| {
            let finite = !interval.low.at.is_infinite() && !interval.high.at.is_infinite();
            match finite {
                true if interval.low.at > zero() => Some(true),
                true if interval.high.at < zero() => Some(false),
                _ => None,
            }
        };
        let (a, b) = (self, other);
        let (low, high) = match (sign(a)?, sign(b)?) {
            (true, true) => ((&a.low, &b.low), (&a.high, &b.high)),
            (true, false) => ((&a.high, &b.low), (&a.low, &b.high)),
            (false, true) => ((&a.low, &b.high), (&a.high, &b.low)),
            (false, false) => ((&a.high, &b.high), (&a.low, &b.low)),
        };
        let moderate =
            |(x, y): (&End, &End)| magnitude(&x.at).saturating_add(magnitude(&y.at)).abs() < LARGEST_EXPONENT;
        if !moderate(low) || !moderate(high) {
            return None;
        }
        let below = rounded_down(|context| context.mul(&low.0.at, &low.1.at))?;
        let above = rounded_up(|context| context.mul(&high.0.at, &high.1.at))?;
        let open = |(x, y): (&End, &End)| x.open || y.open;
        Some(Interval { low: End { at: below, open: open(low) }, high: End { at: above, open: open(high) } })
    }

    /// 1/a; `None` if 0 is in the interval.
    pub fn recip(&self) -> Option<Interval> {
        if self.is_negative() {
            return Some(self.neg().recip()?.neg());
        }
        if !self.is_positive() {
            return None;
        }
        let one = Num::one();
        let end = |end: &End, up: bool| {
            if end.at.is_infinite() {
                return End::open(zero());
            }
            if end.at == zero() {
                return End::open(Num::infinity());
            }
            match rounded(|context| context.div(&one, &end.at), |context| context.div(&one, &end.at)) {
                Some((low, high)) => End { at: if up { high } else { low }, open: end.open },
                None => End::open(if up { Num::infinity() } else { zero() }),
            }
        };
        Some(Interval { low: end(&self.high, false), high: end(&self.low, true) })
    }

    /// aⁿ for n > 0.
    pub fn power(&self, n: u32) -> Interval {
        if n.is_multiple_of(2) {
            return self.abs().power_of_nonnegative(n);
        }
        if self.is_nonnegative() {
            return self.power_of_nonnegative(n);
        }
        if self.neg().is_nonnegative() {
            return self.neg().power_of_nonnegative(n).neg();
        }
        let below = Interval { low: End::closed(zero()), high: negated(&self.low) };
        let above = Interval { low: End::closed(zero()), high: self.high.clone() };
        let (below, above) = (below.power_of_nonnegative(n), above.power_of_nonnegative(n));
        Interval { low: negated(&below.high), high: above.high }
    }

    /// Computes a power by repeated squaring: for non-negative numbers, products rounded down stay below and
    /// those rounded up above.
    fn power_of_nonnegative(&self, n: u32) -> Interval {
        let (mut result, mut square, mut rest) = (Interval::of(1.0), self.clone(), n);
        while rest > 0 {
            if rest % 2 == 1 {
                result = result.mul(&square);
            }
            square = square.mul(&square);
            rest /= 2;
        }
        result
    }
}

/// Returns the product of two ends, rounded down and up.
fn corner(x: &End, y: &End) -> (End, End) {
    if x.at == zero() || y.at == zero() {
        // A zero that is attained gives the product 0 with any other end.
        let reached = (x.at == zero() && !x.open) || (y.at == zero() && !y.open);
        let end = End { at: zero(), open: !reached };
        return (end.clone(), end);
    }
    let positive = (x.at > zero()) == (y.at > zero());
    let infinity = if positive { Num::infinity() } else { Num::neg_infinity() };
    if x.at.is_infinite() || y.at.is_infinite() {
        return (End::open(infinity.clone()), End::open(infinity));
    }
    let open = x.open || y.open;
    let size = magnitude(&x.at).saturating_add(magnitude(&y.at));
    let found = if size.abs() < LARGEST_EXPONENT {
        rounded(|context| context.mul(&x.at, &y.at), |context| context.mul(&x.at, &y.at))
    } else {
        None
    };
    let (near, far) = match found {
        Some((low, high)) => return (End { at: low, open }, End { at: high, open }),
        // The result lies between these two, away from 0.
        None if size > 0 => (power_of_two(LARGEST_EXPONENT / 2), Num::infinity()),
        None => (zero(), power_of_two(-LARGEST_EXPONENT / 2)),
    };
    match positive {
        true => (End::open(near), End::open(far)),
        false => (negated(&End::open(far)), negated(&End::open(near))),
    }
}

#[cfg(test)]
mod tests {
    use super::Interval;

    #[test]
    fn products_of_known_signs_are_those_of_all_corners() {
        let numbers = [-3.0, -0.7, -0.1, 0.0, 0.3, 2.0, f64::INFINITY];
        let mut intervals = Vec::new();
        for (k, low) in numbers.iter().enumerate() {
            for high in &numbers[k + 1..] {
                for open in [(false, false), (false, true), (true, false), (true, true)] {
                    intervals.push(Interval::new((*low, open.0), (*high, open.1)));
                }
            }
            intervals.push(Interval::of(if low.is_finite() { *low } else { 1.5 }));
        }
        let mut compared = 0;
        for a in &intervals {
            for b in &intervals {
                if let Some(product) = a.mul_of_one_sign(b) {
                    assert_eq!(product, a.mul_by_corners(b), "{a:?} times {b:?}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 300, "{compared} products");
    }

    #[test]
    fn products_with_more_digits_than_an_end_has_are_rounded_outwards() {
        for a in [0.1, -0.1] {
            let mut product = Interval::of(a);
            for power in 2..=6 {
                product = product.mul(&Interval::of(a));
                assert_eq!(product.low.at < product.high.at, power > 3, "power {power}");
            }
        }
    }
}
