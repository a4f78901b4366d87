//! Exercise 10.

use pushforward::prelude::*;

use pushforward_course::lessons::invertibility_is_architecture::judge;

use super::Told;

#[path = "../../../solutions/10_invertibility_is_architecture.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/10_invertibility_is_architecture.rs"]
mod start;

struct Bounded;

impl Bijection for Bounded {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let a = z.tape().parameter("a", Shape::Scalar, Init::Constant(0.2));
        z + a.tanh() * (2.0 * z).sin()
    }
}

struct Fixed;

impl Bijection for Fixed {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z + 0.2 * (2.0 * z).sin()
    }
}

struct Idle;

impl Bijection for Idle {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let a = z.tape().parameter("a", Shape::Scalar, Init::Constant(0.2));
        z + 0.3 * (2.0 * z).sin() + 0.0 * a
    }
}

struct Straight;

impl Bijection for Straight {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let a = z.tape().parameter("a", Shape::Scalar, Init::Constant(0.2));
        z * a.exp()
    }
}

fn a(z: Var<'_>) -> Var<'_> {
    z.tape().parameter("a", Shape::Scalar, Init::Constant(0.2))
}

bijections! {
    Slow 1 Diagonal "|a| above 5 folds it." |z| z + 0.1 * a(z) * (2.0 * z).sin();
    OneSided 1 Diagonal "a below -1/2 folds it." |z| z + a(z).min(0.4) * (2.0 * z).sin();
    Rooted 1 Diagonal "√a has no value below 0." |z| z + (a(z).sqrt().tanh() / 2.0) * (2.0 * z).sin();
    Other 1 Diagonal "Another frequency." |z| z + (a(z).tanh() / 3.0) * (3.0 * z).sin();
    Steep 1 Diagonal "2z + 3·sin(2z) folds." |z| 2.0 * z + 15.0 * a(z) * (2.0 * z).sin();
    Quotient 1 Diagonal "a/(1 + a²) lies in [-1/2, 1/2]." |z| z + a(z) / (1.0 + a(z).powi(2)) * (2.0 * z).sin();
    Product 1 Diagonal "sin z·cos z is half of sin 2z." |z| z + a(z).tanh() * z.sin() * z.cos();
    Sigmoid 1 Diagonal "σ - 1/2 lies in (-1/2, 1/2)." |z| z + (a(z).sigmoid() - 0.5) * (2.0 * z).sin();
}

#[test]
fn exercise_10() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(&start::Wave))
        .wrong("bounded, but too far out", || judge::judge(&Bounded))
        .wrong("nothing to learn", || judge::judge(&Fixed))
        .wrong("a parameter without a part", || judge::judge(&Idle))
        .wrong("no wave", || judge::judge(&Straight))
        .wrong("folds for large parameters only", || judge::judge(&Slow))
        .wrong("bounded on one side", || judge::judge(&OneSided))
        .wrong("not defined for every parameter", || judge::judge(&Rooted))
        .wrong("another wave", || judge::judge(&Other))
        .wrong("an amount of 3 on a steeper line", || judge::judge(&Steep))
        .right("a/(1 + a²)", || judge::judge(&Quotient))
        .right("by sin z·cos z", || judge::judge(&Product))
        .right("by σ", || judge::judge(&Sigmoid))
        .solved(|| judge::judge(&solution::Wave));
}
