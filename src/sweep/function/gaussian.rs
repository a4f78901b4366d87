//! The normal distribution: the error function, Φ, its inverse, ln Φ, and the inverse Mills ratio φ/Φ with its derivatives.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, TAU};

use super::{NoInverse, Smoothness, called, lettered};
use crate::numeric::mills::{hazard, inverse_mills, upper_tail};
use crate::numeric::quantile::normal_quantile;
use crate::sweep::bound::{Bound, Bounds, End, Increasing, higher, lower};
use crate::sweep::limit::Limit;
use crate::sweep::partial::Partial::{self, By};
use crate::tape::Var;
use crate::typeset::{Function, Term, Written};

row! {
    /// erf a = 2/√π ∫₀ᵃ exp(-t²) dt
    Erf {
        value(a): a.erf(),
        derivative(a, _): By(FRAC_2_SQRT_PI * (-(a * a)).exp()),
        smoothness: Smoothness::Smooth,
        at_zero: Some(0.0),
        bound(a): ERF.of_signed(a),
        limit(_): Limit::Bounded,
        inverse(_, _): Err(NoInverse::Unknown),
        notation(a): called("erf", a),
    }
}

const ERF: Increasing = Increasing::new(libm::erf, (-1.0, 1.0), Increasing::ZERO_AT_ZERO);

row! {
    /// Φ(a)
    NormalCdf {
        value(a): F::of(normal_cdf(a.to_double())),
        // φ(a), so that its logarithm is an exponent.
        derivative(a, _): By((-0.5 * (a * a) - LN_SQRT_TAU).exp()),
        smoothness: Smoothness::Smooth,
        at_zero: Some(0.5),
        bound(a): NORMAL_CDF.of(a),
        limit(_): Limit::Bounded,
        inverse(y, _): Ok(y.normal_quantile()),
        notation(a): lettered("", 'Φ', "\\Phi", a),
    }
}

/// ½·ln 2π
const LN_SQRT_TAU: f64 = 0.918_938_533_204_672_7;

/// Trusted as ln Φ is.
const NORMAL_CDF: Increasing =
    Increasing { trust: LN_NORMAL_CDF.trust, ..Increasing::new(normal_cdf, (0.0, 1.0), Some((0.0, 0.5))) };

row! {
    /// Φ⁻¹(a)
    NormalQuantile {
        value(a): F::of(normal_quantile(a.to_double())),
        derivative(_, y): By((0.5 * (y * y) + LN_SQRT_TAU).exp()),
        smoothness: Smoothness::Smooth,
        at_zero: None,
        bound(a): {
            let inside = a.low.at > 0.0 || (a.low.at == 0.0 && a.low.open);
            let below = a.high.at < 1.0 || (a.high.at == 1.0 && a.high.open);
            let part = Bound { low: higher(a.low, End::open(0.0)), high: lower(a.high, End::open(1.0)), ..a };
            NORMAL_QUANTILE.of(part).with(false, a.defined && inside && below)
        },
        limit(_): Limit::Unknown,
        inverse(y, _): Ok(y.normal_cdf()),
        notation(a): Written::of(&Term::Call(&Function::normal_quantile(), vec![a])),
    }
}

/// Trusted as ln Φ is.
const NORMAL_QUANTILE: Increasing = Increasing {
    trust: LN_NORMAL_CDF.trust,
    ..Increasing::new(normal_quantile, Increasing::EVERYWHERE, Some((0.5, 0.0)))
};

row! {
    /// ln Φ(a)
    LnNormalCdf {
        value(a): F::of(ln_normal_cdf(a.to_double())),
        derivative(a, _): By(a.inverse_mills(0)),
        smoothness: Smoothness::Smooth,
        at_zero: None,
        bound(a): LN_NORMAL_CDF.of(a),
        limit(a): a.of_continuous(Limit::Down, Limit::Bounded),
        inverse(_, _): Err(NoInverse::Unknown),
        notation(a): lettered("ln", 'Φ', "\\Phi", a),
    }
}

/// Of several steps, some of which cancel a little: trusted to a part in 2³⁶.
const LN_NORMAL_CDF: Increasing = Increasing {
    trust: 1.0 / (1u64 << 36) as f64,
    ..Increasing::new(ln_normal_cdf, (f64::NEG_INFINITY, 0.0), None)
};

row! {
    /// The derivative of order n of φ(a)/Φ(a).
    InverseMills(n: u32) {
        value(a): F::of(inverse_mills(n, a.to_double())),
        derivative(a, _): By(a.inverse_mills(n + 1)),
        smoothness: Smoothness::Smooth,
        at_zero: None,
        // It falls from ∞ to 0 and is convex: its derivative rises from -1 to 0.
        bound(a): match n {
            0 | 2 => Bound::between(0.0, f64::INFINITY).with(false, a.defined),
            1 => Bound::between(-1.0, 0.0).with(false, a.defined),
            _ => Bound { defined: a.defined, ..Bound::REALS },
        },
        // Continuous, and with limits on both sides.
        limit(a): if n == 0 { a.of_continuous(Limit::Up, Limit::Bounded) } else { Limit::Bounded },
        inverse(_, _): Err(NoInverse::Unknown),
        notation(a): match n {
            0 => lettered("", 'φ', "\\varphi", a).over(&lettered("", 'Φ', "\\Phi", a)),
            n => Written::of(&Term::Call(&Function::inverse_mills(n), vec![a])),
        },
    }
}

/// From here on Φ is formed from the inverse Mills ratio.
const TAILS: f64 = 2.0;

/// Φ(a); from the inverse Mills ratio in the lower tail.
fn normal_cdf(a: f64) -> f64 {
    if a < -TAILS { upper_tail(-a) } else { 0.5 * libm::erfc(-a * FRAC_1_SQRT_2) }
}

/// ln Φ(a), Φ the distribution function of the standard normal.
///
/// In the tails by the inverse Mills ratio: there the argument of erfc, once rounded, would cost a² units.
fn ln_normal_cdf(a: f64) -> f64 {
    if a > TAILS {
        return (-upper_tail(a)).ln_1p();
    }
    if a < -TAILS {
        // Φ(a) = φ(a)/r(-a), and both logarithms are below 0.
        return -0.5 * a * a - (hazard(-a) * TAU.sqrt()).ln();
    }
    if a > 0.0 {
        return (-0.5 * libm::erfc(a * FRAC_1_SQRT_2)).ln_1p();
    }
    (0.5 * libm::erfc(-a * FRAC_1_SQRT_2)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ln_normal_cdf_has_no_seam_where_the_tails_begin() {
        for a in [TAILS, -TAILS] {
            for near in [a.next_up(), a.next_down()] {
                assert!((ln_normal_cdf(near) / ln_normal_cdf(a) - 1.0).abs() < 3e-15, "at {near}");
            }
        }
        assert_eq!(ln_normal_cdf(f64::NEG_INFINITY), f64::NEG_INFINITY);
        assert_eq!(ln_normal_cdf(f64::INFINITY), 0.0);
        assert!(ln_normal_cdf(f64::NAN).is_nan());
    }
}
