//! Writing files that are either complete or absent.
//!
//! A file is written under another name in the same folder and renamed when it is complete: a full disk or a
//! kill leaves what was there before. What is no regular file, a pipe or a device, cannot be renamed over and
//! is written to directly. Whether a path can be written is checked before the work whose result goes there.

use std::fs::{self, File};
use std::io::{self, BufWriter, Stdout, Write, stdout};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use thiserror::Error;

use super::block::{Block, Cells};

/// Why a file cannot be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OutputError {
    /// It cannot be written.
    #[error("{path} cannot be written: {source}")]
    Write {
        /// The file.
        path: String,
        /// What is wrong.
        #[source]
        source: io::Error,
    },
    /// It is a folder.
    #[error("{path} is a folder; give the name of a file in it")]
    Folder {
        /// The path.
        path: String,
    },
    /// The folder that it would be in does not exist.
    #[error("{path} cannot be written: there is no folder {folder}; create it first")]
    NoFolder {
        /// The file.
        path: String,
        /// The folder.
        folder: String,
    },
    /// It is a file that is read.
    #[error("{path} is the file {input}, which is read; give another name for the output")]
    Input {
        /// The file.
        path: String,
        /// The input, as it was given.
        input: String,
    },
    /// It may not be changed.
    #[error("{path} exists and is read-only; give another name for the output, or make it writable")]
    ReadOnly {
        /// The file.
        path: String,
    },
}

impl OutputError {
    /// Whether the reader of a pipe is gone, as after `| head`: no reason for a message.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, OutputError::Write { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// A path that was checked and can be written.
#[derive(Clone, Debug)]
pub struct Output {
    /// What messages call it.
    path: String,
    target: Target,
}

#[derive(Clone, Debug)]
enum Target {
    StandardOutput,
    /// A pipe or a device.
    Direct(PathBuf),
    /// A regular file, links resolved, that may not exist yet.
    File(PathBuf),
}

impl Output {
    /// Checks that a path can be written and is none of the inputs; `-` is standard output.
    ///
    /// # Errors
    /// [`OutputError`] for a folder, a folder that does not exist or cannot be written, a file that is
    /// read-only or one of the inputs.
    pub fn check(path: impl AsRef<Path>, inputs: &[&Path]) -> Result<Output, OutputError> {
        let path = path.as_ref();
        if path == Path::new("-") {
            return Ok(Output { path: "standard output".to_string(), target: Target::StandardOutput });
        }
        let shown = path.display().to_string();
        let failed = |source| OutputError::Write { path: shown.clone(), source };
        let metadata = match fs::metadata(path) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        if metadata.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(OutputError::Folder { path: shown });
        }
        let device = path.starts_with("/dev") || path.starts_with("/proc");
        if metadata.as_ref().is_some_and(|metadata| device || !metadata.is_file()) {
            return Ok(Output { path: shown, target: Target::Direct(path.to_path_buf()) });
        }
        if let Some(input) = inputs.iter().find(|input| same_file(path, input)) {
            let input = if **input == *Path::new("-") {
                "standard input".into()
            } else {
                input.display().to_string()
            };
            return Err(OutputError::Input { path: shown, input });
        }
        if metadata.as_ref().is_some_and(|metadata| metadata.permissions().readonly()) {
            return Err(OutputError::ReadOnly { path: shown });
        }
        let target =
            if metadata.is_some() { fs::canonicalize(path).map_err(failed)? } else { path.to_path_buf() };
        let folder = folder(&target);
        if !folder.is_dir() {
            return Err(OutputError::NoFolder { path: shown, folder: folder.display().to_string() });
        }
        temporary(&target).map_err(|source| OutputError::Write { path: shown.clone(), source })?;
        Ok(Output { path: shown, target: Target::File(target) })
    }

    /// Whether it is a regular file, or will be: what is written replaces it as a whole, or leaves it as it was.
    pub fn is_file(&self) -> bool {
        matches!(self.target, Target::File(_))
    }

    /// What messages call the file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Starts to write; nothing is there before [`OutputWriter::finish`].
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn writer(&self) -> Result<OutputWriter, OutputError> {
        let sink = match &self.target {
            Target::StandardOutput => Ok(Sink::StandardOutput(stdout())),
            Target::Direct(path) => File::options().write(true).open(path).map(Sink::Direct),
            Target::File(path) => temporary(path).map(|file| Sink::File(file, path.clone())),
        };
        match sink {
            Ok(sink) => {
                Ok(OutputWriter { path: self.path.clone(), writer: BufWriter::with_capacity(1 << 16, sink) })
            }
            Err(source) => Err(OutputError::Write { path: self.path.clone(), source }),
        }
    }

    /// Writes a whole file.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn write(&self, bytes: &[u8]) -> Result<(), OutputError> {
        let mut writer = self.writer()?;
        writer.write_all(bytes).map_err(|source| OutputError::Write { path: self.path.clone(), source })?;
        writer.finish()
    }

    /// Starts to write rows as CSV, below a line with the names of the columns.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn rows<Name: AsRef<str>>(&self, columns: &[Name]) -> Result<RowWriter, OutputError> {
        let mut rows =
            RowWriter { path: self.path.clone(), writer: ::csv::Writer::from_writer(self.writer()?) };
        rows.write(columns.iter().map(|name| name.as_ref()))?;
        Ok(rows)
    }
}

