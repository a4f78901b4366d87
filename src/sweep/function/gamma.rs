//! ln Γ and its derivatives, the polygamma functions.

use super::{NoInverse, Smoothness, lettered};
use crate::sweep::bound::{Bound, Bounds, End};
use crate::sweep::limit::Limit;
use crate::sweep::partial::Partial::{self, By};
use crate::tape::Var;
use crate::typeset::{Function, Term, Written};

row! {
    /// ln Γ(a)
    LnGamma {
        value(a): F::of(ln_gamma(a.to_double())),
        derivative(a, _): By(a.polygamma(0)),
        smoothness: Smoothness::Smooth,
        at_zero: None,
        // The least value of ln Γ on (0, ∞) is -0.12148629053584960…, at 1.4616…
        bound(a): Bound::of(End::closed(-0.121_486_290_535_849_7), End::open(f64::INFINITY))
            .with(false, a.defined && a.is_positive()),
        limit(a): a.only_upwards(),
        inverse(_, _): Err(NoInverse::Unknown),
        notation(a): lettered("ln", 'Γ', "\\Gamma", a),
    }
}

row! {
    /// The derivative of order n + 1 of ln Γ(a).
    Polygamma(n: u32) {
        value(a): F::of(polygamma(n, a.to_double())),
        derivative(a, _): By(a.polygamma(n + 1)),
        smoothness: Smoothness::Smooth,
        at_zero: None,
        // Above order 0 (-1)ⁿ⁺¹ times it falls from ∞ to 0.
        bound(a): match n {
            0 => Bound::REALS,
            n if n % 2 == 1 => Bound::between(0.0, f64::INFINITY),
            _ => Bound::between(f64::NEG_INFINITY, 0.0),
        }
        .with(false, a.defined && a.is_positive()),
        limit(_): Limit::Unknown,
        inverse(_, _): Err(NoInverse::Unknown),
        notation(a): Written::of(&Term::Call(&Function::polygamma(n), vec![a])),
    }
}

/// ln Γ(a) for a > 0; NaN where a < 0, ∞ at 0.
fn ln_gamma(a: f64) -> f64 {
    if a < 0.0 { f64::NAN } else { libm::lgamma(a) }
}

/// ψ⁽ⁿ⁾(a), the derivative of order n + 1 of ln Γ(a), for a > 0; NaN elsewhere.
///
/// Upwards by ψ⁽ⁿ⁾(a) = ψ⁽ⁿ⁾(a + 1) - (-1)ⁿ n!/aⁿ⁺¹ until the asymptotic series holds.
///
/// Source: Abramowitz and Stegun (1964), 6.3.18, 6.4.6 and 6.4.11.
fn polygamma(n: u32, a: f64) -> f64 {
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
    use std::f64::consts::PI;

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
    fn outside_of_their_domains_they_are_not_numbers() {
        assert!(ln_gamma(-0.5).is_nan());
        assert_eq!(ln_gamma(0.0), f64::INFINITY);
        assert!(polygamma(0, 0.0).is_nan() && polygamma(1, -1.5).is_nan());
    }
}
