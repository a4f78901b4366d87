//! Maps of other libraries: a graph that PyTorch exported, read as a bijection.
//!
//! [`ImportedMap`] is a [`Bijection`](crate::bijection::Bijection) whose `forward` is what the nodes of the graph denote over the real numbers, recorded on
//! a tape as if it had been written in Rust. So everything that holds for a layer holds for it: structure proven, ln|det J|
//! derived, one-to-one proven or refuted, a derivation, a certificate. The graph's own log-determinant, if it has one as an
//! output, is what a layer's hand-written one is: the audit compares it.
//!
//! Shapes, axes and positions are known when the file is read, and so are masks, so that arithmetic with them leaves no trace
//! and a weight that is multiplied by 0 is a structural zero. The index of a bin, which depends on the input, is kept exactly
//! (`cases.rs`). What cannot be read is refused with the operator and the name of its node.

mod array;
mod call;
mod cases;
mod dims;
mod elementwise;
mod error;
mod interpret;
mod map;
mod movement;
mod operators;
mod product;
mod recorded;
mod reduction;
mod stored;

pub use error::ImportError;
pub use map::{ImportOptions, ImportedMap, Role};
