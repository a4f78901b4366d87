//! Maps whose variables meet in one number: x = s⊙z + û·h(wᵀz + b), as planar flows.

use pushforward::prelude::*;

use super::line::scale;
use crate::random_programs::Chooser;

#[derive(Clone, Debug)]
pub struct Meeting {
    d: usize,
    kind: Kind,
    /// The factor before each variable.
    scales: Vec<f64>,
    /// Before wᵀz.
    strength: f64,
    declared: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    // Bijections for all parameters.
    /// wᵀû = softplus(wᵀu) - 1, and û = u for w = 0.
    Constrained,
    /// û = w
    Along,
    /// û = softplus(q)·w/(1 + wᵀw)
    AlongAndDamped,
    // Not, for some.
    /// û = u
    Free,
    /// û = -w
    Against,
    /// wᵀû = softplus(wᵀu) - 1 - margin
    TooFar,
    /// wᵀû = softplus(wᵀu) - 1, divided by wᵀw where that is 0.
    Unguarded,
    /// û = u where wᵀw ≤ 1
    GuardedTooOften,
    /// The guard asks wᵀv, which is no sum of squares.
    GuardOfAnother,
    /// The guard of û = (…)·w/wᵀw takes another u where w = 0, which is right, and doubles u elsewhere.
    Doubled,
    /// cos instead of tanh
    Wave,
    /// Own parts softplus(z), which are not onto.
    Short,
}

const RIGHT: [Kind; 3] = [Kind::Constrained, Kind::Along, Kind::AlongAndDamped];
const WRONG: [Kind; 9] = [
    Kind::Free,
    Kind::Against,
    Kind::TooFar,
    Kind::Unguarded,
    Kind::GuardedTooOften,
    Kind::GuardOfAnother,
    Kind::Doubled,
    Kind::Wave,
    Kind::Short,
];

impl Meeting {
    pub fn any(is_right: bool, choose: &mut Chooser) -> Meeting {
        let d = 2 + choose.below(3);
        let kind = if is_right { choose.pick(&RIGHT) } else { choose.pick(&WRONG) };
        // With factors, û is not constrained by wᵀû any more.
        let constrained = !matches!(kind, Kind::Along | Kind::AlongAndDamped);
        let one = constrained || choose.chance(0.5);
        let scales = (0..d).map(|_| if one { 1.0 } else { scale(choose).clamp(0.01, 100.0) }).collect();
        let strength = if constrained { 1.0 } else { scale(choose).clamp(0.01, 100.0) };
        Meeting { d, kind, scales, strength, declared: choose.chance(0.5) }
    }

    pub fn is_right(&self) -> bool {
        RIGHT.contains(&self.kind)
    }

    /// One-to-one but not onto.
    pub fn is_short(&self) -> bool {
        self.kind == Kind::Short
    }

    /// Not a number for w = 0.
    pub fn is_undefined(&self) -> bool {
        self.kind == Kind::Unguarded
    }
}

impl Bijection for Meeting {
    fn dim(&self) -> usize {
        self.d
    }

    fn structure(&self) -> Structure {
        if self.declared { Structure::LowRank { rank: 1 } } else { Structure::Dense }
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (tape, d) = (z.tape(), self.d);
        let vector = |name: &str, start: f64| {
            tape.parameter(
                name,
                Shape::Vector(d),
                Init::Values((0..d).map(|k| start + 0.1 * k as f64).collect()),
            )
        };
        let (w, u) = (vector("w", 0.3), vector("u", 0.2));
        let b = tape.parameter("b", Shape::Scalar, Init::Constant(0.1));
        let own = if self.kind == Kind::Short { z.softplus() } else { z };
        let (along, square) = (w.dot(u), w.dot(w));
        let turned = |wanted: Var<'t>, below: Var<'t>| u + ((wanted - along) / below) * w;
        let guarded =
            |wanted: Var<'t>, by: Var<'t>| u + select(by.le(0.0), 0.0, (wanted - along) / square) * w;
        let wanted = along.softplus() - 1.0;
        let direction = match self.kind {
            Kind::Constrained | Kind::Wave => guarded(wanted, square),
            Kind::Along | Kind::Short => w,
            Kind::AlongAndDamped => {
                let q = tape.parameter("q", Shape::Scalar, Init::Constant(0.5));
                (q.softplus() / (1.0 + square)) * w
            }
            Kind::Free => u,
            Kind::Against => -w,
            Kind::TooFar => guarded(wanted - 0.25, square),
            Kind::Unguarded => turned(wanted, square),
            Kind::GuardedTooOften => guarded(wanted, square - 1.0),
            Kind::GuardOfAnother => guarded(wanted, w.dot(vector("v", -0.2))),
            Kind::Doubled => 2.0 * guarded(wanted, square),
        };
        let inside = self.strength * w.dot(own) + b;
        let met = if self.kind == Kind::Wave { 3.0 * inside.cos() } else { inside.tanh() };
        tape.vector(&self.scales) * own + met * direction
    }
}
