//! Write a layer of three variables with ln|det J| = tanh z₁ + sin z₂.
//!
//!     cargo run --release -- check 9

use pushforward::prelude::*;

pub struct Wanted;

impl Bijection for Wanted {
    fn dim(&self) -> usize {
        3
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z1, z2, z3) = (z.at(0), z.at(1), z.at(2));
        let x2 = z2 * z1.tanh().exp();
        let x3 = z3 * z2.sin().exp();
        stack([z1, x2, x3])
    }
}
