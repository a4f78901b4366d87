//! ONNX out: what files say and refuse. Other runtimes compute the same numbers: `cases.rs` writes files for them, and
//! `.ci/python` compares.

mod cases;
mod files;
mod folder;
mod models;
