//! Errors of model files.

use thiserror::Error;

use crate::flow::FlowError;
use crate::table::TableError;

/// Why a model cannot be saved or loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The file cannot be read.
    #[error("{path} cannot be read: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("{path} cannot be written: {source}")]
    Write {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What is read is no model.
    #[error("this is not a model file: {0}")]
    Foreign(String),
    /// The file ends too early.
    #[error("the model file is truncated: it says it has {expected} bytes, but ends after {given}")]
    Truncated {
        /// The bytes that its header announces.
        expected: u64,
        /// The bytes there are.
        given: u64,
    },
    /// The content does not have the checksum that was written with it.
    #[error("the model file was altered: its checksum is {found:08x}, but {written:08x} was written")]
    Altered {
        /// The checksum of the content.
        found: u32,
        /// The checksum in the file.
        written: u32,
    },
    /// A newer library wrote it.
    #[error(
        "the model file has format version {version}, written by pushforward {library}; this is pushforward {own}, \
         which reads versions up to {newest}"
    )]
    Newer {
        /// The version of the format.
        version: u64,
        /// The library that wrote it.
        library: String,
        /// This library's version.
        own: &'static str,
        /// The newest version of the format that this library reads.
        newest: u64,
    },
    /// A layer, transformer, field or base has no description.
    #[error(
        "{what} cannot be saved: it, or a part of it, has no description. Implement `describe` for it, and register its \
         name with `Registry::with_layer`, `with_transformer`, `with_field` or `with_base` where the file is loaded"
    )]
    Undescribed {
        /// What it is: `layer 2 (Twist)`.
        what: String,
    },
    /// A name in the file is not registered.
    #[error("the model file needs the {what} `{name}`, which is not registered; {known}")]
    Unknown {
        /// Layer, transformer, field or base.
        what: &'static str,
        /// The name.
        name: String,
        /// The nearest names, or all.
        known: String,
    },
    /// The settings of a registered type cannot be used.
    #[error("the model file describes `{name}` with settings that cannot be used: {problem}")]
    Settings {
        /// The registered name.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// The parameters do not fit the layers.
    #[error("the model file and its layers do not fit: {0}")]
    Parameters(String),
    /// A column cannot be used.
    #[error("{0}")]
    Column(String),
    /// A table cannot be used.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The flow cannot be built or evaluated.
    #[error(transparent)]
    Flow(#[from] FlowError),
}
