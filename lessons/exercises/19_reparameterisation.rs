//! ε is uniform on (0, 1). Write z = f(ε), such that z has the exponential density with rate 3: 3·exp(-3z) on (0, ∞).
//!
//!     cargo run --release -- check 19

use pushforward::prelude::*;

pub fn f(noise: Var<'_>) -> Var<'_> {
    todo!("a formula in the noise, as in `(2.0 * noise).exp()`")
}
