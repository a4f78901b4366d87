//! tanh, sinh, cosh and asinh, and the slopes of tanh and asinh as functions of their own, since nothing cancels or
//! overflows in them.

use super::algebraic::square_root;
use super::{NoInverse, Smoothness, called};
use crate::sweep::bound::{Bound, Bounds, Increasing, absolute, power, product, reciprocal, sum};
use crate::sweep::limit::Limit;
use crate::sweep::partial::Partial::{self, By};
use crate::tape::Var;
use crate::typeset::{Term, Written};

row! {
    /// tanh a
    Tanh {
        value(a): a.tanh(),
        // Not 1 - y²: that cancels where y is near ±1, and is 0 from a = 19.06 on.
        derivative(a, _): By(a.sech_squared()),
        smoothness: Smoothness::Smooth,
        at_zero: Some(0.0),
        bound(a): TANH.of_signed(a),
        limit(_): Limit::Bounded,
        inverse(y, _): Ok(0.5 * (y.ln_1p() - (-y).ln_1p())),
        notation(a): called("tanh", a),
    }
}

const TANH: Increasing = Increasing::new(f64::tanh, (-1.0, 1.0), Increasing::ZERO_AT_ZERO);

row! {
    /// 1/cosh² a
    SechSquared {
        value(a): F::of(sech_squared(a.to_double())),
        derivative(a, y): By(-2.0 * (a.tanh() * y)),
        smoothness: Smoothness::Smooth,
        at_zero: Some(1.0),
        // It falls with |a| from 1 at 0.
        bound(a): {
            let cosh = cosh(a);
            reciprocal(product(cosh, cosh))
        },
        limit(_): Limit::Bounded,
        inverse(_, _): Err(NoInverse::TwoToOne("an even function")),
        notation(a): Written::of(&Term::Power(&called("sech", a), 2)),
    }
}

row! {
    /// sinh a
    Sinh {
        value(a): a.sinh(),
        derivative(a, _): By(a.cosh()),
        smoothness: Smoothness::Smooth,
        at_zero: Some(0.0),
        bound(a): SINH.of_signed(a),
        limit(a): a.of_continuous(Limit::Down, Limit::Up),
        inverse(y, _): Ok(y.asinh()),
        notation(a): called("sinh", a),
    }
}

const SINH: Increasing = Increasing::new(f64::sinh, Increasing::EVERYWHERE, Increasing::ZERO_AT_ZERO);

row! {
    /// cosh a
    Cosh {
        value(a): a.cosh(),
        derivative(a, _): By(a.sinh()),
        smoothness: Smoothness::Smooth,
        at_zero: Some(1.0),
        bound(a): cosh(a),
        limit(a): a.of_continuous(Limit::Up, Limit::Up),
        inverse(_, _): Err(NoInverse::TwoToOne("an even function")),
        notation(a): called("cosh", a),
    }
}

/// On [0, ∞).
const COSH: Increasing = Increasing::new(f64::cosh, (1.0, f64::INFINITY), Some((0.0, 1.0)));

fn cosh(a: Bound) -> Bound {
    let bound = COSH.of(absolute(a));
    bound.with(true, a.defined)
}

row! {
    /// asinh a
    Asinh {
        value(a): F::of(libm::asinh(a.to_double())),
        // Neither 1/√(1 + a²) as it stands, where a² overflows, nor 1/cosh y, which has y units of error.
        derivative(a, _): By(a.asinh_slope()),
        smoothness: Smoothness::Smooth,
        at_zero: Some(0.0),
        bound(a): ASINH.of_signed(a),
        limit(a): a.of_continuous(Limit::Down, Limit::Up),
        inverse(y, _): Ok(y.sinh()),
        notation(a): called("asinh", a),
    }
}

const ASINH: Increasing = Increasing::new(libm::asinh, Increasing::EVERYWHERE, Increasing::ZERO_AT_ZERO);

row! {
    /// 1/√(1 + a²)
    AsinhSlope {
        value(a): F::of(asinh_slope(a.to_double())),
        // -a·y³, of which neither part overflows.
        derivative(a, y): By(-((a * y) * (y * y))),
        smoothness: Smoothness::Smooth,
        at_zero: None,
        bound(a): reciprocal(square_root(sum(Bound::closed(1.0, 1.0), power(a, 2)))),
        limit(_): Limit::Bounded,
        inverse(_, _): Err(NoInverse::TwoToOne("an even function")),
        notation(a): {
            let square = Written::of(&Term::Power(a, 2));
            Written::of(&Term::Root(&Written::number(1.0).plus(&square))).reciprocal()
        },
    }
}

/// From here on 1 + exp(-2a) is 1.
const FAR_FROM_1: f64 = 20.0;

/// 1/cosh² a: q·(2 - q) with q = 1 - tanh |a| = 2e/(1 + e), e = exp(-2|a|); nothing cancels.
fn sech_squared(a: f64) -> f64 {
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

/// 1/√(1 + a²), where a² overflows as well.
fn asinh_slope(a: f64) -> f64 {
    let m = a.abs();
    if m > 1.0 {
        let inverse = m.recip();
        return inverse / (1.0 + inverse * inverse).sqrt();
    }
    (1.0 + m * m).sqrt().recip()
}
