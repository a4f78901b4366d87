//! pushforward: write a bijection, get its density.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod audit;
pub mod jacobian;
pub mod program;
pub mod sweep;
pub mod tape;
