//! Exercise 10.

use pushforward::prelude::*;

use super::Told;

#[path = "../../lessons/judges/10_invertibility_is_architecture.rs"]
mod judge;
#[path = "../../lessons/solutions/10_invertibility_is_architecture.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../lessons/starts/10_invertibility_is_architecture.rs"]
mod start;

pub use judge::EXERCISE;

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

#[test]
fn exercise_10() {
    Told::of(EXERCISE)
        .wrong("the starting file", || judge::judge(&start::Wave))
        .wrong("bounded, but too far out", || judge::judge(&Bounded))
        .wrong("nothing to learn", || judge::judge(&Fixed))
        .wrong("a parameter without a part", || judge::judge(&Idle))
        .wrong("no wave", || judge::judge(&Straight))
        .solved(|| judge::judge(&solution::Wave));
}
