//! ONNX files: recorded programs handed to other runtimes, and maps of other libraries taken in.

mod import;
pub mod schema;

pub use import::{ImportError, ImportOptions, ImportedMap, Role};
