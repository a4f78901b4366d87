//! Reads a table row by row.

use std::path::Path;

use ::csv::ByteRecord;

use super::cell::{Cell, CellReader, decimal_comma};
use super::dialect::Dialect;
use super::options::{Found, ReadOptions};
#[cfg(feature = "parquet")]
use super::parquet::ParquetRows;
use super::records::Records;
use super::source::{Content, Source, Text};
use crate::table::block::{Block, Cells, Column};
use crate::table::error::TableError;
use crate::table::kind::Kind;
use crate::table::kinds::Kinds;
use crate::table::names::nearest;

/// Reads a table a block of rows at a time, in memory that does not grow with the file.
///
/// ```
/// # let path = std::env::temp_dir().join(format!("pushforward-reader-{}.csv", std::process::id()));
/// # std::fs::write(&path, "speed;place\n1,5;quay\n;pier\n").unwrap();
/// use pushforward::table::{Cells, ReadOptions, Reader};
///
/// let mut reader = Reader::open(&path, &ReadOptions::default())?;
/// assert_eq!(reader.found().to_string(), "cells are separated by `;`; numbers have a decimal comma");
/// reader.select(&["speed"])?;
/// while let Some(block) = reader.next_block(4096)? {
///     assert_eq!(block.lines(), [2, 3]);
///     let Cells::Numbers(speeds) = &block.columns()[0].cells else { panic!("text") };
///     assert!(speeds[0] == 1.5 && speeds[1].is_nan());
/// }
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), pushforward::table::TableError>(())
/// ```
pub struct Reader {
    path: String,
    records: Records,
    record: ByteRecord,
    /// The line of the record.
    line: u64,
    /// Whether the record was read and not yet returned.
    pending: bool,
    columns: Vec<String>,
    /// Whether each column is read as numbers.
    numbers: Vec<bool>,
    /// The columns that blocks have.
    chosen: Vec<usize>,
    cells: CellReader,
    found: Found,
}

