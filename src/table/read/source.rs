//! The bytes of a file: from disk or standard input, decompressed, and, of a text, decoded to UTF-8 with the
//! places of line ends.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Cursor, ErrorKind, Read, stdin};
use std::path::Path;

use encoding_rs_io::DecodeReaderBytesBuilder;
use flate2::read::MultiGzDecoder;
use memchr::memchr_iter;

use super::options::Encoding;
use crate::table::error::TableError;

/// Bytes from somewhere.
pub(super) type Bytes = Box<dyn Read + Send + Sync>;

/// Bytes by which the way a file is written is found.
const SAMPLE: usize = 1 << 18;

/// A file that was opened.
pub(super) struct Source {
    /// What messages call it.
    pub name: String,
    pub content: Content,
}

/// What is in a file.
pub(super) enum Content {
    Text(Text),
    #[cfg(feature = "parquet")]
    Parquet(File),
}

/// A file of text.
pub(super) struct Text {
    /// The text from the first byte.
    pub bytes: Lines<Bytes>,
    /// Its first bytes.
    pub sample: Vec<u8>,
    /// Whether these are all.
    pub whole: bool,
}

impl Source {
    /// Opens a file, or standard input for `-`.
    pub fn open(path: &Path, encoding: Option<Encoding>) -> Result<Source, TableError> {
        let standard_input = path == Path::new("-");
        let name = if standard_input { "standard input".to_string() } else { path.display().to_string() };
        let unread = |source| TableError::Read { path: name.clone(), source };
        let mut bytes: Bytes = match standard_input {
            true => Box::new(stdin()),
            false if path.is_dir() => {
                return Err(TableError::Open { path: name, source: ErrorKind::IsADirectory.into() });
            }
            false => {
                Box::new(File::open(path).map_err(|source| TableError::Open { path: name.clone(), source })?)
            }
        };
        let (start, _) = first(&mut bytes, 4).map_err(unread)?;
        let compressed = start.starts_with(&[0x1f, 0x8b]);
        #[cfg(feature = "parquet")]
        if start == b"PAR1" {
            let file = match standard_input {
                true => copied(start, bytes),
                false => File::open(path),
            };
            let content = Content::Parquet(file.map_err(unread)?);
            return Ok(Source { name, content });
        }
        if let Some(reason) = not_text(&start) {
            return Err(TableError::NotText { path: name, reason });
        }
        bytes = Box::new(Cursor::new(start).chain(bytes));
        if compressed {
            bytes = Box::new(MultiGzDecoder::new(bytes));
        }
        // Bytes that are not UTF-8 stay as they are, so that a message can name the cell.
        let mut decoder = DecodeReaderBytesBuilder::new();
        decoder.encoding(encoding.map(|encoding| encoding.0)).utf8_passthru(true).strip_bom(true);
        bytes = Box::new(decoder.build(bytes));
        let (sample, whole) = first(&mut bytes, SAMPLE).map_err(unread)?;
        if sample.contains(&0) {
            let reason =
                "it has zero bytes; if it is UTF-16 without a mark at its start, give --encoding utf-16le";
            return Err(TableError::NotText { path: name, reason });
        }
        let bytes: Bytes = Box::new(Cursor::new(sample.clone()).chain(bytes));
        let bytes = Lines { bytes, read: 0, ends: VecDeque::new(), before: 0, last: 0 };
        Ok(Source { name, content: Content::Text(Text { bytes, sample, whole }) })
    }
}

/// A temporary file of these bytes: columns of a Parquet file are found from its end.
#[cfg(feature = "parquet")]
fn copied(start: Vec<u8>, bytes: Bytes) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut Cursor::new(start).chain(bytes), &mut file)?;
    Ok(file)
}

/// Reads so many bytes, and whether these are all.
fn first(bytes: &mut Bytes, most: usize) -> io::Result<(Vec<u8>, bool)> {
    let mut start = Vec::new();
    bytes.take(most as u64).read_to_end(&mut start)?;
    let whole = start.len() < most;
    Ok((start, whole))
}

/// Names other kinds of files by their first bytes.
fn not_text(start: &[u8]) -> Option<&'static str> {
    match start {
        [b'P', b'K', 3, 4] => Some("it is an Excel workbook or another zip archive; save the sheet as CSV"),
        b"PAR1" => Some(
            "it is a Parquet file, which this build cannot read; build with --features parquet, or save it as CSV",
        ),
        [0x28, 0xb5, 0x2f, 0xfd] => {
            Some("it is compressed by zstd; decompress it first (gzip is read as it is)")
        }
        [b'B', b'Z', b'h', _] | [0xfd, b'7', b'z', b'X'] => {
            Some("it is compressed by bzip2 or xz; decompress it first (gzip is read as it is)")
        }
        _ => None,
    }
}

/// Bytes that are passed on, with the places of their line ends until they are asked for.
///
/// The CSV parser counts lines too, but skips empty ones without counting them to the row that follows.
pub(super) struct Lines<R> {
    bytes: R,
    /// The number of bytes passed on.
    read: u64,
    /// Where line ends are, of lines that were not asked for.
    ends: VecDeque<u64>,
    /// The number of line ends before these.
    before: u64,
    /// The last line of the record that was asked for before.
    last: u64,
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        let ends = memchr_iter(b'\n', &buffer[..count]);
        self.ends.extend(ends.map(|place| self.read + place as u64));
        self.read += count as u64;
        Ok(count)
    }
}

impl<R> Lines<R> {
    /// The line of a record that ends before this byte and has so many line ends within cells.
    pub fn line(&mut self, end: u64, within: u64) -> u64 {
        // The record's own end, or the second half of it, is not before the record's last line.
        while self.ends.front().is_some_and(|place| place + 1 < end) {
            self.ends.pop_front();
            self.before += 1;
        }
        // A record with a quote that is not closed ends with a line end of its own.
        let line = (self.before + 1).saturating_sub(within).max(self.last + 1);
        self.last = self.before + 1;
        line
    }
}
