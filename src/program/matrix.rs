//! Shared matrices, laid out for products over lanes.
//!
//! A product reads its rows where they are: if only some elements of a block are multiplied, or in another order, the
//! columns of the matrix are permuted accordingly, with structural zeros between them. Transposes and masks of zeros
//! and ones are part of the layout too, so that neither is computed.

use crate::kernel::PackedMatrix;
use crate::numeric::Number;

/// The index of a matrix of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MatrixId(pub usize);

impl MatrixId {
    /// Returns the matrix, or what is stored for it.
    pub fn of<T>(self, all: &[T]) -> &T {
        &all[self.0]
    }
}

/// The layout of a matrix for products: the source of its numbers, and which of its entries are structural zeros.
#[derive(Clone, Debug)]
pub(super) struct Matrix {
    /// Where the source begins among the shared numbers, and its rows and columns.
    source: (usize, usize, usize),
    transposed: bool,
    /// Structural zeros in the order of the source, if the matrix has all of its entries; empty where there are none.
    zeros: Vec<bool>,
    /// For each entry its index in the source, or none; empty if the matrix has all entries of the source.
    entries: Vec<u32>,
    /// The number of columns that are read.
    pub width: usize,
    rows: usize,
    /// The number of entries that are not structural zeros.
    pub nonzeros: usize,
}

/// A matrix with its numbers, in the order of the kernels.
#[derive(Clone, Debug)]
pub(super) struct Packed<F> {
    packed: PackedMatrix<F>,
    values: Vec<F>,
}

/// No source: a structural zero.
const NONE: u32 = u32::MAX;

/// The specification of a matrix.
pub(super) struct Layout<'a> {
    /// Where its source begins among the shared numbers, and the rows and columns of the source.
    pub source: (usize, usize, usize),
    /// Whether it is the transpose of the source.
    pub transposed: bool,
    /// Structural zeros of the matrix itself, row by row; empty where it has none.
    pub zeros: &'a [bool],
    /// Its rows, in the order of the results.
    pub rows: &'a [usize],
    /// For each of its columns the position among those that are read.
    pub columns: &'a [usize],
    /// The number of columns that are read.
    pub width: usize,
}

impl Matrix {
    pub(super) fn new(layout: &Layout<'_>) -> Matrix {
        let Layout { source, transposed, zeros, .. } = *layout;
        let (_, source_rows, source_columns) = source;
        let columns = if transposed { source_rows } else { source_columns };
        let source_of = |row: usize, column: usize| match transposed {
            true => column * source_columns + row,
            false => row * source_columns + column,
        };
        let is_zero = |row: usize, column: usize| !zeros.is_empty() && zeros[row * columns + column];
        let all_rows = if transposed { source_columns } else { source_rows };
        let natural = |list: &[usize], count: usize| {
            list.len() == count && list.iter().enumerate().all(|(k, place)| k == *place)
        };
        let whole =
            natural(layout.rows, all_rows) && natural(layout.columns, columns) && layout.width == columns;
        let mut matrix = Matrix {
            source,
            transposed,
            zeros: Vec::new(),
            entries: Vec::new(),
            width: layout.width,
            rows: layout.rows.len(),
            nonzeros: 0,
        };
        if whole {
            if zeros.is_empty() {
                matrix.nonzeros = all_rows * columns;
                return matrix;
            }
            matrix.zeros = vec![false; all_rows * columns];
            for row in 0..all_rows {
                for column in 0..columns {
                    match is_zero(row, column) {
                        true => matrix.zeros[source_of(row, column)] = true,
                        false => matrix.nonzeros += 1,
                    }
                }
            }
            return matrix;
        }
        matrix.entries = vec![NONE; layout.rows.len() * layout.width];
        for (at, row) in layout.rows.iter().enumerate() {
            for (column, place) in layout.columns.iter().enumerate() {
                if !is_zero(*row, column) {
                    matrix.entries[at * layout.width + place] = source_of(*row, column) as u32;
                    matrix.nonzeros += 1;
                }
            }
        }
        matrix
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Where the source begins among the shared numbers.
    pub(super) fn start(&self) -> usize {
        self.source.0
    }
}

impl<F: Number> Packed<F> {
    pub(super) fn new(matrix: &Matrix) -> Packed<F> {
        let (_, rows, columns) = matrix.source;
        let packed = match (matrix.entries.is_empty(), matrix.transposed) {
            (true, true) => PackedMatrix::transposed(rows, columns, &matrix.zeros),
            (true, false) => PackedMatrix::new(rows, columns, &matrix.zeros),
            (false, _) => {
                let zeros: Vec<bool> = matrix.entries.iter().map(|entry| *entry == NONE).collect();
                PackedMatrix::new(matrix.rows, matrix.width, &zeros)
            }
        };
        Packed { packed, values: vec![F::zero(); matrix.entries.len()] }
    }

    /// Copies the numbers from among the shared ones.
    pub(super) fn load(&mut self, matrix: &Matrix, shared: &[F]) {
        let (start, rows, columns) = matrix.source;
        self.load_from(matrix, &shared[start..start + rows * columns]);
    }

    /// Copies the numbers of the source.
    pub(super) fn load_from(&mut self, matrix: &Matrix, source: &[F]) {
        if matrix.entries.is_empty() {
            self.packed.load(source);
            return;
        }
        for (value, entry) in self.values.iter_mut().zip(&matrix.entries).filter(|(_, entry)| **entry != NONE)
        {
            *value = source[*entry as usize];
        }
        self.packed.load(&self.values);
    }

    pub(super) fn packed(&self) -> &PackedMatrix<F> {
        &self.packed
    }
}
