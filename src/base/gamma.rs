//! Ratios of Γ functions without the cancellation of two large logarithms, and gamma variates.

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
}
