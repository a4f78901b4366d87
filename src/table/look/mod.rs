//! A look at a table before a fit: what its columns are, and what would spoil a fit.

mod calendar;
mod circular;
mod collinear;
mod column;
mod detect;
#[expect(clippy::module_inception, reason = "the look is what the module is about")]
mod look;
mod repeats;
mod step;
mod summary;
mod suspects;
mod text;

pub use collinear::Relation;
pub use column::{ColumnLook, Treatment};
pub use look::Look;
pub use repeats::Repeats;
pub use suspects::Suspect;
