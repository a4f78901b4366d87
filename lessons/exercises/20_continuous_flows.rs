//! Write v(z, t), such that points that are standard normal at t = 0 are normal with mean (t, 0) and deviation 1 + t at
//! time t.
//!
//!     cargo run --release -- check 20

use pushforward::prelude::*;

pub fn velocity<'t>(z: Var<'t>, t: Var<'t>) -> Var<'t> {
    let (z1, z2) = (z.at(0), z.at(1));
    stack([0.0 * z1, 0.0 * z2]) // todo: nothing moves, and t is not used yet
}
