//! Ratios of Γ functions without the cancellation of two large logarithms, and gamma variates.

use std::f64::consts::TAU;

use rand::distr::Open01;
use rand::{Rng, RngExt};

use super::{Base, StandardNormal};

/// Computes ln Γ(x + ½) - ln Γ(x) for x > 0. For large x it uses one series, because the difference of two
/// large logarithms loses digits (Abramowitz and Stegun, "Handbook of Mathematical Functions", 6.1.40, of
/// both).
pub(super) fn log_gamma_half_step(x: f64) -> f64 {
    if x < 20.0 {
        return libm::lgamma(x + 0.5) - libm::lgamma(x);
    }
    let y = 1.0 / x;
    let y2 = y * y;
    let series =
        -1.0 / 8.0 + y2 * (1.0 / 192.0 + y2 * (-1.0 / 640.0 + y2 * (17.0 / 14336.0 - y2 * 31.0 / 18432.0)));
    0.5 * x.ln() + y * series
}

/// Draws the logarithm of a gamma variable of this shape and scale 1. Its own value would underflow for a small shape.
///
/// Source: Marsaglia and Tsang, "A simple method for generating gamma variables" (2000); a shape below 1 by its section
/// 6, Γ(a) = Γ(a + 1)·U^(1/a).
pub(super) fn log_gamma_variate(random: &mut dyn Rng, shape: f64) -> f64 {
    if shape < 1.0 {
        let uniform: f64 = random.sample(Open01);
        return log_gamma_variate(random, shape + 1.0) + uniform.ln() / shape;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (3.0 * d.sqrt());
    loop {
        let mut normal = [0.0];
        StandardNormal::new(1).sample(random, &mut normal);
        // v = (1 + w)³, and 1 - v + ln v without the cancellation of 1.
        let w = c * normal[0];
        if w <= -1.0 {
            continue;
        }
        let log_v = 3.0 * w.ln_1p();
        let uniform: f64 = random.sample(Open01);
        if uniform.ln() < 0.5 * normal[0] * normal[0] + d * (log_v - w * (3.0 + w * (3.0 + w))) {
            return d.ln() + log_v;
        }
    }
}

/// Computes ln B(a, b) = ln Γ(a) + ln Γ(b) - ln Γ(a + b) for a, b > 0. For large arguments Stirling's formula is put in,
/// and its leading terms are taken together.
///
/// Source: DiDonato and Morris, "Algorithm 708: significant digit computation of the incomplete beta function ratios"
/// (1992).
pub(super) fn log_beta(a: f64, b: f64) -> f64 {
    let (a, b) = (a.min(b), a.max(b));
    if b < STIRLING {
        return libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    }
    let ratio = stirling_rest(b) - stirling_rest(a + b) - (b - 0.5) * (a / b).ln_1p();
    if a < STIRLING {
        return libm::lgamma(a) + ratio + a * (1.0 - (a + b).ln());
    }
    stirling_rest(a) + ratio - a * (b / a).ln_1p() - 0.5 * (a / TAU).ln()
}

/// From here on [`stirling_rest`] has all digits.
const STIRLING: f64 = 10.0;

/// Computes ln Γ(x) - (x - ½)·ln x + x - ½·ln 2π for x ≥ 10 (Abramowitz and Stegun, 6.1.41).
fn stirling_rest(x: f64) -> f64 {
    let y = 1.0 / x;
    let y2 = y * y;
    let high = 1.0 / 1260.0 + y2 * (-1.0 / 1680.0 + y2 * (1.0 / 1188.0 - y2 * 691.0 / 360_360.0));
    y * (1.0 / 12.0 + y2 * (-1.0 / 360.0 + y2 * high))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    #[test]
    fn the_series_and_the_difference_meet() {
        for x in [20.0, 25.0, 50.0] {
            let difference = libm::lgamma(x + 0.5) - libm::lgamma(x);
            assert!((log_gamma_half_step(x) - difference).abs() < 1e-13, "x = {x}");
        }
        // Γ(3/2)/Γ(1) = √π/2.
        assert!((log_gamma_half_step(1.0) - (0.5 * PI.sqrt()).ln()).abs() < 1e-15);
    }

    #[test]
    fn ln_beta_has_its_digits_for_any_arguments() {
        // With mpmath 1.3 at 50 digits.
        let right = [
            (1e-09, 3.0, 20.723265835446412),
            (0.5, 0.5, 1.1447298858494002),
            (2.5, 9.75, -5.588781695187211),
            (0.25, 40.0, 0.3681512477369046),
            (9.5, 10.5, -13.709925546998463),
            (12.0, 30.0, -25.27486496841981),
            (3.0, 1e9, -61.47665033327929),
            (1e8, 2.5e8, -209394364.12800574),
            (0.001, 1e12, 6.879547864267925),
            (1e15, 1e15, -1386294361119906.5),
        ];
        for (a, b, expected) in right {
            for found in [log_beta(a, b), log_beta(b, a)] {
                assert!((found / expected - 1.0).abs() < 4e-15, "ln B({a}, {b}): {found} for {expected}");
            }
        }
    }
}
