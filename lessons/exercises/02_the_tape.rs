//! y = exp(z₁·z₂) + z₁·sin z₂. Write ∂y/∂z₁ and ∂y/∂z₂ by hand.
//!
//!     cargo run --release -- check 2

use pushforward::prelude::*;

pub fn gradient(z: Var<'_>) -> Var<'_> {
    let (z1, z2) = (z.at(0), z.at(1));
    let by_z1 = todo!("a formula in z1 and z2");
    let by_z2 = todo!("another");
    stack([by_z1, by_z2])
}
