//! Exercise 7.

use pushforward::prelude::*;

use super::Told;

#[path = "../../lessons/judges/07_triangular_is_cheap.rs"]
mod judge;
#[path = "../../lessons/solutions/07_triangular_is_cheap.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../lessons/starts/07_triangular_is_cheap.rs"]
mod start;

pub use judge::EXERCISE;

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

#[test]
fn exercise_07() {
    Told::of(EXERCISE)
        .wrong("the starting file", || judge::judge(&start::Looking))
        .wrong("too much is dropped", || judge::judge(&Dull))
        .wrong("a path that carries nothing", || judge::judge(&Cancelled))
        .wrong("nothing is declared", || judge::judge(&Undeclared))
        .wrong("a variable is lost", || judge::judge(&Forgotten))
        .solved(|| judge::judge(&solution::Looking));
}
