//! Reading tables from CSV files and the like, and from Parquet files, in constant memory.

mod cell;
mod dialect;
mod options;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "parquet")]
mod parquet_value;
mod reader;
mod records;
mod source;
mod table;

pub use options::{Delimiter, Encoding, Found, ReadOptions};
pub use reader::Reader;
