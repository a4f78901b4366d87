//! Intervals with ends of many digits, rounded outwards.
//!
//! An end is a binary number of [`DIGITS`] digits, or ±∞. Sums, products, quotients and the elementary functions are
//! correctly rounded by dashu in the direction asked for, so that an interval made of other intervals holds every real
//! number that it should. Ends are open or closed: eᵃ > 0 although eᵃ comes as near to 0 as one likes.

use dashu_float::round::mode::{Down, Up};
use dashu_float::{Context, FBig, FpResult, Repr};

/// Binary digits of an end.
pub(super) const DIGITS: usize = 192;
/// Exponents beyond are taken for 0 or ∞; far inside of what dashu represents.
const LARGEST_EXPONENT: isize = 1 << 50;
/// Arguments of exponentials beyond (2⁴⁰) are cut off.
const LARGEST_ARGUMENT: isize = 40;

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

fn power_of_two(exponent: isize) -> Num {
    Num::new(1.into(), exponent)
}

fn zero() -> Num {
    Num::zero()
}

/// The position of the leading digit.
fn magnitude(a: &Num) -> isize {
    a.exponent() + a.digits() as isize
}

/// The result of an operation rounded down and up.
fn rounded(
    down: impl FnOnce(Context<Down>) -> FpResult<FBig<Down, 2>>,
    up: impl FnOnce(Context<Up>) -> FpResult<FBig<Up, 2>>,
) -> Option<(Num, Num)> {
    let low = down(Context::new(DIGITS)).ok()?.value().into_repr();
    let high = up(Context::new(DIGITS)).ok()?.value().into_repr();
    (low.is_finite() && high.is_finite()).then_some((low, high))
}

impl End {
    fn closed(at: Num) -> End {
        let open = at.is_infinite();
        End { at, open }
    }

    fn open(at: Num) -> End {
        End { at, open: true }
    }
}

fn lower(a: End, b: End) -> End {
    match a.at.cmp(&b.at) {
        std::cmp::Ordering::Less => a,
        std::cmp::Ordering::Greater => b,
        std::cmp::Ordering::Equal => End { open: a.open && b.open, ..a },
    }
}

