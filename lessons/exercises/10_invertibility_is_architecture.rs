//! Write this map so that no value of its parameter folds it.
//!
//!     cargo run --release -- check 10

use pushforward::prelude::*;

pub struct Wave;

impl Bijection for Wave {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let a = z.tape().parameter("a", Shape::Scalar, Init::Constant(0.2));
        z + a * (2.0 * z).sin() // todo
    }
}
