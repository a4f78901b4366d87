//! Matrices packed for products over lanes, without their structural zeros.
//!
//! Rows are grouped into blocks of four. A block stores only the columns in which some row is not a
//! structural zero: for a masked network with units sorted by degree, about half of them. A column in which a
//! block has both zeros and other entries is an *edge*: it has a mask for each row, all bits or none, that
//! replaces the loaded number by 0, so that not even an infinity passes a structural zero.

use std::ops::Range;

use super::real::Real;

/// Rows of a block.
pub(super) const ROWS: usize = 4;
/// A matrix up to this size is read from the third-level cache again for each panel of lanes, at no cost; a
/// larger one is split into groups of blocks that stay in the second-level cache.
const LARGE_BYTES: usize = 8 << 20;
/// Columns and bytes of a group.
const GROUP_COLUMNS: usize = 512;
const GROUP_BYTES: usize = 512 << 10;

/// Blocks whose numbers are loaded together.
const BLOCKS_AT_ONCE: usize = 4;

/// A matrix for [`multiply`](super::multiply). Its layout depends on its structural zeros and is built once;
/// its numbers are loaded whenever they change.
#[derive(Clone, Debug)]
pub struct PackedMatrix<F> {
    rows: usize,
    columns: usize,
    /// Distances between neighbours in a column and in a row of the loaded values.
    strides: [usize; 2],
    entries: Vec<F>,
    runs: Vec<Run>,
    blocks: Vec<Block>,
    groups: Vec<Group>,
}

/// Adjacent columns that are all edges, or that all have no structural zeros.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub columns: Range<usize>,
    pub edge: bool,
}

/// Up to four rows.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub rows: Range<usize>,
    pub entries: Range<usize>,
    pub runs: Range<usize>,
}

impl Block {
    /// Number of computed rows: two or four; those beyond the last are zeros and are not written.
    pub fn height(&self) -> usize {
        if self.rows.len() <= 2 { 2 } else { ROWS }
    }
}

/// Blocks that are multiplied with all panels of lanes before the next group.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub blocks: Range<usize>,
    pub columns: Range<usize>,
}

impl<F: Real> PackedMatrix<F> {
    /// Builds the layout of a matrix, with all numbers 0. `zeros` marks its structural zeros by rows; it is
    /// empty if there are none.
    ///
    /// # Panics
    /// When `zeros` is neither empty nor as long as the matrix.
    pub fn new(rows: usize, columns: usize, zeros: &[bool]) -> PackedMatrix<F> {
        PackedMatrix::with_strides([rows, columns], [columns, 1], zeros)
    }

    /// Builds the layout of the transpose of a matrix with `rows` rows and `columns` columns. Structural
    /// zeros and numbers are given in the order of the matrix itself.
    ///
    /// # Panics
    /// When `zeros` is neither empty nor as long as the matrix.
    pub fn transposed(rows: usize, columns: usize, zeros: &[bool]) -> PackedMatrix<F> {
        PackedMatrix::with_strides([columns, rows], [1, columns], zeros)
    }

    fn with_strides([rows, columns]: [usize; 2], strides: [usize; 2], zeros: &[bool]) -> PackedMatrix<F> {
        assert!(
            zeros.is_empty() || zeros.len() == rows * columns,
            "a structural zero or none for each entry"
        );
        let mut packed = PackedMatrix {
            rows,
            columns,
            strides,
            entries: Vec::new(),
            runs: Vec::new(),
            blocks: Vec::new(),
            groups: Vec::new(),
        };
        let is_zero =
            |row: usize, column: usize| !zeros.is_empty() && zeros[row * strides[0] + column * strides[1]];
        let large = rows * columns * size_of::<F>() > LARGE_BYTES;
        let width = if large { GROUP_COLUMNS } else { columns.max(1) };
        let height = if large { GROUP_BYTES / (GROUP_COLUMNS * size_of::<F>()) } else { rows.max(1) };
        // A matrix without columns still has a result, all zeros.
        for first in (0..columns.max(1)).step_by(width) {
            for top in (0..rows).step_by(height) {
                let columns = first..columns.min(first + width);
                packed.push_group(top..rows.min(top + height), columns, is_zero, zeros.is_empty());
            }
        }
        packed
    }

    fn push_group(
        &mut self,
        rows: Range<usize>,
        columns: Range<usize>,
        is_zero: impl Fn(usize, usize) -> bool,
        dense: bool,
    ) {
        let first = self.blocks.len();
        for top in rows.clone().step_by(ROWS) {
            self.push_block(top..rows.end.min(top + ROWS), columns.clone(), &is_zero, dense);
        }
        self.groups.push(Group { blocks: first..self.blocks.len(), columns });
    }

