//! eᵃ and ln a, each also without cancellation near 0; the logistic function and the softplus.

use super::{NoInverse, Smoothness, called, lettered};
use crate::sweep::bound::{Bound, Bounds, End, Increasing, higher};
use crate::sweep::limit::Limit;
use crate::sweep::partial::Partial::{self, By};
use crate::tape::Var;
use crate::typeset::{Term, Written};

row! {
    /// eᵃ
    Exp {
        value(a): a.exp(),
        derivative(_, y): By(y),
        smoothness: Smoothness::Smooth,
        at_zero: Some(1.0),
        bound(a): EXP.of(a),
        limit(a): a.of_continuous(Limit::Bounded, Limit::Up),
        inverse(y, _): Ok(y.ln()),
        notation(a): Written::of(&Term::Exponential(a)),
    }
}

/// eᵃ
pub(in crate::sweep) const EXP: Increasing =
    Increasing::new(f64::exp, (0.0, f64::INFINITY), Some((0.0, 1.0)));

row! {
    /// ln a
    Ln {
        value(a): a.ln(),
        derivative(a, _): By(a.recip()),
        smoothness: Smoothness::Smooth,
        at_zero: None,
        bound(a): ln(a),
        limit(a): a.only_upwards(),
        inverse(y, _): Ok(y.exp()),
        notation(a): called("ln", a),
    }
}

/// ln a for a > 0.
pub(in crate::sweep) const LN: Increasing =
    Increasing::new(f64::ln, Increasing::EVERYWHERE, Some((1.0, 0.0)));

fn ln(a: Bound) -> Bound {
    let inside = Bound { low: higher(a.low, End::open(0.0)), ..a };
    let defined = a.defined && a.is_positive();
    LN.of(inside).with(false, defined)
}

row! {
    /// eᵃ - 1
    ExpM1 {
        value(a): a.exp_m1(),
        derivative(a, _): By(a.exp()),
        smoothness: Smoothness::Smooth,
        at_zero: Some(0.0),
        bound(a): EXP_M1.of_signed(a),
        limit(a): a.of_continuous(Limit::Bounded, Limit::Up),
        inverse(y, _): Ok(y.ln_1p()),
        notation(a): a.exponential_less_one(),
    }
}

const EXP_M1: Increasing = Increasing::new(f64::exp_m1, (-1.0, f64::INFINITY), Increasing::ZERO_AT_ZERO);

row! {
    /// ln(1 + a)
    Ln1p {
        value(a): a.ln_1p(),
        derivative(a, _): By((1.0 + a).recip()),
        smoothness: Smoothness::Smooth,
        at_zero: Some(0.0),
        bound(a): ln_1p(a),
        limit(a): a.only_upwards(),
        inverse(y, _): Ok(y.exp_m1()),
        notation(a): a.log_one_plus(),
    }
}

const LN_1P: Increasing = Increasing::new(f64::ln_1p, Increasing::EVERYWHERE, Increasing::ZERO_AT_ZERO);

fn ln_1p(a: Bound) -> Bound {
    let inside = Bound { low: higher(a.low, End::open(-1.0)), ..a };
    let defined = a.defined && (a.low.at > -1.0 || (a.low.at == -1.0 && a.low.open));
    LN_1P.of_signed(inside).with(false, defined)
}

row! {
    /// σ(a) = 1/(1 + e⁻ᵃ)
    Sigmoid {
        // e⁻ᵃ overflows to ∞ for very negative a, and 1/∞ is the right 0; for a > 0 nothing cancels.
        value(a): if a >= F::zero() {
            (F::one() + (-a).exp()).recip()
        } else {
            // eᵃ/(1 + eᵃ) keeps the digits of the tail, down to the subnormals.
            let e = a.exp();
            e / (F::one() + e)
        },
        // σ(a)·σ(-a), not y·(1 - y): that cancels where σ is near 1.
        derivative(a, y): By(y * (-a).sigmoid()),
        smoothness: Smoothness::Smooth,
        at_zero: None,
        bound(a): SIGMOID.of(a),
        limit(_): Limit::Bounded,
        inverse(y, _): Ok(y.ln() - (-y).ln_1p()),
        notation(a): lettered("", 'σ', "\\sigma", a),
    }
}

const SIGMOID: Increasing = Increasing::new(|a| 1.0 / (1.0 + (-a).exp()), (0.0, 1.0), Some((0.0, 0.5)));

row! {
    /// ln(1 + eᵃ) = max(a, 0) + ln(1 + e^-|a|)
    Softplus {
        value(a): if a.is_nan() { a } else { a.max(F::zero()) + (-a.abs()).exp().ln_1p() },
        derivative(a, _): By(a.sigmoid()),
        smoothness: Smoothness::Smooth,
        at_zero: None,
        bound(a): SOFTPLUS.of(a),
        limit(a): a.of_continuous(Limit::Bounded, Limit::Up),
        inverse(y, _): Ok(y + (-(-y).exp_m1()).ln()),
        notation(a): called("softplus", a),
    }
}

const SOFTPLUS: Increasing =
    Increasing::new(|a| a.max(0.0) + (-a.abs()).exp().ln_1p(), (0.0, f64::INFINITY), None);
