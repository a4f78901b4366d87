//! Usual rows are 100 standard normal numbers; strange rows have the deviation 0.8, or 1.25. Write a score, from ln p by
//! the density of usual rows, that is high for both strange kinds.
//!
//!     cargo run --release -- check 16

use pushforward::prelude::*;

pub fn score(log_p: Var<'_>) -> Var<'_> {
    -log_p // todo: rows that are too likely are strange as well
}
