//! Write v(z, t), such that points that are standard normal at t = 0 are normal with mean (t, 0) and deviation 1 + t at
//! time t.
//!
//!     cargo run --release -- check 20

use pushforward::prelude::*;

pub fn velocity<'t>(z: Var<'t>, t: Var<'t>) -> Var<'t> {
    let (z1, z2) = (z.at(0), z.at(1));
    stack([1.0 + (z1 - t) / (1.0 + t), z2 / (1.0 + t)])
}
