//! Jacobians: proofs of their structure, and log-determinants as formulas.
//!
//! A map is a program with one input vector z and one output vector x; `J[i][j]` = ∂xᵢ/∂zⱼ. [`prove`] shows
//! that no path leads from zⱼ to xᵢ where the declared structure has a zero, [`diagonal`](fn@diagonal) and
//! [`triangular_diagonal`] record the diagonal entries, and [`log_det`] records ln|det J|: a sum over the
//! diagonal where a triangular structure is proven, an LU decomposition otherwise.

mod bottleneck;
mod columns;
mod cyclic_trace;
mod dense;
mod diagonal;
mod discover;
mod error;
mod log_det;
mod low_rank;
mod matching;
mod paths;
mod power_series;
mod proof;
mod stages;
mod strongest;
mod structure;
mod trace;
mod vertex_cut;
mod waist;

pub use bottleneck::{Bottleneck, bottleneck, largest_rank};
pub use dense::{Compression, jacobian, jacobian_with};
pub use diagonal::{Diagonal, diagonal, triangular_diagonal};
pub(crate) use discover::deficient;
pub use discover::{Discovery, discover};
pub use error::{PathStep, StructureError, Unproven};
pub use log_det::{LogDet, Route, log_det};
pub(crate) use log_det::{SimplifiedLogDet, simplified_log_det};
pub(crate) use low_rank::low_rank_factors;
pub use power_series::{RussianRoulette, power_series, series_remainder};
pub use proof::{Proof, prove};
pub(crate) use stages::stages;
pub use strongest::strongest_structure;
pub use structure::{Order, Structure};
pub use trace::{Trace, estimated_trace, trace};
pub(crate) use waist::waist;

use crate::tape::{NodeId, Subgraph, Tape};

/// Returns the program from one input vector to one output vector.
pub fn map(tape: &Tape, input: NodeId, output: NodeId) -> Subgraph {
    Subgraph::new(tape, &[input], &[output])
}
