//! Programs: a tape compiled once and replayed over batches of rows.
//!
//! Programs are recorded for one sample. What depends on no input is *shared* (computed once per loading of
//! the parameters), the rest is *batched*: it runs over chunks of rows, feature-major, so that each operation
//! is one loop over contiguous lanes. A parameter gradient is an output *summed over the batch*: an outer
//! product that is only summed becomes one matrix product and is never formed for a sample.
//!
//! An equation (an inverse that is no formula) is unfolded into a block: its nodes are run element by element in the
//! order of solving, each element once, or again and again until Newton's method has arrived.

mod compile;
mod error;
mod lower;
mod movement;
mod run;
mod solve;

pub use compile::{Output, Program};
pub use error::{NonFinite, ProgramError};