impl Reader {
    /// Opens a file, or standard input for `-`, and finds how it is written; what the options say is not
    /// looked for.
    ///
    /// Commas, semicolons, tabs, vertical bars or spaces between cells, decimal commas, a missing header,
    /// gzip, and UTF-8 and UTF-16 with a mark at the start of the file are recognised. So is a Parquet file,
    /// which needs the feature `parquet`. What it has is read as if CSV had it: a null is an empty cell, dates
    /// and truth values are text; members of a structure are columns of their own, lists are left out.
    ///
    /// # Errors
    /// [`TableError`] for a file that cannot be opened, is empty or is not text, for an option that does not
    /// fit, and for columns of one name.
    pub fn open(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Reader, TableError> {
        let source = Source::open(path.as_ref(), options.encoding)?;
        let reader = match source.content {
            Content::Text(text) => Reader::open_text(source.name, text, options)?,
            #[cfg(feature = "parquet")]
            Content::Parquet(file) => Reader::open_parquet(source.name, file, options)?,
        };
        reader.refuse_repeated_names()?;
        Ok(reader)
    }

    fn open_text(path: String, text: Text, options: &ReadOptions) -> Result<Reader, TableError> {
        let dialect = Dialect::find(&path, &text.sample, text.whole, options)?;
        let records = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(dialect.found.delimiter.0)
            .buffer_capacity(1 << 16)
            .from_reader(text.bytes);
        let width = dialect.found.columns;
        let mut reader = Reader {
            path,
            records: Records::Text(records),
            record: ByteRecord::new(),
            line: 0,
            pending: false,
            columns: (1..=width).map(|number| format!("column_{number}")).collect(),
            numbers: dialect.numbers,
            chosen: (0..width).collect(),
            cells: dialect.cells,
            found: dialect.found,
        };
        reader.next_record()?;
        if reader.found.header {
            reader.columns = (0..width).map(|place| reader.name(place)).collect::<Result<_, _>>()?;
        } else {
            reader.pending = true;
        }
        Ok(reader)
    }

    #[cfg(feature = "parquet")]
    fn open_parquet(path: String, file: std::fs::File, options: &ReadOptions) -> Result<Reader, TableError> {
        let opened = ParquetRows::open(file);
        let (rows, known) = opened.map_err(|source| TableError::Read { path: path.clone(), source })?;
        let text = ReadOptions { missing_markers: options.missing_markers.clone(), ..ReadOptions::default() };
        if *options != text {
            return Err(TableError::Parquet {
                path,
                reason: "options on delimiters, decimal commas, headers and encodings are of text files",
            });
        }
        if known.names.is_empty() {
            return Err(TableError::Parquet { path, reason: "it has no columns of single values" });
        }
        // A value that is missing is an empty cell.
        let mut markers = options.missing_markers.clone();
        markers.push(String::new());
        Ok(Reader {
            path,
            records: Records::Parquet(Box::new(rows), 0),
            record: ByteRecord::new(),
            line: 0,
            pending: false,
            chosen: (0..known.names.len()).collect(),
            cells: CellReader::new(&markers, false),
            found: Found::of_parquet(known.names.len(), known.lists),
            columns: known.names,
            numbers: known.numbers,
        })
    }

    /// What messages call the file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// How the file is written.
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// The names of all columns, in the order of the file.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Chooses the columns that blocks have, in this order.
    ///
    /// # Errors
    /// [`TableError::Column`] for a name that the file does not have, with the nearest one;
    /// [`TableError::ChosenTwice`].
    pub fn select<Name: AsRef<str>>(&mut self, names: &[Name]) -> Result<(), TableError> {
        let places = self.places(names)?;
        if let Some(place) = (1..places.len()).find(|place| places[..*place].contains(&places[*place])) {
            return Err(TableError::ChosenTwice { name: self.columns[places[place]].clone() });
        }
        self.chosen = places;
        Ok(())
    }

    /// Reads these columns as text, also where their cells are numbers.
    ///
    /// # Errors
    /// [`TableError::Column`] for an unknown name.
    pub fn read_as_text<Name: AsRef<str>>(&mut self, names: &[Name]) -> Result<(), TableError> {
        self.places(names)?.into_iter().for_each(|place| self.numbers[place] = false);
        Ok(())
    }

    /// Reads these columns as numbers: a cell that is none is an error.
    ///
    /// # Errors
    /// [`TableError::Column`] for an unknown name.
    pub fn read_as_numbers<Name: AsRef<str>>(&mut self, names: &[Name]) -> Result<(), TableError> {
        self.places(names)?.into_iter().for_each(|place| self.numbers[place] = true);
        Ok(())
    }

    /// Reads columns as the kinds say that they were given: categories, dates, identifiers and texts as text,
    /// the others as numbers.
    ///
    /// # Errors
    /// [`TableError::Column`] for a kind of a column that the file does not have.
    pub fn read_as(&mut self, kinds: &Kinds) -> Result<(), TableError> {
        for (name, kind) in kinds.iter() {
            match kind {
                Kind::Constant => {}
                kind if kind.is_number() => self.read_as_numbers(&[name])?,
                _ => self.read_as_text(&[name])?,
            }
        }
        Ok(())
    }

    /// Reads up to so many rows; `None` after the last.
    ///
    /// # Errors
    /// [`TableError`] names the line, and the column where it is one: a line that is longer or shorter than
    /// the first, a cell that is infinite or not a number in a column of numbers, bytes that are not
    /// UTF-8.
    pub fn next_block(&mut self, rows: usize) -> Result<Option<Block>, TableError> {
        let block = self.block(rows)?;
        Ok((block.rows() > 0).then_some(block))
    }

    /// Reads all rows that are left.
    ///
    /// # Errors
    /// Those of [`Reader::next_block`].
    pub fn read_all(&mut self) -> Result<Block, TableError> {
        self.block(usize::MAX)
    }

    fn block(&mut self, rows: usize) -> Result<Block, TableError> {
        let cells = |place: &usize| match self.numbers[*place] {
            true => Cells::Numbers(Vec::new()),
            false => Cells::Text(Vec::new()),
        };
        let mut cells: Vec<Cells> = self.chosen.iter().map(cells).collect();
        let mut lines = Vec::new();
        while lines.len() < rows && self.next_record()? {
            lines.push(self.line);
            for (place, cells) in self.chosen.iter().zip(&mut cells) {
                match cells {
                    Cells::Numbers(values) => values.push(self.number(*place)?.unwrap_or(f64::NAN)),
                    Cells::Text(texts) => {
                        let text = self.text(*place)?.trim();
                        texts.push((!self.cells.is_marker(text)).then(|| text.to_string()));
                    }
                }
            }
        }
        let named = self.chosen.iter().zip(cells);
        let columns = named.map(|(place, cells)| Column { name: self.columns[*place].clone(), cells });
        Block::new(columns.collect(), lines)
    }

    /// Reads the next record that is not blank; false after the last.
    pub(super) fn next_record(&mut self) -> Result<bool, TableError> {
        if std::mem::take(&mut self.pending) {
            return Ok(true);
        }
        let read = self.records.read(&mut self.record, self.columns.len());
        let Some(line) = read.map_err(|source| TableError::Read { path: self.path.clone(), source })? else {
            return Ok(false);
        };
        self.line = line;
        if self.record.len() != self.columns.len() {
            return Err(TableError::Ragged {
                path: self.path.clone(),
                line: self.line,
                expected: self.columns.len(),
                found: self.record.len(),
                delimiter: self.found.delimiter.to_string(),
            });
        }
        Ok(true)
    }

    /// The number in the record's cell of a column, `None` if it is missing.
    pub(super) fn number(&self, place: usize) -> Result<Option<f64>, TableError> {
        let text = self.text(place)?;
        let advice = match self.cells.read(text) {
            Cell::Number(number) => return Ok(Some(number)),
            Cell::Missing => return Ok(None),
            Cell::Infinite => "correct or remove the row",
            Cell::Text if text.trim().contains('\n') => "a quote in this line is not closed",
            Cell::Text if !self.found.decimal_comma && decimal_comma(text).is_some() => {
                "if its comma is decimal, give --decimal-comma"
            }
            Cell::Text if self.found.decimal_comma && text.contains('.') => {
                "numbers have a decimal comma here, so points cannot be read"
            }
            Cell::Text => {
                "if it marks a missing value, give it as --missing-marker; if the column is text, as --kind NAME=category"
            }
        };
        Err(TableError::Cell {
            path: self.path.clone(),
            line: self.line,
            column: self.columns[place].clone(),
            cell: shortened(text),
            advice,
        })
    }

    /// The error for a record's cell that is missing where none may be.
    pub(super) fn missing(&self, place: usize) -> TableError {
        TableError::MissingCell {
            path: Some(self.path.clone()),
            line: self.line,
            column: self.columns[place].clone(),
            missing: 1,
        }
    }

    /// The text of the record's cell of a column.
    pub(super) fn text(&self, place: usize) -> Result<&str, TableError> {
        std::str::from_utf8(&self.record[place]).map_err(|_| self.not_utf8(place, true))
    }

    /// The places of columns by name.
    pub(super) fn places<Name: AsRef<str>>(&self, names: &[Name]) -> Result<Vec<usize>, TableError> {
        let place = |name: &Name| {
            let name = name.as_ref();
            self.columns.iter().position(|known| known == name).ok_or_else(|| {
                let known = || self.columns.iter().map(String::as_str);
                TableError::no_column(Some(self.path.clone()), name, nearest(name, known()), known())
            })
        };
        names.iter().map(place).collect()
    }

    fn not_utf8(&self, place: usize, named: bool) -> TableError {
        TableError::NotUtf8 {
            path: self.path.clone(),
            line: self.line,
            column: named.then(|| self.columns[place].clone()),
            text: String::from_utf8_lossy(&self.record[place]).trim().to_string(),
        }
    }

    fn name(&self, place: usize) -> Result<String, TableError> {
        let name = std::str::from_utf8(&self.record[place]).map_err(|_| self.not_utf8(place, false))?;
        Ok(name.trim().to_string())
    }

    fn refuse_repeated_names(&self) -> Result<(), TableError> {
        for (place, name) in self.columns.iter().enumerate() {
            let same = self.columns.iter().enumerate().filter(|(_, other)| *other == name);
            let places: Vec<usize> = same.map(|(place, _)| place + 1).collect();
            if places.len() > 1 && places[0] == place + 1 {
                return Err(TableError::RepeatedName {
                    path: self.path.clone(),
                    name: name.clone(),
                    places,
                    looks_like_data: matches!(self.cells.read(name), Cell::Number(_)),
                });
            }
        }
        Ok(())
    }
}

/// The first line of a cell, as much as a message can hold.
fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    let text = text.trim();
    let line: String = text.lines().next().unwrap_or_default().chars().take(MOST).collect();
    if line.len() < text.len() { format!("{line}…") } else { line }
}
