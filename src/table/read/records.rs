//! Records of a table, whatever kind of file it is.

use std::io;

use ::csv::ByteRecord;
use memchr::memchr_iter;

#[cfg(feature = "parquet")]
use super::parquet::ParquetRows;
use super::source::{Bytes, Lines};

/// Where records come from.
pub(super) enum Records {
    Text(::csv::Reader<Lines<Bytes>>),
    /// Rows, with the number of those that were read.
    #[cfg(feature = "parquet")]
    Parquet(Box<ParquetRows>, u64),
}

impl Records {
    /// Reads the next record and returns its line; `None` after the last.
    pub fn read(&mut self, record: &mut ByteRecord, columns: usize) -> io::Result<Option<u64>> {
        match self {
            Records::Text(records) => loop {
                if !records.read_byte_record(record)? {
                    return Ok(None);
                }
                let within = memchr_iter(b'\n', record.as_slice()).count() as u64;
                let end = records.position().byte();
                let line = records.get_mut().line(end, within);
                if !is_blank(record, columns) {
                    return Ok(Some(line));
                }
            },
            #[cfg(feature = "parquet")]
            Records::Parquet(rows, row) => {
                *row += 1;
                Ok(rows.read(record)?.then_some(*row))
            }
        }
    }
}

/// Whether a record is a line of nothing but spaces. Empty lines are skipped by the parser, so an empty
/// cell that is alone in its line was quoted: a row of a single column, without a value.
fn is_blank(record: &ByteRecord, columns: usize) -> bool {
    let blank = record.len() == 1 && record[0].trim_ascii().is_empty();
    blank && (columns > 1 || !record[0].is_empty())
}
