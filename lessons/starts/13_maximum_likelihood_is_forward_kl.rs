//! p is normal with mean a and deviation s, q is normal with mean b and deviation t. Write KL(p‖q), in nats.
//!
//!     cargo run --release -- check 13

use pushforward::prelude::*;

pub fn forward_kl<'t>([a, s]: [Var<'t>; 2], [b, t]: [Var<'t>; 2]) -> Var<'t> {
    todo!("a scalar that is made of a, s, b and t")
}
