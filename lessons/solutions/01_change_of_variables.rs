//! z is uniform on (0, 1). Write f so that x = f(z) has the density p(x) = 2x on (0, 1).
//!
//!     cargo run --release -- check 1

use pushforward::prelude::*;

pub fn f(z: Var<'_>) -> Var<'_> {
    z.sqrt()
}
