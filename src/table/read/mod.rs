//! Reading tables from CSV files and the like, in constant memory.

mod cell;
mod dialect;
mod options;
mod reader;
mod source;
mod table;

pub use options::{Delimiter, Encoding, Found, ReadOptions};
pub use reader::Reader;
