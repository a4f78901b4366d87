//! Exercise 9.

use pushforward::prelude::*;

use super::Told;

#[path = "../../lessons/judges/09_write_forward_get_the_rest.rs"]
mod judge;
#[path = "../../lessons/solutions/09_write_forward_get_the_rest.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../lessons/starts/09_write_forward_get_the_rest.rs"]
mod start;

pub use judge::EXERCISE;

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

#[test]
fn exercise_09() {
    Told::of(EXERCISE)
        .wrong("the starting file", || judge::judge(&start::Wanted))
        .wrong("no exponential", || judge::judge(&Factors))
        .wrong("one term is missing", || judge::judge(&Half))
        .wrong("a variable that scales itself", || judge::judge(&Itself))
        .solved(|| judge::judge(&solution::Wanted));
}
