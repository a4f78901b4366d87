//! ONNX files: recorded programs handed to other runtimes, and maps of other libraries taken in.

pub mod schema;

mod export;

pub use export::{Export, ExportError, Float, What};
