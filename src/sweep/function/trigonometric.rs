//! sin and cos.

use super::{NoInverse, Smoothness, called};
use crate::sweep::bound::{Bound, Bounds};
use crate::sweep::limit::Limit;
use crate::sweep::partial::Partial::{self, By};
use crate::tape::Var;
use crate::typeset::Written;

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

fn wave(a: Bound) -> Bound {
    Bound { nonzero: false, defined: a.defined, ..Bound::closed(-1.0, 1.0) }
}