fn higher(a: End, b: End) -> End {
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

    /// Whether every number of this interval is one of the other.
    pub fn is_within(&self, other: &Interval) -> bool {
        let above = |a: &End, b: &End| a.at > b.at || (a.at == b.at && (a.open || !b.open));
        above(&self.low, &other.low) && above(&negated(&self.high), &negated(&other.high))
    }

    /// Whether no number lies in both.
    pub fn is_apart_from(&self, other: &Interval) -> bool {
        let below = |a: &End, b: &End| a.at < b.at || (a.at == b.at && (a.open || b.open));
        below(&self.high, &other.low) || below(&other.high, &self.low)
    }

    /// The part above `low`, whatever lies below.
    pub fn above(&self, low: f64, open: bool) -> Interval {
        let end = End { at: number(low), open };
        // An open end is the higher one of two at the same place.
        let low = match self.low.at == end.at {
            true => End { open: self.low.open || open, ..end },
            false => higher(self.low.clone(), end),
        };
        Interval { low, high: self.high.clone() }
    }

    pub fn hull(&self, other: &Interval) -> Interval {
        Interval {
            low: lower(self.low.clone(), other.low.clone()),
            high: higher(self.high.clone(), other.high.clone()),
        }
    }

    /// The larger of two numbers.
    pub fn maximum(&self, other: &Interval) -> Interval {
        // Both lie below the larger: of two lower ends the higher counts, open if either that stands there is.
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
            match rounded(|context| context.add(&a.at, &b.at), |context| context.add(&a.at, &b.at)) {
                Some((low, high)) => End { at: if up { high } else { low }, open },
                None => End::open(if up { Num::infinity() } else { Num::neg_infinity() }),
            }
        };
        Interval { low: sum(&self.low, &other.low, false), high: sum(&self.high, &other.high, true) }
    }

    pub fn sub(&self, other: &Interval) -> Interval {
        self.add(&other.neg())
    }

    pub fn mul(&self, other: &Interval) -> Interval {
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

    /// 1/a; `None` if 0 lies in the interval.
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

    /// By repeated squaring: of numbers that are not negative, products rounded down stay below and the others above.
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

    /// A function that rises strictly and never reaches its limits, from enclosures of its value at the two ends.
    fn rising(&self, f: impl Fn(&Num) -> Option<Interval>, least: Num, most: Num) -> Interval {
        let value = |end: &End| if end.at.is_infinite() { None } else { f(&end.at) };
        let low = value(&self.low).map(|found| found.low.at).filter(|at| *at > least);
        let high = value(&self.high).map(|found| found.high.at).filter(|at| *at < most);
        Interval {
            low: low.map_or(End::open(least), |at| End { at, open: self.low.open }),
            high: high.map_or(End::open(most), |at| End { at, open: self.high.open }),
        }
    }

    pub fn exp(&self) -> Interval {
        self.rising(exponential, zero(), Num::infinity())
    }

    /// ln of what lies above 0.
    pub fn ln(&self) -> Interval {
        let f = |at: &Num| {
            let (low, high) = rounded(|context| context.ln(at, None), |context| context.ln(at, None))?;
            Some(Interval { low: End::closed(low), high: End::closed(high) })
        };
        self.above(0.0, true).rising(
            |at| if *at > zero() { f(at) } else { None },
            Num::neg_infinity(),
            Num::infinity(),
        )
    }

    /// √ of what is not below 0.
    pub fn sqrt(&self) -> Interval {
        let f = |at: &Num| {
            let (low, high) = rounded(|context| context.sqrt(at), |context| context.sqrt(at))?;
            Some(Interval { low: End::closed(low), high: End::closed(high) })
        };
        let inside = self.above(0.0, false);
        let open = inside.low.at == zero() && self.low.at == zero() && self.low.open;
        // -1 is a limit that is not met: 0 may be reached.
        let mut root = inside.rising(f, Num::neg_one(), Num::infinity());
        if root.low.at <= zero() {
            root.low = End { at: zero(), open };
        }
        root
    }

    pub fn exp_m1(&self) -> Interval {
        self.rising(exponential_m1, Num::neg_one(), Num::infinity())
    }

    pub fn ln_1p(&self) -> Interval {
        let f = |at: &Num| {
            let (low, high) = rounded(|context| context.ln_1p(at, None), |context| context.ln_1p(at, None))?;
            Some(Interval { low: End::closed(low), high: End::closed(high) })
        };
        self.above(-1.0, true).rising(
            |at| if *at > Num::neg_one() { f(at) } else { None },
            Num::neg_infinity(),
            Num::infinity(),
        )
    }

    pub fn sigmoid(&self) -> Interval {
        let f = |at: &Num| Interval::point(at.clone()).neg().exp().add(&Interval::of(1.0)).recip();
        self.rising(f, zero(), Num::one())
    }

    /// 1 - 2/(e²ᵃ + 1), and near 0 by e²ᵃ - 1.
    pub fn tanh(&self) -> Interval {
        let f = |at: &Num| {
            let less = Interval::point(at.clone()).mul(&Interval::of(2.0)).exp_m1();
            Some(less.mul(&less.add(&Interval::of(2.0)).recip()?))
        };
        self.rising(f, Num::neg_one(), Num::one())
    }

    /// a + ln(1 + e⁻ᵃ) where a is positive, ln(1 + eᵃ) elsewhere.
    pub fn softplus(&self) -> Interval {
        let f = |at: &Num| {
            let a = Interval::point(at.clone());
            Some(match *at > zero() {
                true => a.add(&a.neg().exp().ln_1p()),
                false => a.exp().ln_1p(),
            })
        };
        self.rising(f, zero(), Num::infinity())
    }

    /// (eᵃ - 1)(1 + e⁻ᵃ)/2
    pub fn sinh(&self) -> Interval {
        let f = |at: &Num| {
            let a = Interval::point(at.clone());
            Some(a.exp_m1().mul(&a.neg().exp().add(&Interval::of(1.0))).mul(&Interval::of(0.5)))
        };
        self.rising(f, Num::neg_infinity(), Num::infinity())
    }

    pub fn cosh(&self) -> Interval {
        let f = |at: &Num| {
            let a = Interval::point(at.clone());
            Some(a.exp().add(&a.neg().exp()).mul(&Interval::of(0.5)))
        };
        let size = self.abs();
        let mut cosh = size.rising(f, zero(), Num::infinity());
        if cosh.low.at <= Num::one() {
            cosh.low = End { at: Num::one(), open: size.low.open };
        }
        cosh
    }

    /// sign(a)·ln(1 + |a| + |a|²/(1 + √(1 + a²)))
    pub fn asinh(&self) -> Interval {
        let f = |at: &Num| {
            let a = Interval::point(at.clone());
            let (size, square) = (a.abs(), a.power(2));
            let root = square.add(&Interval::of(1.0)).sqrt().add(&Interval::of(1.0));
            let value = size.add(&square.mul(&root.recip()?)).ln_1p();
            Some(if *at < zero() { value.neg() } else { value })
        };
        self.rising(f, Num::neg_infinity(), Num::infinity())
    }

    /// sin or cos: by the value in the middle, since neither changes faster than its argument.
    pub fn wave(&self, sine: bool) -> Interval {
        let whole = Interval::closed(-1.0, 1.0);
        if self.low.at.is_infinite() || self.high.at.is_infinite() || magnitude(&self.high.at) > 2048 {
            return whole;
        }
        let middle = self.low.at.clone();
        let wide = self.high.at.clone() - middle.clone();
        if wide > Num::one() || magnitude(&middle) > 2048 {
            return whole;
        }
        let found = rounded(
            |context| if sine { context.sin(&middle, None) } else { context.cos(&middle, None) },
            |context| if sine { context.sin(&middle, None) } else { context.cos(&middle, None) },
        );
        let Some((low, high)) = found else { return whole };
        let margin = Interval { low: End::closed(-wide.clone()), high: End::closed(wide) };
        let value = Interval { low: End::closed(low), high: End::closed(high) }.add(&margin);
        Interval {
            low: higher(value.low, End::closed(Num::neg_one())),
            high: lower(value.high, End::closed(Num::one())),
        }
    }

    /// erf, by its series where that is short, else by 0 < 1 - erf a < e⁻ᵃ² for a ≥ 1.
    pub fn erf(&self) -> Interval {
        let f = |at: &Num| {
            let size = Interval::point(at.clone()).abs();
            let value = match magnitude(at) <= 3 {
                true => erf_series(&size)?,
                false => {
                    let rest = size.power(2).neg().exp();
                    Interval { low: Interval::of(1.0).sub(&rest).low, high: End::open(Num::one()) }
                }
            };
            Some(if *at < zero() { value.neg() } else { value })
        };
        self.rising(f, Num::neg_one(), Num::one())
    }

    /// ln Φ, by ½(1 + erf(a/√2)), and in the left tail by φ(a)/|a|·(1 - 1/a²) < Φ(a) < φ(a)/|a|.
    pub fn ln_normal_cdf(&self) -> Interval {
        let f = |at: &Num| {
            let a = Interval::point(at.clone());
            if *at > number(-8.0) {
                let erf = a.mul(&Interval::of(2.0).sqrt().recip()?).erf();
                return Some(erf.add(&Interval::of(1.0)).mul(&Interval::of(0.5)).ln());
            }
            let half_log = pi().mul(&Interval::of(2.0)).ln().add(&a.power(2)).mul(&Interval::of(-0.5));
            let most = half_log.sub(&a.neg().ln());
            let least = most.add(&a.power(2).recip()?.neg().ln_1p());
            Some(Interval { low: least.low, high: most.high })
        };
        self.rising(f, Num::neg_infinity(), zero())
    }
}

