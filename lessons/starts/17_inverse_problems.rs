//! θ is standard normal, x₁ = θ + noise of variance 1/2, x₂ = 2θ + noise of variance 1. Write θ = f(z; x), such that θ
//! has the density p(θ | x) when z is standard normal.
//!
//!     cargo run --release -- check 17

use pushforward::prelude::*;

pub struct Posterior;

impl Bijection for Posterior {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let x = z.tape().context(2);
        let (x1, x2) = (x.at(0), x.at(1));
        z // todo: this is the prior, whatever x1 and x2 are
    }
}
