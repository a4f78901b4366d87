//! Files of tables in a folder of their own, which is removed with its last test.

use std::fs;
use std::path::{Path, PathBuf};

use pushforward::table::{Block, Cells, Column, Kinds, Look, ReadOptions, Reader, TableError};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file and returns its path.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// A message without the path of this folder.
    pub fn plain(&self, message: &str) -> String {
        message.replace(&format!("{}/", self.0.path().display()), "")
    }
}

/// Reads a file of these bytes.
pub fn read_with(bytes: impl AsRef<[u8]>, options: &ReadOptions) -> Result<(Block, String), TableError> {
    let folder = Folder::new();
    let mut reader = Reader::open(folder.file("table.csv", bytes), options)?;
    Ok((reader.read_all()?, reader.found().to_string()))
}

/// Reads a file of these bytes, about which nothing is said.
pub fn read(bytes: impl AsRef<[u8]>) -> Block {
    read_with(bytes, &ReadOptions::default()).unwrap().0
}

/// The message of the error that reading a file of these bytes gives.
pub fn refused(bytes: impl AsRef<[u8]>, options: &ReadOptions) -> String {
    let folder = Folder::new();
    let path = folder.file("table.csv", bytes);
    let read = Reader::open(&path, options).and_then(|mut reader| reader.read_all());
    folder.plain(&read.expect_err("it is read").to_string())
}

/// The numbers of a column.
pub fn numbers<'a>(block: &'a Block, name: &str) -> &'a [f64] {
    match &block.column(name).unwrap().cells {
        Cells::Numbers(values) => values,
        Cells::Text(texts) => panic!("{name} is text: {texts:?}"),
    }
}

/// The texts of a column, with "-" for missing ones.
pub fn texts<'a>(block: &'a Block, name: &str) -> Vec<&'a str> {
    match &block.column(name).unwrap().cells {
        Cells::Text(texts) => texts.iter().map(|text| text.as_deref().unwrap_or("-")).collect(),
        Cells::Numbers(values) => panic!("{name} is numbers: {values:?}"),
    }
}

/// A block of columns of numbers, whose first row is line 2.
pub fn block(columns: &[(&str, Vec<f64>)]) -> Block {
    let rows = columns[0].1.len() as u64;
    let column = |(name, values): &(&str, Vec<f64>)| Column {
        name: name.to_string(),
        cells: Cells::Numbers(values.clone()),
    };
    Block::new(columns.iter().map(column).collect(), (2..rows + 2).collect()).unwrap()
}

/// Numbers of a standard normal distribution, by Box and Muller.
pub fn normals(count: usize, seed: u64) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = || {
        let (u, v): (f64, f64) = (random.random(), random.random());
        (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    };
    (0..count).map(|_| draw()).collect()
}

/// A look at columns of numbers, without kinds of the user.
pub fn look(columns: &[(&str, Vec<f64>)]) -> Look {
    Look::of(&block(columns), &Kinds::new()).unwrap()
}
