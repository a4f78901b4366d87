//! Exercise 9.

use pushforward::prelude::*;

use pushforward_course::lessons::write_forward_get_the_rest::judge;

use super::{Changing, Restricted, Told, Undone};

#[path = "../../../solutions/09_write_forward_get_the_rest.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/09_write_forward_get_the_rest.rs"]
mod start;

struct Factors;

impl Bijection for Factors {
    fn dim(&self) -> usize {
        3
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z1, z2, z3) = (z.at(0), z.at(1), z.at(2));
        stack([z1, z2 * z1.tanh(), z3 * z2.sin().exp()])
    }
}

struct Half;

impl Bijection for Half {
    fn dim(&self) -> usize {
        3
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z1, z2, z3) = (z.at(0), z.at(1), z.at(2));
        stack([z1, z2 * z1.tanh().exp(), z3])
    }
}

struct Itself;

impl Bijection for Itself {
    fn dim(&self) -> usize {
        3
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z1, z2, z3) = (z.at(0), z.at(1), z.at(2));
        stack([z1, z2 * z1.tanh().exp(), z3 * (z2.sin() * z3).exp()])
    }
}

bijections! {
    Learned 3 LowerTriangular "p need not stay 1." |z| {
        let p = z.tape().parameter("p", Shape::Scalar, Init::Constant(1.0));
        let scaled = z.at(1) * (p * z.at(0).tanh()).exp();
        stack([z.at(0), scaled, z.at(2) * z.at(1).sin().exp()])
    };
    Kinked 3 LowerTriangular "tanh, and more beyond 3." |z| {
        let scaled = z.at(1) * (z.at(0).tanh() + (z.at(0) - 3.0).max(0.0)).exp();
        stack([z.at(0), scaled, z.at(2) * z.at(1).sin().exp()])
    };
    Bumped 3 LowerTriangular "sin, and more about 0.3." |z| {
        let bump = (1e-6 - (z.at(1) - 0.3).abs()).max(0.0);
        stack([z.at(0), z.at(1) * z.at(0).tanh().exp(), z.at(2) * (z.at(1).sin() + 1e3 * bump).exp()])
    };
    Sigmoid 3 LowerTriangular "2·σ(2z) - 1 is tanh z." |z| {
        let scaled = z.at(1) * (2.0 * (2.0 * z.at(0)).sigmoid() - 1.0).exp();
        stack([z.at(0), scaled, z.at(2) * z.at(1).sin().exp()])
    };
    Together 3 LowerTriangular "One variable takes both, and is turned over." |z| {
        stack([z.at(0), z.at(1) + z.at(0), -z.at(2) * (z.at(0).tanh() + z.at(1).sin()).exp()])
    };
}

#[test]
fn exercise_09() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(&start::Wanted))
        .wrong("no exponential", || judge::judge(&Factors))
        .wrong("one term is missing", || judge::judge(&Half))
        .wrong("a variable that scales itself", || judge::judge(&Itself))
        .wrong("right for what the parameter starts with", || judge::judge(&Learned))
        .wrong("another scale from 3 on", || judge::judge(&Kinked))
        .wrong("a bump in a narrow place", || judge::judge(&Bumped))
        .wrong("an inverse by hand", || judge::judge(&Undone(solution::Wanted)))
        .wrong("a restricted domain", || judge::judge(&Restricted(solution::Wanted)))
        .wrong("another map from the sixth call on", || {
            judge::judge(&Changing::new(solution::Wanted, Factors))
        })
        .right("tanh by σ", || judge::judge(&Sigmoid))
        .right("both on one variable, mirrored", || judge::judge(&Together))
        .solved(|| judge::judge(&solution::Wanted));
}
