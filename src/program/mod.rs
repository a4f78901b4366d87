//! Programs: a tape compiled once and replayed over batches of rows.
//!
//! Programs are recorded for one sample. What depends on no input is *shared* (computed once per loading of
//! the parameters), the rest is *batched*: it runs over chunks of rows, feature-major, so that each operation
//! is one loop over contiguous lanes. A parameter gradient is an output *summed over the batch*: an outer
//! product that is only summed becomes one matrix product and is never formed for a sample.

mod compile;
mod error;
mod movement;
mod run;

pub use compile::{Output, Program};
pub use error::{NonFinite, ProgramError};
