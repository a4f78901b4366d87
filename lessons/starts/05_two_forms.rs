//! f is x₁ = exp(z₁), x₂ = z₂·exp(z₁). Write ln|det J| of f⁻¹, as a formula in x.
//!
//!     cargo run --release -- check 5

use pushforward::prelude::*;

pub fn log_det_inverse(x: Var<'_>) -> Var<'_> {
    todo!("a scalar that is made of x.at(0) and x.at(1)")
}
