//! Below -1: the line through (-1, -1) with the slope d0. Above 1: the line through (1, 1) with the slope d1. Between: an
//! increasing curve that meets both without a corner, for all positive d0 and d1.
//!
//!     cargo run --release -- check 21

use pushforward::prelude::*;

pub fn spline<'t>(z: Var<'t>, d0: Var<'t>, d1: Var<'t>) -> Var<'t> {
    let (u, v) = (z + 1.0, 1.0 - z);
    let (n, m) = (u * (u + d0 * v), v * (v + d1 * u));
    let curve = -1.0 + 2.0 * n / (n + m);
    select(z.lt(-1.0), -1.0 + d0 * (z + 1.0), select(z.lt(1.0), curve, 1.0 + d1 * (z - 1.0)))
}
