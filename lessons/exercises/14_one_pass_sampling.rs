//! A walk of eight steps: x₁ = z₁, and xᵢ = xᵢ₋₁/2 + zᵢ after it. Write a bijection of the same density in which no x
//! waits for another x.
//!
//!     cargo run --release -- check 14

use pushforward::prelude::*;

pub struct Walk;

impl Bijection for Walk {
    fn dim(&self) -> usize {
        8
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        // todo: as it stands, each x waits for the one before.
        let mut x = vec![z.at(0)];
        for i in 1..8 {
            x.push(0.5 * x[i - 1] + z.at(i));
        }
        stack(x)
    }
}
