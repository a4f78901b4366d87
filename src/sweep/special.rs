//! Special functions of one number that the standard library lacks: ln Φ, ln Γ and its derivatives.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// From here on 1 + exp(-2a) is 1.
const FAR_FROM_1: f64 = 20.0;
/// Below, erfc leaves the normal doubles, and the asymptotic series has its full accuracy.
const FAR_LEFT: f64 = -37.0;

/// 1/cosh² a: q·(2 - q) with q = 1 - tanh |a| = 2e/(1 + e), e = exp(-2|a|); nothing cancels.
pub(super) fn sech_squared(a: f64) -> f64 {
    let m = a.abs();
    if m < FAR_FROM_1 {
        let e = (-2.0 * m).exp();
        let q = 2.0 * e / (1.0 + e);
        return q * (2.0 - q);
    }
    // 1 + e is 1, and 4e, formed as a square, is rounded once where it is below the normal numbers.
    let half = 2.0 * (-m).exp();
    half * half
}

/// ln Φ(a), Φ the distribution function of the standard normal.
///
/// Source: Abramowitz and Stegun (1964), 7.1.2 and, far on the left, the asymptotic series 26.2.12.
pub(super) fn ln_normal_cdf(a: f64) -> f64 {
    if a > 0.0 {
        return (-0.5 * libm::erfc(a * FRAC_1_SQRT_2)).ln_1p();
    }
    if a >= FAR_LEFT || a.is_nan() {
        return (0.5 * libm::erfc(-a * FRAC_1_SQRT_2)).ln();
    }
    // Φ(a) = φ(a)/|a|·(1 - 1/a² + 1·3/a⁴ - 1·3·5/a⁶ + …)
    let inverse_square = (a * a).recip();
    let (mut sum, mut term) = (0.0, 1.0);
    for k in 0..8 {
        term *= -inverse_square * f64::from(2 * k + 1);
        sum += term;
    }
    -0.5 * a * a - (-a).ln() - 0.5 * (2.0 * PI).ln() + f64::ln_1p(sum)
}

/// ln Γ(a) for a > 0; NaN where a < 0, ∞ at 0.
pub(super) fn ln_gamma(a: f64) -> f64 {
    if a < 0.0 { f64::NAN } else { libm::lgamma(a) }
}

/// ψ⁽ⁿ⁾(a), the derivative of order n + 1 of ln Γ(a), for a > 0; NaN elsewhere.
///
/// Upwards by ψ⁽ⁿ⁾(a) = ψ⁽ⁿ⁾(a + 1) - (-1)ⁿ n!/aⁿ⁺¹ until the asymptotic series holds.
///
/// Source: Abramowitz and Stegun (1964), 6.3.18, 6.4.6 and 6.4.11.
pub(super) fn polygamma(n: u32, a: f64) -> f64 {
    if a.is_nan() || a <= 0.0 {
        return f64::NAN;
    }
    if a == f64::INFINITY {
        return if n == 0 { f64::INFINITY } else { 0.0 };
    }
    let sign = if n.is_multiple_of(2) { -1.0 } else { 1.0 };
    let order = f64::from(n);
    let factorial: f64 = (1..=n).map(f64::from).product();
    // Everything below is (-1)ⁿ⁺¹ ψ⁽ⁿ⁾, which is positive for n > 0.
    let (mut below, mut a) = (0.0, a);
    while a < 15.0 + order {
        below += factorial * a.powi(-(n as i32) - 1);
        a += 1.0;
    }
    let leading = if n == 0 { -a.ln() } else { factorial / order * a.powi(-(n as i32)) };
    let mut sum = leading + 0.5 * factorial * a.powi(-(n as i32) - 1);
    // B₂ₖ·(2k + n - 1)!/((2k)!·a²ᵏ⁺ⁿ)
    let mut ratio = factorial * a.powi(-(n as i32));
    for (k, bernoulli) in BERNOULLI.iter().enumerate() {
        let twice = 2.0 * (k as f64 + 1.0);
        // From (2k + n - 3)!/(2k - 2)! to (2k + n - 1)!/(2k)!; at k = 1 from n!/1 to (n + 1)!/2.
        ratio *= if k == 0 {
            (order + 1.0) / 2.0
        } else {
            (twice + order - 2.0) * (twice + order - 1.0) / ((twice - 1.0) * twice)
        } / (a * a);
        sum += bernoulli * ratio;
    }
    sign * (sum + below)
}

/// B₂, B₄, …, B₂₀.
const BERNOULLI: [f64; 10] = [
    1.0 / 6.0,
    -1.0 / 30.0,
    1.0 / 42.0,
    -1.0 / 30.0,
    5.0 / 66.0,
    -691.0 / 2730.0,
    7.0 / 6.0,
    -3617.0 / 510.0,
    43867.0 / 798.0,
    -174611.0 / 330.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 4e-15 * expected.abs().max(1.0), "{found} is not {expected}");
    }

    #[test]
    fn polygamma_at_one_is_eulers_constant_and_the_zeta_values() {
        const EULER: f64 = 0.577_215_664_901_532_9;
        const ZETA_3: f64 = 1.202_056_903_159_594_3;
        close(polygamma(0, 1.0), -EULER);
        close(polygamma(0, 0.5), -EULER - 2.0 * 2.0f64.ln());
        close(polygamma(1, 1.0), PI * PI / 6.0);
        close(polygamma(1, 0.5), PI * PI / 2.0);
        close(polygamma(2, 1.0), -2.0 * ZETA_3);
        close(polygamma(3, 1.0), PI.powi(4) / 15.0);
    }

    #[test]
    fn digamma_agrees_with_statrs_over_its_range() {
        for k in -60..60 {
            let a = 10f64.powf(f64::from(k) / 10.0);
            let expected = statrs::function::gamma::digamma(a);
            let off = (polygamma(0, a) - expected).abs() / expected.abs().max(1.0);
            assert!(off < 1e-12, "digamma({a}): {} is not {expected}", polygamma(0, a));
        }
    }

    #[test]
    fn ln_normal_cdf_has_no_seam_where_the_series_begins() {
        for a in [FAR_LEFT.next_up(), FAR_LEFT, FAR_LEFT.next_down()] {
            close(ln_normal_cdf(a), ln_normal_cdf(FAR_LEFT));
        }
        assert_eq!(ln_normal_cdf(f64::NEG_INFINITY), f64::NEG_INFINITY);
        assert_eq!(ln_normal_cdf(f64::INFINITY), 0.0);
        assert!(ln_normal_cdf(f64::NAN).is_nan());
    }

    #[test]
    fn outside_of_their_domains_they_are_not_numbers() {
        assert!(ln_gamma(-0.5).is_nan());
        assert_eq!(ln_gamma(0.0), f64::INFINITY);
        assert!(polygamma(0, 0.0).is_nan() && polygamma(1, -1.5).is_nan());
    }
}
