//! Programs: a tape compiled once and run over batches of rows.
//!
//! Programs are recorded for one sample. Nodes that depend on no input are *shared* (computed once per loading of the
//! parameters), the others run over chunks of rows, feature-major, so that each operation is one loop over contiguous
//! lanes and the numbers of a chunk stay in cache.
//!
//! Redundant data movement is removed first (`sweep::propagate_copies`). Reading order:
//! | file | what happens there |
//! |---|---|
//! | `lower` | equations are inlined as nodes, in the order in which their elements become known |
//! | `compile` | what is shared and what is batched; slots for numbers and sums |
//! | `needs` | which values are needed, which batch sums, and which of these are formed from which |
//! | `emit` | nodes become instructions on rows; data movement needs no registers of its own |
//! | `matrix` | shared matrices laid out for products: transposes and masks belong to the layout |
//! | `fusion` | sums with products among their terms become one instruction |
//! | `plan` | the result of compilation: the program |
//! | `liveness` | memory of rows is reused after their last use |
//! | `run`, `precision` | rows are split into chunks, chunks over threads; kernels for each instruction set |
//! | `workspace` | the memory that a run writes to, apart from the program |
//! | `execute`, `sums`, `solve`, `contraction`, `system`, `integrate` | the kernels: elementwise, sums, equations, initial-value problems |
//! | `deferred` | gradients of large matrices |
//! | `update` | parameters changed in place, for training |
//! | `nonfinite` | the first number that is not finite |
//! | `display`, `profile` | a program as text, and where its time goes |

mod compile;
mod contraction;
mod deferred;
mod display;
mod emit;
mod error;
mod execute;
mod fusion;
mod instruction;
mod integrate;
mod liveness;
mod lower;
mod matrix;
mod needs;
mod nonfinite;
mod plan;
mod precision;
mod profile;
mod register;
mod run;
mod solve;
mod sums;
mod system;
mod tanh_pair;
mod update;
mod values;
mod workspace;

pub use error::{NonFinite, ProgramError};
pub use integrate::Steps;
pub use plan::{Output, Program};
pub use precision::Precision;
pub use profile::{Profile, ProfileRow};
pub use run::Threads;
pub use values::values;
pub use workspace::Workspace;