/// Writes to an [`Output`].
#[derive(Debug)]
pub struct OutputWriter {
    path: String,
    writer: BufWriter<Sink>,
}

#[derive(Debug)]
enum Sink {
    StandardOutput(Stdout),
    Direct(File),
    File(NamedTempFile, PathBuf),
}

impl OutputWriter {
    /// Writes what is left, to the disk where it is a file, and gives the file its name. Without this the
    /// file stays absent.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn finish(self) -> Result<(), OutputError> {
        let OutputWriter { path, writer } = self;
        let finish = || match writer.into_inner().map_err(io::IntoInnerError::into_error)? {
            Sink::File(file, target) => {
                file.as_file().sync_all()?;
                file.persist(target).map(drop).map_err(|error| error.error)
            }
            mut direct => direct.flush(),
        };
        finish().map_err(|source| OutputError::Write { path, source })
    }
}

impl Write for OutputWriter {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.writer.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Write for Sink {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Sink::StandardOutput(stdout) => stdout.write(buffer),
            Sink::Direct(file) => file.write(buffer),
            Sink::File(file, _) => file.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::StandardOutput(stdout) => stdout.flush(),
            Sink::Direct(file) => file.flush(),
            Sink::File(file, _) => file.flush(),
        }
    }
}

/// Writes rows of a CSV file; numbers are written so that reading them gives the same bits.
#[derive(Debug)]
pub struct RowWriter {
    path: String,
    writer: ::csv::Writer<OutputWriter>,
}

impl RowWriter {
    /// Writes a row of texts.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn write<Cell: AsRef<[u8]>>(
        &mut self,
        cells: impl IntoIterator<Item = Cell>,
    ) -> Result<(), OutputError> {
        let written = self.writer.write_record(cells);
        written.map_err(|error| OutputError::Write { path: self.path.clone(), source: plain(error) })
    }

    /// Writes a row of numbers, with an empty cell for NaN.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn write_numbers(&mut self, numbers: &[f64]) -> Result<(), OutputError> {
        let mut buffer = ryu::Buffer::new();
        numbers.iter().try_for_each(|number| self.cell(digits(*number, &mut buffer)))?;
        self.write([""; 0])
    }

    /// Writes the rows of a block, with empty cells where values are missing.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn write_block(&mut self, block: &Block) -> Result<(), OutputError> {
        let mut buffer = ryu::Buffer::new();
        for row in 0..block.rows() {
            for column in block.columns() {
                self.cell(match &column.cells {
                    Cells::Numbers(values) => digits(values[row], &mut buffer),
                    Cells::Text(texts) => texts[row].as_deref().unwrap_or_default(),
                })?;
            }
            self.write([""; 0])?;
        }
        Ok(())
    }

    /// Writes a cell; an empty row ends the row that it belongs to.
    fn cell(&mut self, text: &str) -> Result<(), OutputError> {
        let written = self.writer.write_field(text);
        written.map_err(|error| OutputError::Write { path: self.path.clone(), source: plain(error) })
    }

    /// Finishes the file, as [`OutputWriter::finish`] does.
    ///
    /// # Errors
    /// [`OutputError::Write`].
    pub fn finish(self) -> Result<(), OutputError> {
        let RowWriter { path, mut writer } = self;
        writer.flush().map_err(|source| OutputError::Write { path: path.clone(), source })?;
        match writer.into_inner() {
            Ok(output) => output.finish(),
            Err(error) => Err(OutputError::Write { path, source: io::Error::other(error.to_string()) }),
        }
    }
}

/// Writes a number with the fewest digits that lead back to it: 5 and 0.1 and 1e-7; nothing for NaN.
fn digits(number: f64, buffer: &mut ryu::Buffer) -> &str {
    if number.is_nan() {
        return "";
    }
    let digits = buffer.format(number);
    digits.strip_suffix(".0").unwrap_or(digits)
}

/// The error of the file within one of the CSV writer.
fn plain(error: ::csv::Error) -> io::Error {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}

/// The folder of a file.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A new file beside another, with the permissions that it has, or that new files have.
fn temporary(target: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".pushforward-");
    #[cfg(unix)]
    let new = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(new);
    let file = builder.tempfile_in(folder(target))?;
    if let Ok(metadata) = fs::metadata(target) {
        file.as_file().set_permissions(metadata.permissions())?;
    }
    Ok(file)
}

/// Whether two paths lead to one file.
fn same_file(a: &Path, b: &Path) -> bool {
    #[cfg(unix)]
    let b = if b == Path::new("-") { Path::new("/dev/stdin") } else { b };
    #[cfg(unix)]
    if let (Ok(a), Ok(b)) = (fs::metadata(a), fs::metadata(b)) {
        use std::os::unix::fs::MetadataExt;
        return (a.dev(), a.ino()) == (b.dev(), b.ino());
    }
    matches!((fs::canonicalize(a), fs::canonicalize(b)), (Ok(a), Ok(b)) if a == b)
}
