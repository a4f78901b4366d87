//! Model files: a fitted density in one file, to be used tomorrow with new rows.
//!
//! A file is safetensors: the values of all parameters as tensors of doubles, and in its metadata a JSON document
//! that says of which layers and bases the flows are made. Loading builds the layers from their descriptions, records
//! and proves them as [`Flow::new`](crate::flow::Flow::new) does, and runs no code from the file. Layers of the catalogue
//! are known; others are [registered](Registry::with_layer).
//!
//! ```
//! use pushforward::prelude::*;
//!
//! let layers: Vec<Box<dyn Bijection>> = vec![
//!     Box::new(AffineCoupling::new(CouplingMask::first_half(2), Network::new([8]))),
//!     Box::new(Linear::identity(2)),
//! ];
//! let flow = Flow::new(StandardNormal::new(2), layers)?;
//! let start = flow.initial(7);
//! let fitted = flow.with(start)?;
//!
//! let loaded = FittedFlow::from_bytes(&fitted.to_bytes()?, &Registry::catalogue())?;
//! assert_eq!(loaded.log_prob(&[0.3, -1.0])?, fitted.log_prob(&[0.3, -1.0])?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod architecture;
mod beside;
mod blame;
mod candidates;
mod catalogue;
mod categories;
mod cautions;
mod column;
mod compare;
mod complete;
mod describe;
mod error;
mod expected;
mod explain;
mod file;
mod fill;
mod fit;
mod flows;
mod levels;
#[expect(clippy::module_inception, reason = "a model is what the module is about")]
mod model;
mod options;
mod plan;
mod prepare;
mod record;
mod registry;
mod sample;
mod score;
mod spread;
mod task;
mod training;

pub use architecture::{Architecture, Conditioner};
pub use categories::{Categories, CategoryColumn};
#[cfg(feature = "onnx")]
pub(crate) use column::INSIDE;
pub use column::{Encoding, GivenColumn, ModelColumn};
#[cfg(feature = "report")]
pub(crate) use column::{contexts, values};
pub use compare::{CompareOptions, Compared, Comparing, Comparison};
pub use error::ModelError;
pub use expected::Expected;
pub use explain::{Explanation, Reason};
pub use fill::Filled;
pub use levels::LevelReason;
pub use model::Model;
pub use options::{Choice, ModelOptions, NETWORK_ROWS, Trying};
pub use prepare::{deal_groups, draw_groups};
pub use record::{
    Candidate, Epoch, FitRecord, LeftOut, Reading, Recipe, mean_and_error, weighted_mean_and_error,
};
pub use registry::Registry;
pub use score::Score;
#[cfg(feature = "onnx")]
pub(crate) use score::cell_shares;
