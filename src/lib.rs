//! pushforward: write a bijection, get its density.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod audit;
