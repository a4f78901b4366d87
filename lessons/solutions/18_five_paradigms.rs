//! x₁ is logistic with location 0 and scale 1. Given x₁, x₂ is logistic with location x₁² and scale exp(tanh x₁). Write x
//! as a map of z, uniform on (0, 1)².
//!
//!     cargo run --release -- check 18

use pushforward::prelude::*;

pub fn x(z: Var<'_>) -> Var<'_> {
    let y = (z / (1.0 - z)).ln();
    let (x1, y2) = (y.at(0), y.at(1));
    stack([x1, x1.powi(2) + x1.tanh().exp() * y2])
}
