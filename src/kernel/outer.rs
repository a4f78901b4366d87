//! Sums of outer products over lanes: the gradient of a matrix.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::elementwise::Operand;
use super::matrix::ROWS;
use super::product::Lanes;
use super::real::Real;

/// Elements of b that are run through for all of a before the next, in bytes: they stay in the second-level
/// cache.
const GROUP_BYTES: usize = 256 << 10;

/// Adds Σ over lanes of a bᵀ to `sums`: a matrix with a row for each element of `a` and a column for each of
/// `b`, row by row. No outer product of a lane is formed.
///
/// Lanes are summed in an order that depends on the instruction set and on the number of lanes, and on nothing
/// else.
///
/// # Panics
/// When a slice is too short, or when lanes overlap.
#[inline(always)]
pub fn add_outer<S: Simd, F: Real>(
    simd: S,
    a: &[F],
    b: &[F],
    lanes: Lanes,
    [rows, columns]: [usize; 2],
    sums: &mut [F],
) {
    simd.vectorize(Outer { a, b, lanes, rows, columns, sums });
}

struct Outer<'a, F> {
    a: &'a [F],
    b: &'a [F],
    lanes: Lanes,
    rows: usize,
    columns: usize,
    sums: &'a mut [F],
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
        // Four by three sums need 12 registers and 7 more for what is loaded.
        if S::REGISTER_COUNT >= 32 { self.blocks::<S, 3>(simd) } else { self.blocks::<S, 2>(simd) }
    }
}

impl<F: Real> Outer<'_, F> {
    #[inline(always)]
    fn blocks<S: Simd, const COLUMNS: usize>(&mut self, simd: S) {
        let element = (self.lanes.count * size_of::<F>()).max(1);
        let group = (GROUP_BYTES / element).max(COLUMNS) / COLUMNS * COLUMNS;
        for first_of_group in (0..self.columns).step_by(group) {
            let end = self.columns.min(first_of_group + group);
            for first_row in (0..self.rows).step_by(ROWS) {
                for first_column in (first_of_group..end).step_by(COLUMNS) {
                    self.block::<S, COLUMNS>(simd, first_row, first_column);
                }
            }
        }
    }

    /// Four rows and a few columns. At the edge the last row or column stands in for those beyond it, and
    /// what comes out for them is not written.
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

/// The lanes of the first of some elements; the last one again where there are no more.
#[inline(always)]
fn elements<F: Real, const COUNT: usize>(values: &[F], places: Range<usize>, lanes: Lanes) -> [&[F]; COUNT] {
    let mut elements: [&[F]; COUNT] = [&[]; COUNT];
    for (element, place) in elements.iter_mut().zip(places.start..) {
        *element = &values[place.min(places.end - 1) * lanes.stride..][..lanes.count];
    }
    elements
}

/// The whole registers of elements.
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

/// What is left of elements beyond their whole registers, and zeros.
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

/// The registers in one place.
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
