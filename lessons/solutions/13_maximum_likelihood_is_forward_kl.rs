//! p is normal with mean a and deviation s, q is normal with mean b and deviation t. Write KL(p‖q), in nats.
//!
//!     cargo run --release -- check 13

use pushforward::prelude::*;

pub fn forward_kl<'t>([a, s]: [Var<'t>; 2], [b, t]: [Var<'t>; 2]) -> Var<'t> {
    t.ln() - s.ln() + (s.powi(2) + (a - b).powi(2)) / (2.0 * t.powi(2)) - 0.5
}
