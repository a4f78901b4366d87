//! Rows of a Parquet file, as records of text.
//!
//! What a cell says does not depend on the kind of file: numbers, markers of missing values and dates are those of a
//! CSV file, since each value is written as CSV would have it. Numbers are the shortest text that gives the
//! same bits, so that nothing is lost. Columns are decoded a batch of rows at a time.

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use ::csv::ByteRecord;
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::DataType;
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};

use super::parquet_value::Meaning;

/// Rows that are decoded at once.
const BATCH: usize = 4096;

/// A Parquet file that is read row by row.
pub(super) struct ParquetRows {
    file: SerializedFileReader<File>,
    /// The columns that have one value a row, by their place in the file, and what their values mean.
    columns: Vec<(usize, Meaning)>,
    group: usize,
    /// The columns of the row group that is being read. A lock that is never taken: a column's reader may move
    /// between threads, but not be shared.
    readers: Mutex<Vec<ColumnReader>>,
    batch: Vec<Texts>,
    /// The rows of the batch, and the next one.
    rows: usize,
    next: usize,
}

/// The texts of a column in a batch, one after the other; a missing value is an empty one.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Texts {
    fn get(&self, row: usize) -> &[u8] {
        &self.bytes[row.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[row]]
    }
}

/// What is known of a file's columns.
pub(super) struct Columns {
    pub names: Vec<String>,
    /// Whether each has numbers.
    pub numbers: Vec<bool>,
    /// Columns that have lists, which are left out.
    pub lists: Vec<String>,
}

impl ParquetRows {
    pub fn open(file: File) -> io::Result<(ParquetRows, Columns)> {
        let file = unpanicked(|| SerializedFileReader::new(file)).map_err(failed)?;
        let schema = file.metadata().file_metadata().schema_descr_ptr();
        let mut known = Columns { names: Vec::new(), numbers: Vec::new(), lists: Vec::new() };
        let mut columns = Vec::new();
        for (place, column) in schema.columns().iter().enumerate() {
            if column.max_rep_level() > 0 {
                known.lists.push(column.path().string());
                continue;
            }
            let meaning = Meaning::of(column);
            known.names.push(column.path().string());
            known.numbers.push(meaning.is_number());
            columns.push((place, meaning));
        }
        let rows = ParquetRows {
            file,
            columns,
            group: 0,
            readers: Mutex::default(),
            batch: Vec::new(),
            rows: 0,
            next: 0,
        };
        Ok((rows, known))
    }

    /// Reads the next row; false after the last.
    pub fn read(&mut self, record: &mut ByteRecord) -> io::Result<bool> {
        while self.next == self.rows {
            match unpanicked(|| self.read_batch()) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(error) => {
                    // Nothing is read after an error.
                    (self.rows, self.next, self.group) = (0, 0, self.file.num_row_groups());
                    self.readers = Mutex::default();
                    return Err(failed(error));
                }
            }
        }
        record.clear();
        self.batch.iter().for_each(|texts| record.push_field(texts.get(self.next)));
        self.next += 1;
        Ok(true)
    }

    fn read_batch(&mut self) -> Result<bool, ParquetError> {
        let readers = self.readers.get_mut().unwrap_or_else(|error| error.into_inner());
        if readers.is_empty() {
            if self.columns.is_empty() || self.group == self.file.num_row_groups() {
                return Ok(false);
            }
            let group = self.file.get_row_group(self.group)?;
            self.group += 1;
            let negative = |number: i64| number < 0;
            if group.metadata().columns().iter().any(|column| {
                negative(column.data_page_offset())
                    || negative(column.compressed_size())
                    || column.dictionary_page_offset().is_some_and(negative)
            }) {
                return Err(damaged());
            }
            let places = self.columns.iter().map(|(place, _)| group.get_column_reader(*place));
            *readers = places.collect::<Result<_, _>>()?;
        }
        let columns = self.columns.iter().zip(readers.iter_mut());
        self.batch =
            columns.map(|((_, meaning), reader)| texts(reader, meaning)).collect::<Result<_, _>>()?;
        (self.rows, self.next) = (self.batch[0].ends.len(), 0);
        if self.batch.iter().any(|texts| texts.ends.len() != self.rows) {
            return Err(damaged());
        }
        if self.rows == 0 {
            readers.clear();
        }
        Ok(true)
    }
}

/// The next values of a column as texts.
fn texts(reader: &mut ColumnReader, meaning: &Meaning) -> Result<Texts, ParquetError> {
    match reader {
        ColumnReader::BoolColumnReader(reader) => {
            read(reader, meaning, |value, text| text.push_str(if *value { "true" } else { "false" }))
        }
        ColumnReader::Int32ColumnReader(reader) => {
            read(reader, meaning, |value, text| meaning.integer(i64::from(*value), text))
        }
        ColumnReader::Int64ColumnReader(reader) => {
            read(reader, meaning, |value, text| meaning.integer(*value, text))
        }
        ColumnReader::Int96ColumnReader(reader) => {
            read(reader, meaning, |value, text| meaning.integer(value.to_nanos(), text))
        }
        ColumnReader::FloatColumnReader(reader) => {
            read(reader, meaning, |value, text| text.push_str(ryu::Buffer::new().format(*value)))
        }
        ColumnReader::DoubleColumnReader(reader) => {
            read(reader, meaning, |value, text| text.push_str(ryu::Buffer::new().format(*value)))
        }
        ColumnReader::ByteArrayColumnReader(reader) => {
            read(reader, meaning, |value, text| meaning.bytes(value.data(), text))
        }
        ColumnReader::FixedLenByteArrayColumnReader(reader) => {
            read(reader, meaning, |value, text| meaning.bytes(value.data(), text))
        }
    }
}

fn read<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    meaning: &Meaning,
    write: impl Fn(&T::T, &mut String),
) -> Result<Texts, ParquetError> {
    let (mut present, mut values) = (Vec::new(), Vec::new());
    let mut rows = 0;
    // A call may end with a page.
    while rows < BATCH {
        let (read, ..) = reader.read_records(BATCH - rows, Some(&mut present), None, &mut values)?;
        if read == 0 {
            break;
        }
        rows += read;
    }
    // Levels are written only where a value can be missing.
    let mut texts = Texts::default();
    let (mut values, mut text) = (values.iter(), String::new());
    for row in 0..rows {
        if present.get(row).is_none_or(|level| *level == meaning.level)
            && let Some(value) = values.next()
        {
            text.clear();
            write(value, &mut text);
            texts.bytes.extend_from_slice(text.as_bytes());
        }
        texts.ends.push(texts.bytes.len());
    }
    Ok(texts)
}

/// Runs a part of the parquet crate. Where a file is damaged, it has been seen to panic.
fn unpanicked<T>(run: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(damaged()))
}

fn damaged() -> ParquetError {
    ParquetError::General("what it says of itself does not fit: it is damaged".to_string())
}

fn failed(error: ParquetError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
