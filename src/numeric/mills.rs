//! The inverse Mills ratio φ/Φ of the standard normal and its derivatives, with all digits on the whole line.
//!
//! With t = -a it is the hazard r(t) = φ(t)/Q(t), Q the upper tail. Where t is large, r - t is small and the
//! derivatives of r cancel even more if they are formed from r. There they are formed from the ratios
//! qₙ = Iₙ/Iₙ₋₁ of the repeated integrals of the tail (I₋₁ = φ, I₀ = Q, Iₙ' = -Iₙ₋₁), which are positive, follow from
//! 1/qₙ = t + (n + 1)·qₙ₊₁ downwards (Laplace's continued fraction), and give r = t + q₁ and
//! qₙ' = qₙ·(n·qₙ - (n + 1)·qₙ₊₁), where at most a factor of a few is lost. Elsewhere r' = r·(r - t) is enough.
//!
//! Source: Abramowitz and Stegun (1964), 26.2.14 and 7.2.5; the signs of the derivatives: Sampford, "Some inequalities
//! on Mill's ratio and related functions" (1953).

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// From here on r and r - t come from the continued fraction.
const FRACTION: f64 = 0.7;
/// From here on higher derivatives do.
const HIGHER: f64 = 0.5;

/// φ(a)/Φ(a), or its derivative of this order.
pub(crate) fn inverse_mills(order: u32, a: f64) -> f64 {
    if a.is_nan() {
        return a;
    }
    let t = -a;
    if t.is_infinite() {
        return match (order, t > 0.0) {
            (0, true) => f64::INFINITY,
            (1, true) => -1.0,
            _ => 0.0,
        };
    }
    let sign = if order.is_multiple_of(2) { 1.0 } else { -1.0 };
    let derivative = match order {
        0 => hazard(t),
        1 if t >= FRACTION => {
            let q = ratios(t, 1)[0];
            (t + q) * q
        }
        1 => {
            let r = hazard(t);
            r * (r - t)
        }
        n => (1..=n).map(f64::from).product::<f64>() * coefficient(n as usize, t),
    };
    sign * derivative
}

/// Q(a), the upper tail, in the right half.
pub(crate) fn upper_tail(a: f64) -> f64 {
    density(a) / hazard(a)
}

/// r(t) = φ(t)/Q(t)
pub(crate) fn hazard(t: f64) -> f64 {
    if t >= FRACTION {
        return t + ratios(t, 1)[0];
    }
    density(t) / (0.5 * libm::erfc(t * FRAC_1_SQRT_2))
}

/// φ(a), with the square formed in two parts: rounding it would cost a²/2 units.
fn density(a: f64) -> f64 {
    // Beyond it is 0; the parts of ∞ would make NaN.
    let a = a.abs().min(100.0);
    // 26 bits: their square is exact.
    let high = f64::from_bits(a.to_bits() & (u64::MAX << 27));
    (-0.5 * high * high).exp() * (-0.5 * (a - high) * (a + high)).exp() / TAU.sqrt()
}

/// q₁, …, qₙ for t > 0.
fn ratios(t: f64, count: usize) -> Vec<f64> {
    // The error of the fraction after n terms falls like exp(-2t·√n): these make it less than 2⁻⁵³ of each ratio.
    let start = (500.0 / (t * t)) as usize + 16 + count;
    let guess = t + (t * t + 4.0 * start as f64).sqrt();
    let mut next = if guess.is_finite() { 2.0 / guess } else { t.recip() };
    let mut ratios = vec![0.0; count];
    for n in (1..=start).rev() {
        next = (t + (n as f64 + 1.0) * next).recip();
        if let Some(ratio) = ratios.get_mut(n - 1) {
            *ratio = next;
        }
    }
    ratios
}

/// The coefficient of sⁿ of r(t + s), for n ≥ 2.
fn coefficient(n: usize, t: f64) -> f64 {
    if t < HIGHER {
        // r' = r·(r - t), coefficient by coefficient.
        let r = hazard(t);
        let mut of = vec![r, r * (r - t)];
        for k in 1..n {
            let square: f64 = (0..=k).map(|i| of[i] * of[k - i]).sum();
            of.push((square - t * of[k] - of[k - 1]) / (k as f64 + 1.0));
        }
        return of[n];
    }
    // Of q₁, …, qₙ₊₁ at once, each one coefficient shorter than the one before.
    let mut of: Vec<Vec<f64>> = ratios(t, n + 1).into_iter().map(|q| vec![q]).collect();
    for k in 0..n {
        for j in 1..=n - k {
            let (own, next) = (&of[j - 1], &of[j]);
            let sum: f64 =
                (0..=k).map(|i| own[i] * (j as f64 * own[k - i] - (j as f64 + 1.0) * next[k - i])).sum();
            of[j - 1].push(sum / (k as f64 + 1.0));
        }
    }
    of[0][n]
}
