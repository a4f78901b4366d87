//! x = z + g(z), one-to-one for all weights, and everything depends on everything.
//!
//!     cargo run --release -- check 23

use pushforward::prelude::*;

pub struct Step;

impl Bijection for Step {
    fn dim(&self) -> usize {
        2
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let tape = z.tape();
        let w = tape.parameter("W", Shape::Matrix(2, 2), Init::Values(vec![0.5, 0.2, -0.3, 0.4]));
        let b = tape.parameter("b", Shape::Vector(2), Init::Constant(0.0));
        z + (w.matvec(z) + b).tanh() // todo: W may be any matrix, and some fold the plane
    }
}
