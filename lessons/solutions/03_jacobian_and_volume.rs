//! Write a linear map of the plane that takes the unit square to a parallelogram of area 3, with (0, 0) where it is
//! and (1, 0) moved to (2, 1).
//!
//!     cargo run --release -- check 3

use pushforward::prelude::*;

pub fn f(z: Var<'_>) -> Var<'_> {
    let (z1, z2) = (z.at(0), z.at(1));
    let x1 = 2.0 * z1 + z2;
    let x2 = z1 + 2.0 * z2;
    stack([x1, x2])
}
