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
        let weight = |i: usize, j: usize| if j <= i { 0.5f64.powi((i - j) as i32) } else { 0.0 };
        let weights: Vec<f64> = (0..64).map(|k| weight(k / 8, k % 8)).collect();
        z.tape().matrix(8, 8, &weights).matvec(z)
    }
}
