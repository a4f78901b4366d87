//! Exercise 7.

use pushforward::prelude::*;

use pushforward_course::lessons::triangular_is_cheap::judge;

use super::{Changing, Layered, Restricted, Told};

#[path = "../../../solutions/07_triangular_is_cheap.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/07_triangular_is_cheap.rs"]
mod start;

struct Dull;

impl Bijection for Dull {
    fn dim(&self) -> usize {
        3
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        stack([2.0 * z.at(0), 2.0 * z.at(1), 2.0 * z.at(2)])
    }
}

struct Cancelled;

impl Bijection for Cancelled {
    fn dim(&self) -> usize {
        3
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z0, z1, z2) = (z.at(0), z.at(1), z.at(2));
        stack([z0 + z2 - z2, z1 + z0, z2 + z0 * z1])
    }
}

struct Undeclared;

impl Bijection for Undeclared {
    fn dim(&self) -> usize {
        3
    }
    fn structure(&self) -> Structure {
        Structure::Dense
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z0, z1, z2) = (z.at(0), z.at(1), z.at(2));
        stack([z0, z1 + z0, z2 + z0 * z1])
    }
}

struct Forgotten;

impl Bijection for Forgotten {
    fn dim(&self) -> usize {
        3
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z0, z1, z2) = (z.at(0), z.at(1), z.at(2));
        stack([z0, z0.exp(), z2 + z0 * z1])
    }
}

/// The lines of x1 and x2 as they were given.
fn with<'t>(x0: Var<'t>, x1: Var<'t>, z: Var<'t>) -> Var<'t> {
    let (z0, z1, z2) = (z.at(0), z.at(1), z.at(2));
    stack([x0, x1, z2 * (z0 * z1).tanh().exp() + z1])
}

bijections! {
    FlatFarOut 3 LowerTriangular "Constant from 12 on." |z| with(z.at(0).min(12.0), z.at(1) + z.at(0), z);
    NotDefined 3 LowerTriangular "No number from 15 on." |z| with((15.0 - z.at(0)).sqrt(), z.at(1) + z.at(0), z);
    Nothing 3 LowerTriangular "z0 - z0 is no dependence." |z| with(z.at(0), z.at(1) + (z.at(0) - z.at(0)), z);
    Learned 3 LowerTriangular "s may become 0." |z| {
        let s = z.tape().parameter("s", Shape::Scalar, Init::Constant(1.0));
        with(s * z.at(0), z.at(1) + z.at(0), z)
    };
    Cubed 3 LowerTriangular "Rises, though not by one operation." |z| {
        with(z.at(0) + z.at(0).powi(3), z.at(1) * z.at(0).sin().exp() + z.at(0), z)
    };
    Falling 3 LowerTriangular "Falls, as it may." |z| {
        with(-z.at(0).sinh(), 3.0 * z.at(1) - z.at(0).max(0.0), z)
    };
}

#[test]
fn exercise_07() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(&start::Looking))
        .wrong("too much is dropped", || judge::judge(&Dull))
        .wrong("a path that carries nothing", || judge::judge(&Cancelled))
        .wrong("nothing is declared", || judge::judge(&Undeclared))
        .wrong("a variable is lost", || judge::judge(&Forgotten))
        .wrong("flat far out", || judge::judge(&FlatFarOut))
        .wrong("not defined far out", || judge::judge(&NotDefined))
        .wrong("a path that carries nothing, back", || judge::judge(&Nothing))
        .wrong("a parameter for the scale", || judge::judge(&Learned))
        .wrong("a restricted domain", || judge::judge(&Restricted(FlatFarOut)))
        .wrong("another map from the sixth call on", || {
            judge::judge(&Changing::new(solution::Looking, start::Looking))
        })
        .wrong("layers that are another map", || {
            judge::judge(&Layered { forward: start::Looking, layers: vec![Box::new(solution::Looking)] })
        })
        .right("a cube beside it", || judge::judge(&Cubed))
        .right("falling", || judge::judge(&Falling))
        .solved(|| judge::judge(&solution::Looking));
}
