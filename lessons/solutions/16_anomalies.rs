//! Usual rows are 100 standard normal numbers; strange rows have the deviation 0.8, or 1.25. Write a score, from ln p by
//! the density of usual rows, that is high for both strange kinds.
//!
//!     cargo run --release -- check 16

use pushforward::prelude::*;

pub fn score(log_p: Var<'_>) -> Var<'_> {
    use std::f64::consts::{E, PI};
    let entropy = 50.0 * (2.0 * PI * E).ln();
    (log_p + entropy).abs()
}