pub(super) fn pi() -> Interval {
    let low = Context::<Down>::new(DIGITS).pi::<2>(None).value().into_repr();
    let high = Context::<Up>::new(DIGITS).pi::<2>(None).value().into_repr();
    Interval { low: End::closed(low), high: End::closed(high) }
}

/// The product of two ends, rounded down and up.
fn corner(x: &End, y: &End) -> (End, End) {
    if x.at == zero() || y.at == zero() {
        // A zero that is reached makes 0 with whatever stands on the other side.
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
        // Between these two, away from 0.
        None if size > 0 => (power_of_two(LARGEST_EXPONENT / 2), Num::infinity()),
        None => (zero(), power_of_two(-LARGEST_EXPONENT / 2)),
    };
    match positive {
        true => (End::open(near), End::open(far)),
        false => (negated(&End::open(far)), negated(&End::open(near))),
    }
}

/// eᵃ of a number; far out only bounds of it.
fn exponential(at: &Num) -> Option<Interval> {
    let cut = power_of_two(LARGEST_ARGUMENT);
    let f = |at: &Num| rounded(|context| context.exp(at, None), |context| context.exp(at, None));
    let (low, high) = if *at > cut {
        (f(&cut)?.0, Num::infinity())
    } else if *at < -cut.clone() {
        (zero(), f(&-cut)?.1)
    } else {
        f(at)?
    };
    Some(Interval { low: End::closed(low), high: End::closed(high) })
}

fn exponential_m1(at: &Num) -> Option<Interval> {
    if magnitude(at) > LARGEST_ARGUMENT / 2 {
        return Some(exponential(at)?.sub(&Interval::of(1.0)));
    }
    let (low, high) = rounded(|context| context.exp_m1(at, None), |context| context.exp_m1(at, None))?;
    Some(Interval { low: End::closed(low), high: End::closed(high) })
}

/// erf a = 2/√π · e⁻ᵃ² · Σ 2ⁿ a²ⁿ⁺¹/(1·3·…·(2n+1)): all terms positive; the rest is below the last term once terms halve.
fn erf_series(a: &Interval) -> Option<Interval> {
    let square = a.power(2).mul(&Interval::of(2.0));
    let (mut term, mut sum) = (a.clone(), a.clone());
    for n in 1..2000 {
        term = term.mul(&square).mul(&Interval::of(f64::from(2 * n + 1)).recip()?);
        sum = sum.add(&term);
        let halves = square.high.at < number(f64::from(2 * n + 3) / 2.0);
        let small =
            term.high.at == zero() || magnitude(&term.high.at) < magnitude(&sum.low.at) - DIGITS as isize;
        if halves && small {
            let rest = Interval { low: End::closed(zero()), high: term.high };
            let factor = pi().sqrt().recip()?.mul(&Interval::of(2.0));
            return Some(sum.add(&rest).mul(&a.power(2).neg().exp()).mul(&factor));
        }
    }
    None
}
