//! ONNX files: recorded programs handed to other runtimes, and maps of other libraries taken in.

pub mod schema;