    fn push_block(
        &mut self,
        rows: Range<usize>,
        columns: Range<usize>,
        is_zero: impl Fn(usize, usize) -> bool,
        dense: bool,
    ) {
        let (first_entry, first_run) = (self.entries.len(), self.runs.len());
        let mut block = Block { rows, entries: 0..0, runs: 0..0 };
        if columns.is_empty() {
            self.blocks.push(Block {
                entries: first_entry..first_entry,
                runs: first_run..first_run,
                ..block
            });
            return;
        }
        if dense {
            self.entries.resize(first_entry + columns.len() * block.height(), F::ZERO);
            self.runs.push(Run { columns: columns.clone(), edge: false });
        }
        for column in if dense { 0..0 } else { columns } {
            let kept = block.rows.clone().filter(|row| !is_zero(*row, column)).count();
            if kept == 0 {
                continue;
            }
            let edge = kept < block.rows.len();
            match self.runs[first_run..].last_mut() {
                Some(run) if run.edge == edge && run.columns.end == column => run.columns.end += 1,
                _ => self.runs.push(Run { columns: column..column + 1, edge }),
            }
            let beyond = block.height() - block.rows.len();
            self.entries.resize(self.entries.len() + block.height(), F::ZERO);
            if edge {
                let mask = |row| if is_zero(row, column) { F::ZERO } else { F::ALL_BITS };
                self.entries.extend(block.rows.clone().map(mask));
                self.entries.resize(self.entries.len() + beyond, F::ZERO);
            }
        }
        block.entries = first_entry..self.entries.len();
        block.runs = first_run..self.runs.len();
        self.blocks.push(block);
    }

    /// Loads the numbers of the matrix, by rows; those of structural zeros are not read.
    ///
    /// # Panics
    /// When the number of values differs from the size of the matrix.
    pub fn load(&mut self, values: &[F]) {
        assert_eq!(values.len(), self.rows * self.columns, "the numbers of a packed matrix");
        let [down, right] = self.strides;
        for group in &self.groups {
            // A few blocks at a time, column by column: for a transpose they are in the same cache lines.
            for blocks in self.blocks[group.blocks.clone()].chunks(BLOCKS_AT_ONCE) {
                let whole = blocks.iter().all(|block| {
                    let run = &self.runs[block.runs.start..block.runs.end];
                    block.rows.len() == ROWS
                        && matches!(run, [run] if run.columns == group.columns && !run.edge)
                });
                if !whole {
                    for block in blocks {
                        load_block(block, &self.runs, &mut self.entries, values, self.strides);
                    }
                    continue;
                }
                // The blocks are contiguous.
                let start = blocks[0].entries.start;
                let size = ROWS * group.columns.len();
                let entries = &mut self.entries[start..start + blocks.len() * size];
                let first = blocks[0].rows.start;
                if down == 1 {
                    for (step, column) in group.columns.clone().enumerate() {
                        let numbers = &values[column * right + first..][..blocks.len() * ROWS];
                        for (block, own) in numbers.chunks_exact(ROWS).enumerate() {
                            entries[block * size + step * ROWS..][..ROWS].copy_from_slice(own);
                        }
                    }
                    continue;
                }
                for (block, entries) in blocks.iter().zip(entries.chunks_exact_mut(size)) {
                    let row = |k: usize| &values[(block.rows.start + k) * down..][group.columns.clone()];
                    let rows = row(0).iter().zip(row(1)).zip(row(2)).zip(row(3));
                    for (own, (((a, b), c), d)) in entries.chunks_exact_mut(ROWS).zip(rows) {
                        own.copy_from_slice(&[*a, *b, *c, *d]);
                    }
                }
            }
        }
    }

    /// Rows of the left factor.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of the left factor.
    pub fn columns(&self) -> usize {
        self.columns
    }

    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    pub(super) fn blocks(&self, group: &Group) -> &[Block] {
        &self.blocks[group.blocks.clone()]
    }

    pub(super) fn runs(&self, block: &Block) -> &[Run] {
        &self.runs[block.runs.clone()]
    }

    pub(super) fn entries(&self, block: &Block) -> &[F] {
        &self.entries[block.entries.clone()]
    }
}

/// Loads the numbers of one block, entry by entry.
fn load_block<F: Real>(
    block: &Block,
    runs: &[Run],
    entries: &mut [F],
    values: &[F],
    [down, right]: [usize; 2],
) {
    let height = block.height();
    let mut entries = &mut entries[block.entries.clone()];
    for run in &runs[block.runs.clone()] {
        for column in run.columns.clone() {
            let (own, rest) = entries.split_at_mut(if run.edge { 2 * height } else { height });
            let (numbers, masks) = own.split_at_mut(height);
            for (place, row) in block.rows.clone().enumerate() {
                let is_zero = run.edge && masks[place] == F::ZERO;
                if !is_zero {
                    numbers[place] = values[row * down + column * right];
                }
            }
            entries = rest;
        }
    }
}
