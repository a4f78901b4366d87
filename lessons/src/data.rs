//! The data of the lessons.

use std::path::{Path, PathBuf};

/// The path of a file of `lessons/data`.
pub fn data(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(file)
}
