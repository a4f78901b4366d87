//! Elementary and special functions of intervals.
//!
//! Nearly all are strictly increasing: the ends are the values at the ends, and a limit that is not attained
//! is an open end. Values come from dashu, correctly rounded in the requested direction, or from intervals of
//! such values.

use dashu_float::Context;
use dashu_float::round::mode::{Down, Up};

use super::interval::{
    DIGITS, End, Interval, Num, higher, lower, magnitude, number, power_of_two, rounded, zero,
};

/// Arguments of exponentials are cut off at 2⁴⁰.
const LARGEST_ARGUMENT: isize = 40;

impl Interval {
    /// Applies a strictly increasing function that never attains its limits, from enclosures of its value at
    /// the two ends.
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

    /// ln of the part of the interval above 0.
    pub fn ln(&self) -> Interval {
        self.above(0.0, true).rising(logarithm, Num::neg_infinity(), Num::infinity())
    }

    /// √ of the part of the interval that is not below 0.
    pub fn sqrt(&self) -> Interval {
        let f = |at: &Num| {
            let (low, high) = rounded(|context| context.sqrt(at), |context| context.sqrt(at))?;
            Some(Interval { low: End::closed(low), high: End::closed(high) })
        };
        let inside = self.above(0.0, false);
        let open = inside.low.at == zero() && self.low.at == zero() && self.low.open;
        // -1 is a limit that is not attained, so 0 can be.
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
        self.above(-1.0, true).rising(logarithm_1p, Num::neg_infinity(), Num::infinity())
    }

    pub fn sigmoid(&self) -> Interval {
        let f = |at: &Num| Interval::point(at.clone()).neg().exp().add(&Interval::of(1.0)).recip();
        self.rising(f, zero(), Num::one())
    }

    /// tanh a = 1 - 2/(e²ᵃ + 1); near 0 by e²ᵃ - 1.
    pub fn tanh(&self) -> Interval {
        let f = |at: &Num| {
            let less = Interval::point(at.clone()).mul(&Interval::of(2.0)).exp_m1();
            Some(less.mul(&less.add(&Interval::of(2.0)).recip()?))
        };
        self.rising(f, Num::neg_one(), Num::one())
    }

    /// Softplus: a + ln(1 + e⁻ᵃ) where a is positive, ln(1 + eᵃ) elsewhere.
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

    /// ln(eᵃ + eᵇ), which increases in both: b + softplus(a - b).
    pub fn log_add_exp(&self, other: &Interval) -> Interval {
        let end = |a: &End, b: &End| {
            let (least, most) = if a.at <= b.at { (a, b) } else { (b, a) };
            // The limit, as the smaller one tends to -∞ or the larger one to ∞, is the larger one.
            if least.at.is_infinite() || most.at.is_infinite() {
                let open = End::open(most.at.clone());
                return (open.clone(), open);
            }
            let larger = Interval::point(most.at.clone());
            let sum = larger.add(&Interval::point(least.at.clone()).sub(&larger).softplus());
            let open = a.open || b.open;
            (End { at: sum.low.at, open }, End { at: sum.high.at, open })
        };
        Interval { low: end(&self.low, &other.low).0, high: end(&self.high, &other.high).1 }
    }

    /// sinh a = (eᵃ - 1)(1 + e⁻ᵃ)/2
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

    /// asinh a = sign(a)·ln(1 + |a| + |a|²/(1 + √(1 + a²)))
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

    /// sin or cos. Between 0 and π the sine is concave: it is at least the smaller of its values at the two ends, and equal to
    /// that at an end only.
    pub fn wave(&self, sine: bool) -> Interval {
        let value = self.wave_by_slope(sine);
        if !(sine && self.is_nonnegative() && self.is_below(&pi(), false)) {
            return value;
        }
        let at = |end: &End| Interval::point(end.at.clone()).wave_by_slope(true).low.at;
        let (first, last) = (at(&self.low), at(&self.high));
        let least = if first < last { first } else { last };
        let reached =
            (self.low.at == zero() && !self.low.open) || (self.high.at == zero() && !self.high.open);
        let beside = match least > zero() {
            true => End::closed(least),
            false => End { at: zero(), open: !reached },
        };
        value.common(&Interval { low: beside, high: End::closed(Num::one()) })
    }

