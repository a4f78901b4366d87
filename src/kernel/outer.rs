//! Sums of outer products over lanes: the gradient with respect to a matrix.
//!
//! For a large matrix, b is transposed first, so that the columns of the sums are adjacent in registers and
//! one lane after another is added to them. With few rows or columns, the lanes of each entry are summed in a
//! register of its own, which is reduced at the end.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::elementwise::Operand;
use super::matrix::ROWS;
use super::product::Lanes;
use super::real::{Real, WIDEST};
use super::transpose::transpose;

/// Lanes that are transposed at a time: this number stays in the first-level cache.
const LANES_AT_ONCE: usize = 128;

/// With fewer rows than this, transposing b costs more than reducing registers.
const FEWEST_ROWS: usize = 24;

/// Entry mask of a sum of outer products: for every four rows, the range of columns from the first wanted to
/// the last. Other entries may be left unchanged.
#[derive(Clone, Debug)]
pub struct EntryMask {
    shape: [usize; 2],
    /// For every four rows; empty where all entries are wanted.
    columns: Vec<Range<usize>>,
}

impl EntryMask {
    /// Builds a mask of all entries but the structural zeros, marked by rows; `zeros` is empty if there are
    /// none.
    ///
    /// # Panics
    /// When `zeros` is neither empty nor as long as the matrix.
    pub fn new([rows, columns]: [usize; 2], zeros: &[bool]) -> EntryMask {
        assert!(
            zeros.is_empty() || zeros.len() == rows * columns,
            "a structural zero or none for each entry"
        );
        if zeros.is_empty() || columns == 0 {
            return EntryMask { shape: [rows, columns], columns: Vec::new() };
        }
        let of_rows = |own: &[bool]| {
            let needed = |column: &usize| own.iter().skip(*column).step_by(columns).any(|zero| !zero);
            let first = (0..columns).find(needed).unwrap_or(columns);
            first..(first..columns).rfind(needed).map_or(first, |last| last + 1)
        };
        let columns = zeros.chunks(ROWS * columns).map(of_rows).collect();
        EntryMask { shape: [rows, zeros.len() / rows], columns }
    }

    /// Returns the mask of some rows; the first is a multiple of four.
    ///
    /// # Panics
    /// When it is not.
    pub fn rows(&self, rows: Range<usize>) -> EntryMask {
        assert!(rows.start.is_multiple_of(ROWS), "rows from {} on: not a multiple of {ROWS}", rows.start);
        let blocks = rows.start / ROWS..rows.end.div_ceil(ROWS);
        let columns = if self.columns.is_empty() { Vec::new() } else { self.columns[blocks].to_vec() };
        EntryMask { shape: [rows.len(), self.shape[1]], columns }
    }

    /// Number of wanted entries.
    pub fn entries(&self) -> usize {
        let [rows, _] = self.shape;
        (0..rows).step_by(ROWS).map(|row| self.of(row).len() * ROWS.min(rows - row)).sum()
    }

    /// Rows and columns of the matrix.
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// Returns the wanted columns of the four rows from `row` on.
    fn of(&self, row: usize) -> Range<usize> {
        self.columns.get(row / ROWS).cloned().unwrap_or(0..self.shape[1])
    }
}

/// Adds Σ over lanes of a bᵀ to `sums`: a matrix by rows, with a row for each element of `a` and a column for
/// each of `b`. Outer products of single lanes are not stored. Entries outside of the mask may or may not be
/// updated.
///
/// The order of summation depends only on the instruction set and on the number of lanes and columns. `panel`
/// is scratch memory.
///
/// # Panics
/// When a slice is too short, or when lanes overlap.
#[inline(always)]
pub fn add_outer<S: Simd, F: Real>(
    simd: S,
    a: &[F],
    b: &[F],
    lanes: Lanes,
    mask: &EntryMask,
    sums: &mut [F],
    panel: &mut Vec<F>,
) {
    let [rows, columns] = mask.shape;
    simd.vectorize(Outer { a, b, lanes, rows, columns, mask, sums, panel });
}

struct Outer<'a, F> {
    a: &'a [F],
    b: &'a [F],
    lanes: Lanes,
    rows: usize,
    columns: usize,
    mask: &'a EntryMask,
    sums: &'a mut [F],
    panel: &'a mut Vec<F>,
}

