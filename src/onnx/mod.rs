//! ONNX files: recorded programs handed to other runtimes, and maps of other libraries taken in.

mod export;
mod import;
pub mod schema;

pub use export::{Export, ExportError, Float, What};
pub use import::{ImportError, ImportOptions, ImportedMap, Role};
