//! sin and cos; arctan and tan in half turns, so that the ends of their ranges are numbers.

use std::f64::consts::{FRAC_1_PI, PI};

use super::{NoInverse, Smoothness, called};
use crate::sweep::bound::{Bound, Bounds, End, Increasing, higher, lower};
use crate::sweep::limit::Limit;
use crate::sweep::partial::Partial::{self, By};
use crate::tape::Var;
use crate::typeset::{Product, Written};

row! {
    /// sin a
    Sin {
        value(a): a.sin(),
        derivative(a, _): By(a.cos()),
        smoothness: Smoothness::Smooth,
        at_zero: Some(0.0),
        bound(a): wave(a),
        limit(_): Limit::Bounded,
        inverse(_, _): Err(NoInverse::TwoToOne("a periodic function")),
        notation(a): called("sin", a),
    }
}

row! {
    /// cos a
    Cos {
        value(a): a.cos(),
        derivative(a, _): By(-a.sin()),
        smoothness: Smoothness::Smooth,
        at_zero: Some(1.0),
        bound(a): wave(a),
        limit(_): Limit::Bounded,
        inverse(_, _): Err(NoInverse::TwoToOne("a periodic function")),
        notation(a): called("cos", a),
    }
}

row! {
    /// arctan(a)/π
    AtanPi {
        value(a): F::of(atan_pi(a.to_double())),
        // 1/(π(1 + a²)); as a square of 1/√(1 + a²) nothing overflows.
        derivative(a, _): By(FRAC_1_PI * a.asinh_slope().powi(2)),
        smoothness: Smoothness::Smooth,
        at_zero: Some(0.0),
        bound(a): ATAN_PI.of_signed(a),
        limit(_): Limit::Bounded,
        inverse(y, _): Ok(y.tan_pi()),
        notation(a): called("arctan", a).over(&Written::number(PI)),
    }
}

const ATAN_PI: Increasing = Increasing::new(atan_pi, (-0.5, 0.5), Increasing::ZERO_AT_ZERO);

fn atan_pi(a: f64) -> f64 {
    a.atan() * FRAC_1_PI
}

row! {
    /// tan(π·a)
    TanPi {
        value(a): F::of(tan_pi(a.to_double())),
        derivative(_, y): By(PI * (1.0 + y * y)),
        smoothness: Smoothness::Smooth,
        at_zero: Some(0.0),
        bound(a): {
            let inside = a.low.at > -0.5 || (a.low.at == -0.5 && a.low.open);
            let below = a.high.at < 0.5 || (a.high.at == 0.5 && a.high.open);
            let part = Bound { low: higher(a.low, End::open(-0.5)), high: lower(a.high, End::open(0.5)), ..a };
            let bound = TAN_PI.of_signed(part);
            bound.with(bound.nonzero, a.defined && inside && below)
        },
        limit(_): Limit::Unknown,
        inverse(y, _): Ok(y.atan_pi()),
        notation(a): called("tan", &Written::number(PI).times(Product::Scalar, a)),
    }
}

const TAN_PI: Increasing = Increasing::new(tan_pi, Increasing::EVERYWHERE, Increasing::ZERO_AT_ZERO);

/// tan(πa), with the distance from the nearer end where a is near ±½; NaN beyond.
fn tan_pi(a: f64) -> f64 {
    if a.abs() > 0.5 {
        return f64::NAN;
    }
    if a.abs() <= 0.25 {
        return (PI * a).tan();
    }
    // 1/tan(π(½ - |a|)): the difference is exact.
    (PI * (0.5 - a.abs())).tan().recip().copysign(a)
}

fn wave(a: Bound) -> Bound {
    Bound { nonzero: false, defined: a.defined, ..Bound::closed(-1.0, 1.0) }
}