impl<F: Real> WithSimd for Outer<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.lanes.check(self.rows, self.a.len());
        self.lanes.check(self.columns, self.b.len());
        assert!(self.sums.len() >= self.rows * self.columns, "a sum for each row and column");
        if self.rows == 0 || self.columns == 0 {
            return;
        }
        let size = F::lanes::<S>();
        if size == 1 || self.columns < size || self.rows < FEWEST_ROWS {
            // 4×3 sums need 12 registers, and 7 more for loaded values.
            if S::REGISTER_COUNT >= 32 {
                self.blocks::<S, 3>(simd)
            } else {
                self.blocks::<S, 2>(simd)
            }
            return;
        }
        // The number of columns that are summed together, where there are enough.
        let width = if S::REGISTER_COUNT >= 32 { 4 * size } else { 2 * size };
        for column in (0..self.columns).step_by(width) {
            self.panel::<S>(simd, column, (self.columns - column).min(width));
        }
    }
}

impl<F: Real> Outer<'_, F> {
    /// Adds all rows of some columns, which are adjacent in registers.
    #[inline(always)]
    fn panel<S: Simd>(&mut self, simd: S, column: usize, count: usize) {
        let size = F::lanes::<S>();
        let width = count.next_multiple_of(size);
        let Lanes { stride, .. } = self.lanes;
        for first in (0..self.lanes.count).step_by(LANES_AT_ONCE) {
            let own = LANES_AT_ONCE.min(self.lanes.count - first);
            if self.panel.len() < own * width {
                self.panel.resize(own * width, F::ZERO);
            }
            let lanes = Lanes { count: own, stride };
            transpose::<S, F>(&self.b[first..], lanes, [column, count], width, self.panel);
            for row in (0..self.rows).step_by(ROWS) {
                let columns = self.mask.of(row);
                let start = columns.start.saturating_sub(column) / size * size;
                let end = columns.end.saturating_sub(column).min(count);
                let strip = Strip {
                    a: elements::<F, ROWS>(&self.a[first..], row..self.rows, lanes),
                    panel: &self.panel[..own * width],
                    width,
                    rows: ROWS.min(self.rows - row),
                };
                let mut place = start;
                while place < end {
                    let sums = &mut self.sums[row * self.columns + column + place..];
                    let left = end - place;
                    if S::REGISTER_COUNT >= 32 && left > 2 * size && place + 4 * size <= width {
                        strip.add::<S, 4>(simd, place, sums, self.columns, (count - place).min(4 * size));
                        place += 4 * size;
                    } else if left > size && place + 2 * size <= width {
                        strip.add::<S, 2>(simd, place, sums, self.columns, (count - place).min(2 * size));
                        place += 2 * size;
                    } else {
                        strip.add::<S, 1>(simd, place, sums, self.columns, (count - place).min(size));
                        place += size;
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn blocks<S: Simd, const COLUMNS: usize>(&mut self, simd: S) {
        for first_row in (0..self.rows).step_by(ROWS) {
            for first_column in (0..self.columns).step_by(COLUMNS) {
                self.block::<S, COLUMNS>(simd, first_row, first_column);
            }
        }
    }

    /// Adds four rows and a few columns. At the edge the last row or column is repeated, and the results of
    /// the repeated ones are not written.
    #[inline(always)]
    fn block<S: Simd, const COLUMNS: usize>(&mut self, simd: S, first_row: usize, first_column: usize) {
        let a = elements::<F, ROWS>(self.a, first_row..self.rows, self.lanes);
        let b = elements::<F, COLUMNS>(self.b, first_column..self.columns, self.lanes);
        let mut sums = [[F::splat(simd, F::ZERO); COLUMNS]; ROWS];
        let steps = self.lanes.count / F::lanes::<S>();
        let (a_whole, b_whole) = (whole::<S, F, ROWS>(a, steps), whole::<S, F, COLUMNS>(b, steps));
        for step in 0..steps {
            add_products::<S, F, ROWS, COLUMNS>(simd, at(a_whole, step), at(b_whole, step), &mut sums);
        }
        if !self.lanes.count.is_multiple_of(F::lanes::<S>()) {
            let (a, b) = (remainders::<S, F, ROWS>(simd, a), remainders::<S, F, COLUMNS>(simd, b));
            add_products::<S, F, ROWS, COLUMNS>(simd, a, b, &mut sums);
        }
        for (row, sums) in (first_row..self.rows).zip(sums) {
            for (column, sum) in (first_column..self.columns).zip(sums) {
                let entry = &mut self.sums[row * self.columns + column];
                *entry = *entry + F::total(simd, sum);
            }
        }
    }
}

/// Up to four rows of the sums and the columns of one panel.
struct Strip<'a, F> {
    /// The lanes of each row; the last one is repeated beyond the end.
    a: [&'a [F]; ROWS],
    /// The numbers of the columns, lane after lane.
    panel: &'a [F],
    width: usize,
    rows: usize,
}

impl<F: Real> Strip<'_, F> {
    /// Adds some columns of the panel to the sums of these columns.
    #[inline(always)]
    fn add<S: Simd, const REGISTERS: usize>(
        &self,
        simd: S,
        place: usize,
        sums: &mut [F],
        stride: usize,
        columns: usize,
    ) {
        let width = REGISTERS * F::lanes::<S>();
        let lanes = self.panel.len() / self.width;
        let a = self.a.map(|a| &a[..lanes]);
        let mut tile = [[F::splat(simd, F::ZERO); REGISTERS]; ROWS];
        assert!(place + width <= self.width, "columns of the panel");
        for (lane, b) in self.panel.chunks_exact(self.width).enumerate().take(lanes) {
            let (b, _) = F::registers::<S>(&b[place..place + width]);
            for row in 0..ROWS {
                let a = F::splat(simd, a[row][lane]);
                for place in 0..REGISTERS {
                    tile[row][place] = F::product_sum(simd, a, b[place], tile[row][place]);
                }
            }
        }
        for (row, tile) in tile.iter().enumerate().take(self.rows) {
            let own = &mut sums[row * stride..][..columns];
            if columns == width {
                add::<S, F>(simd, own, tile);
            } else {
                let mut buffer = [F::ZERO; 4 * WIDEST];
                buffer[..columns].copy_from_slice(own);
                add::<S, F>(simd, &mut buffer[..width], tile);
                own.copy_from_slice(&buffer[..columns]);
            }
        }
    }
}

/// Adds registers to adjacent numbers.
#[inline(always)]
fn add<S: Simd, F: Real>(simd: S, sums: &mut [F], tile: &[F::Register<S>]) {
    let (registers, _) = F::registers_mut::<S>(sums);
    for (register, sum) in registers.iter_mut().zip(tile) {
        *register = F::sum(simd, *register, *sum);
    }
}

/// Returns the lanes of consecutive elements; the last one is repeated beyond the end.
#[inline(always)]
fn elements<F: Real, const COUNT: usize>(values: &[F], places: Range<usize>, lanes: Lanes) -> [&[F]; COUNT] {
    let mut elements: [&[F]; COUNT] = [&[]; COUNT];
    for (element, place) in elements.iter_mut().zip(places.start..) {
        *element = &values[place.min(places.end - 1) * lanes.stride..][..lanes.count];
    }
    elements
}

/// Returns the whole registers of elements.
#[inline(always)]
fn whole<S: Simd, F: Real, const COUNT: usize>(
    elements: [&[F]; COUNT],
    steps: usize,
) -> [&[F::Register<S>]; COUNT] {
    let mut registers: [&[F::Register<S>]; COUNT] = [&[]; COUNT];
    for (registers, element) in registers.iter_mut().zip(elements) {
        *registers = &F::registers::<S>(element).0[..steps];
    }
    registers
}

/// Returns the numbers beyond the whole registers, filled up with zeros.
#[inline(always)]
fn remainders<S: Simd, F: Real, const COUNT: usize>(
    simd: S,
    elements: [&[F]; COUNT],
) -> [F::Register<S>; COUNT] {
    let mut registers = [F::splat(simd, F::ZERO); COUNT];
    for (register, element) in registers.iter_mut().zip(elements) {
        *register = element.remainder(simd);
    }
    registers
}

/// Returns the registers at one position.
#[inline(always)]
fn at<R: Copy, const COUNT: usize>(registers: [&[R]; COUNT], step: usize) -> [R; COUNT] {
    let mut at = [registers[0][step]; COUNT];
    for (at, registers) in at.iter_mut().zip(registers) {
        *at = registers[step];
    }
    at
}

#[inline(always)]
fn add_products<S: Simd, F: Real, const ROWS: usize, const COLUMNS: usize>(
    simd: S,
    a: [F::Register<S>; ROWS],
    b: [F::Register<S>; COLUMNS],
    sums: &mut [[F::Register<S>; COLUMNS]; ROWS],
) {
    for (sums, a) in sums.iter_mut().zip(a) {
        for (sum, b) in sums.iter_mut().zip(b) {
            *sum = F::product_sum(simd, a, b, *sum);
        }
    }
}
