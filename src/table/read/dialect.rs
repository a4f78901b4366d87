//! How a file is written, found from its first rows.

use super::cell::{Cell, CellReader, decimal_comma};
use super::options::{Delimiter, Found, ReadOptions};
use crate::table::error::TableError;

/// Rows by which the way a file is written is found.
const ROWS: usize = 1000;

/// The way a file is written.
pub(super) struct Dialect {
    pub found: Found,
    pub cells: CellReader,
    /// Whether each column has numbers.
    pub numbers: Vec<bool>,
}

impl Dialect {
    /// Finds it from the first bytes of a file, which may be all.
    pub fn find(
        path: &str,
        sample: &[u8],
        whole: bool,
        options: &ReadOptions,
    ) -> Result<Dialect, TableError> {
        let text = String::from_utf8_lossy(sample);
        let split =
            choose(path, options.delimiter, |delimiter| Split::new(&text, whole, delimiter, options))?;
        let Some(first) = split.records.first() else {
            return Err(TableError::Empty { path: path.to_string() });
        };
        let decimal_comma = options.decimal_comma.unwrap_or_else(|| split.has_decimal_commas());
        let cells = CellReader::new(&options.missing_markers, decimal_comma);
        let header = options.header.unwrap_or_else(|| !is_row(first, &cells));
        let body = &split.records[usize::from(header)..];
        let numbers = (0..first.len()).map(|place| has_numbers(body, place, &cells)).collect();
        let found = Found::of_text(split.delimiter, decimal_comma, header, first.len());
        Ok(Dialect { found, cells, numbers })
    }
}

/// Splits the first rows at the delimiter that was given, or that fits best.
fn choose(
    path: &str,
    given: Option<Delimiter>,
    split: impl Fn(Delimiter) -> Split,
) -> Result<Split, TableError> {
    let candidates =
        [Delimiter::COMMA, Delimiter::SEMICOLON, Delimiter::TAB, Delimiter::PIPE, Delimiter::SPACE];
    let splits = candidates.into_iter().rev().map(&split).filter(|split| split.fit() > 0.0);
    let best = splits.max_by(|a, b| a.fit().total_cmp(&b.fit()));
    match (given, best) {
        (None, Some(best)) if best.is_consistent() => Ok(best),
        (None, best) => {
            let single = split(Delimiter::SEMICOLON);
            match single.is_decimal_column() {
                true => Ok(single),
                false => Ok(best.unwrap_or_else(|| split(Delimiter::COMMA))),
            }
        }
        (Some(given), best) => {
            let split = split(given);
            match best.filter(|best| split.width == 1 && best.is_consistent()) {
                None => Ok(split),
                Some(better) => Err(TableError::OneColumn {
                    path: path.to_string(),
                    given: given.to_string(),
                    fits: better.delimiter.to_string(),
                    option: better.delimiter.option(),
                    columns: better.width,
                }),
            }
        }
    }
}

/// The first rows of a file, split at a delimiter.
struct Split {
    delimiter: Delimiter,
    records: Vec<Vec<String>>,
    /// The number of cells that most records have.
    width: usize,
    /// The share of the records that have it.
    share: f64,
    /// The share of their cells, without those of the first record, that are numbers or missing.
    numbers: f64,
}

impl Split {
    fn new(text: &str, whole: bool, delimiter: Delimiter, options: &ReadOptions) -> Split {
        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter.0)
            .from_reader(text.as_bytes());
        let mut records: Vec<Vec<String>> = reader
            .records()
            .filter_map(Result::ok)
            .map(|record| record.iter().map(|cell| cell.trim().to_string()).collect::<Vec<_>>())
            .filter(|record: &Vec<String>| record.len() > 1 || !record[0].is_empty())
            .take(ROWS + 1)
            .collect();
        // The last record may be cut, unless there are more.
        if !whole && records.len() <= ROWS && records.len() > 1 {
            records.pop();
        }
        let count = |width: usize| records.iter().filter(|record| record.len() == width).count();
        let widths = records.iter().map(Vec::len);
        let width = widths.max_by_key(|width| (count(*width), *width)).unwrap_or(0);
        let cells = CellReader::new(&options.missing_markers, options.decimal_comma == Some(true));
        let is_number = |cell: &&String| {
            matches!(cells.read(cell), Cell::Number(_) | Cell::Missing)
                || options.decimal_comma != Some(false) && decimal_comma(cell).is_some()
        };
        let body = || records.iter().skip(1).flatten();
        let numbers = body().filter(is_number).count() as f64 / body().count().max(1) as f64;
        let share = count(width) as f64 / records.len().max(1) as f64;
        Split { delimiter, width, share, numbers, records }
    }

    fn is_consistent(&self) -> bool {
        self.share == 1.0
    }

    /// How well the delimiter fits: first whether records have equal width, then how many cells are numbers,
    /// then width.
    fn fit(&self) -> f64 {
        let sentence = self.delimiter == Delimiter::SPACE && (self.numbers < 1.0 || !self.is_consistent());
        if self.width < 2 || self.share < 0.5 || sentence {
            return 0.0;
        }
        let consistent = if self.is_consistent() { 100.0 } else { 10.0 * self.share };
        consistent + self.numbers + 1e-6 * (self.width as f64).min(1e5)
    }

    /// Whether it is a single column, below its name, of numbers with decimal commas, at which a comma would
    /// split it.
    fn is_decimal_column(&self) -> bool {
        let mut body = self.records.iter().skip(1).flatten();
        self.width == 1
            && self.is_consistent()
            && self.records.len() > 1
            && body.all(|cell| decimal_comma(cell) == Some(true))
    }

    /// Whether commas are decimal: some are surely so, and no number has a point.
    fn has_decimal_commas(&self) -> bool {
        let cells = || self.records.iter().flatten();
        let point = |cell: &String| cell.contains('.') && cell.parse::<f64>().is_ok();
        cells().any(|cell| decimal_comma(cell) == Some(true)) && !cells().any(point)
    }
}

/// Whether a first record is a row and not names: each cell is a number or missing, or one is a number that
/// is no integer. Names can be integers, such as years, beside other names.
fn is_row(record: &[String], cells: &CellReader) -> bool {
    let read = || record.iter().map(|cell| cells.read(cell));
    let is_fraction = |cell: Cell| matches!(cell, Cell::Number(number) if number.fract() != 0.0);
    let is_value = |cell: Cell| matches!(cell, Cell::Number(_) | Cell::Missing);
    let has_number = read().any(|cell| matches!(cell, Cell::Number(_)));
    has_number && (read().all(is_value) || read().any(is_fraction))
}

/// Whether a column has numbers: at least half of its cells that are not missing do, so that a misprint is an
/// error.
fn has_numbers(records: &[Vec<String>], place: usize, cells: &CellReader) -> bool {
    let (mut numbers, mut texts) = (0, 0);
    for cell in records.iter().filter_map(|record| record.get(place)) {
        match cells.read(cell) {
            Cell::Number(_) | Cell::Infinite => numbers += 1,
            Cell::Text if decimal_comma(cell).is_some() => numbers += 1,
            Cell::Text => texts += 1,
            Cell::Missing => {}
        }
    }
    numbers >= texts
}
