//! A linear layer of three variables that mixes all of them, and keeps volume whatever is learned: ln|det W| = 0.
//!
//!     cargo run --release -- check 22

use pushforward::prelude::*;

pub struct Mix;

impl Bijection for Mix {
    fn dim(&self) -> usize {
        3
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let tape = z.tape();
        let [a, b] = ["a", "b"].map(|name| tape.parameter(name, Shape::Matrix(3, 3), Init::Constant(0.1)));
        let lower = a * tape.mask(3, 3, |i, j| j < i) + tape.identity(3);
        let upper = b * tape.mask(3, 3, |i, j| j > i) + tape.identity(3);
        lower.matvec(upper.matvec(z))
    }
}
