//! Tables: reading them, looking at them before a fit, and writing results.
//!
//! A [`Table`] is what a flow is fitted to: rows of finite numbers. What people have is a file, in which
//! cells are missing, columns are dates, rounded or constant, and separators differ. The way from one to the
//! other:
//!
//! 1. A [`Reader`] reads rows from a file or from standard input, a [`Block`] at a time.
//! 2. A [`Look`] finds the [`Kind`] of each column and what would spoil a fit: ties, markers of missing
//!    values, repeated rows, columns that follow from others.
//! 3. [`Missing`] says what becomes of rows with missing cells.
//! 4. An [`Output`] writes results to a file that is either complete or absent.
//!
//! Reading and writing files, and kinds as text, need the feature `csv`.

mod block;
mod error;
mod kind;
mod kinds;
mod look;
mod missing;
mod names;
mod number;
#[cfg(feature = "csv")]
mod read;
#[expect(clippy::module_inception, reason = "a table is what the module is about")]
mod table;
#[cfg(feature = "csv")]
mod write;

pub use block::{Block, Cells, Column};
pub use error::TableError;
pub use kind::{Kind, KindError, Limits};
pub use kinds::Kinds;
pub use look::{ColumnLook, Look, Relation, Repeats, Suspect, Treatment};
pub use missing::{Dropped, Missing};
pub use names::nearest;
#[cfg(feature = "csv")]
pub use names::split_names;
#[cfg(feature = "report")]
pub(crate) use number::{count, list, rounded, shown};
#[cfg(feature = "csv")]
pub use read::{Delimiter, Encoding, Found, ReadOptions, Reader};
pub use table::Table;
#[cfg(feature = "csv")]
pub use write::{Output, OutputError, OutputWriter, RowWriter};