    /// sin or cos, from the value at the lower end: neither changes faster than its argument.
    fn wave_by_slope(&self, sine: bool) -> Interval {
        let whole = Interval::closed(-1.0, 1.0);
        // No exact difference here: for two numbers 2⁵⁰ places apart it would fill the memory.
        let near = |at: &Num| at.is_finite() && magnitude(at) <= 2048;
        if !near(&self.low.at) || !near(&self.high.at) {
            return whole;
        }
        let middle = self.low.at.clone();
        let wide = Interval::point(self.high.at.clone()).sub(&Interval::point(middle.clone())).high.at;
        if wide > Num::one() {
            return whole;
        }
        if is_tiny(&middle) {
            // |sin a - a| and 1 - cos a are at most a².
            let a = Interval::point(middle.clone()).hull(&self.clone());
            let square = a.power(2);
            let around = square.hull(&square.neg());
            return if sine {
                a.add(&around)
            } else {
                Interval::of(1.0).sub(&square).hull(&Interval::of(1.0))
            };
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

    /// erf, by its series where that is short, otherwise by 0 < 1 - erf a < e⁻ᵃ² for a ≥ 1.
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

    /// arctan(a)/π
    pub fn atan_pi(&self) -> Interval {
        let f = |at: &Num| {
            // |arctan(a)/π| is below |a|/3, and as many digits as there are zeros before the first are not formed.
            if is_tiny(at) {
                let most = Interval::point(at.clone()).abs().high.at;
                let end = |at: Num| End { at, open: true };
                return Some(match *at > zero() {
                    true => Interval { low: end(zero()), high: end(most) },
                    false => Interval { low: end(-most), high: end(zero()) },
                });
            }
            if magnitude(at) > 1000 {
                return None;
            }
            let found =
                rounded(|context| context.atan_unit(at, 2, None), |context| context.atan_unit(at, 2, None));
            found.map(|(low, high)| Interval { low: End::closed(low), high: End::closed(high) })
        };
        self.rising(f, number(-0.5), number(0.5))
    }

    /// tan(πa) of the part of the interval between -½ and ½.
    pub fn tan_pi(&self) -> Interval {
        let f = |at: &Num| {
            if is_tiny(at) {
                // Between a and 4a.
                let a = Interval::point(at.clone());
                return Some(a.hull(&a.mul(&Interval::of(4.0))));
            }
            let found = rounded(|context| context.tan_pi(at, None), |context| context.tan_pi(at, None));
            found.map(|(low, high)| Interval { low: End::closed(low), high: End::closed(high) })
        };
        if !self.is_within(&Interval::between(-0.5, 0.5)) {
            return Interval::reals();
        }
        let end = |end: &End, limit: f64| end.at == number(limit);
        let mut inside = self.clone();
        // An open end at ±½ has no value: the limit there is ±∞.
        if end(&self.low, -0.5) {
            inside.low = End::open(Num::neg_infinity());
        }
        if end(&self.high, 0.5) {
            inside.high = End::open(Num::infinity());
        }
        inside.rising(f, Num::neg_infinity(), Num::infinity())
    }

    /// Φ, as ln Φ is enclosed.
    pub fn normal_cdf(&self) -> Interval {
        let f = |at: &Num| {
            let a = Interval::point(at.clone());
            if *at > number(-8.0) {
                let erf = a.mul(&Interval::of(2.0).sqrt().recip()?).erf();
                return Some(erf.add(&Interval::of(1.0)).mul(&Interval::of(0.5)));
            }
            Some(a.ln_normal_cdf().exp())
        };
        self.rising(f, zero(), Num::one())
    }

    /// ln Φ, by ½(1 + erf(a/√2)); in the left tail by φ(a)/|a|·(1 - 1/a²) < Φ(a) < φ(a)/|a|.
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

/// Returns whether a number is so near 0 that the library might need as many digits as there are zeros before
/// its first one; there, a series of two terms is enough.
fn is_tiny(at: &Num) -> bool {
    *at != zero() && magnitude(at) < -1000
}

/// Returns a ± a², which encloses eᵃ - 1 and ln(1 + a) where |a| is below ½.
fn near_itself(at: &Num) -> Interval {
    let a = Interval::point(at.clone());
    let square = a.power(2);
    a.add(&square.hull(&square.neg()))
}

/// eᵃ of a number; for large |a| only bounds.
fn exponential(at: &Num) -> Option<Interval> {
    let cut = power_of_two(LARGEST_ARGUMENT);
    if is_tiny(at) {
        return Some(near_itself(at).add(&Interval::of(1.0)));
    }
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
    if is_tiny(at) {
        return Some(near_itself(at));
    }
    if magnitude(at) > LARGEST_ARGUMENT / 2 {
        return Some(exponential(at)?.sub(&Interval::of(1.0)));
    }
    let (low, high) = rounded(|context| context.exp_m1(at, None), |context| context.exp_m1(at, None))?;
    Some(Interval { low: End::closed(low), high: End::closed(high) })
}

/// ln of a positive number: for m·2ᵏ with m between ½ and 1 it is ln m + k·ln 2.
fn logarithm(at: &Num) -> Option<Interval> {
    if *at <= zero() {
        return None;
    }
    let f = |at: &Num| {
        let (low, high) = rounded(|context| context.ln(at, None), |context| context.ln(at, None))?;
        Some(Interval { low: End::closed(low), high: End::closed(high) })
    };
    let k = magnitude(at);
    if k.abs() < 1000 {
        return f(at);
    }
    let m = Num::new(at.significand().clone(), at.exponent() - k);
    // k is an integer below 2⁵³.
    let twos = f(&number(2.0))?.mul(&Interval::of(k as f64));
    Some(f(&m)?.add(&twos))
}

fn logarithm_1p(at: &Num) -> Option<Interval> {
    if *at <= Num::neg_one() {
        return None;
    }
    if is_tiny(at) {
        return Some(near_itself(at));
    }
    if magnitude(at) > 1000 {
        let sum = Interval::point(at.clone()).add(&Interval::of(1.0));
        return Some(logarithm(&sum.low.at)?.hull(&logarithm(&sum.high.at)?));
    }
    let (low, high) = rounded(|context| context.ln_1p(at, None), |context| context.ln_1p(at, None))?;
    Some(Interval { low: End::closed(low), high: End::closed(high) })
}

/// erf a = 2/√π · e⁻ᵃ² · Σ 2ⁿ a²ⁿ⁺¹/(1·3·…·(2n+1)): all terms are positive, and the remainder is below the
/// last term once terms halve.
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
