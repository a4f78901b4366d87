//! x₁ is logistic with location 0 and scale 1. Given x₁, x₂ is logistic with location x₁² and scale exp(tanh x₁). Write x
//! as a map of z, uniform on (0, 1)².
//!
//!     cargo run --release -- check 18

use pushforward::prelude::*;

pub fn x(z: Var<'_>) -> Var<'_> {
    let (z1, z2) = (z.at(0), z.at(1));
    let x1 = z1; // todo: the x₁ that has a share z₁ of its density below it
    let x2 = z2; // todo: the same for x₂, once x₁ is known
    stack([x1, x2])
}
