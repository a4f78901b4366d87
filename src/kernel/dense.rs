//! Products of dense matrices that lie row by row in one memory, as blocks of a larger matrix.
//!
//! A tile of the result, some rows by some registers of columns, is summed in registers. Each of its terms is a number
//! of A, read where it is, times a register of B. The columns of B that a strip of tiles reads are copied side by side
//! if enough tiles share them, because rows at a power of two from each other would compete for the same cache lines.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::real::{Real, WIDEST};

/// Registers of columns of a tile.
const REGISTERS: usize = 3;
/// The number of terms that are summed before they are subtracted: their part of B stays in the first-level cache. It
/// is the same for every tile, so that each number of the result is rounded in the same way wherever it lies.
const TERMS: usize = 128;
/// From this many rows on, B is copied.
const ENOUGH_ROWS: usize = 32;

/// The places of three blocks in rows of `stride` numbers.
#[derive(Clone, Debug)]
pub struct Blocks {
    /// Distance from one row to the next.
    pub stride: usize,
    /// The columns of A, as many as B has rows.
    pub inner: Range<usize>,
    /// The columns of B and of the result.
    pub columns: Range<usize>,
}

/// Subtracts A·B from some columns of whole `rows`, which hold A in other columns. The first row of B is the first of
/// `above`. Each number of the result is summed in the same order in any block.
///
/// `panel` is scratch memory.
///
/// # Panics
/// When the rows are not whole, when there are fewer than the blocks need, or when A and the result have columns in
/// common.
#[inline(always)]
pub fn subtract_product<S: Simd, F: Real>(
    simd: S,
    above: &[F],
    rows: &mut [F],
    blocks: &Blocks,
    panel: &mut Vec<F>,
) {
    simd.vectorize(SubtractProduct { above, rows, blocks, panel });
}

struct SubtractProduct<'a, F> {
    above: &'a [F],
    rows: &'a mut [F],
    blocks: &'a Blocks,
    panel: &'a mut Vec<F>,
}

impl<F: Real> WithSimd for SubtractProduct<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Blocks { inner, columns, .. } = self.blocks.clone();
        assert!(inner.end <= columns.start || columns.end <= inner.start, "A and the result overlap");
        if columns.is_empty() {
            return;
        }
        assert_eq!(self.rows.len() % self.blocks.stride, 0, "whole rows");
        let width = F::lanes::<S>();
        for first in inner.clone().step_by(TERMS) {
            let terms = first..inner.end.min(first + TERMS);
            let skipped = first - inner.start;
            let mut column = columns.start;
            while column < columns.end {
                let left = columns.end - column;
                let count = left.min(REGISTERS * width);
                let own = column..column + count;
                match count.div_ceil(width) {
                    3 => self.strip::<S, 3>(simd, terms.clone(), skipped, own),
                    2 => self.strip::<S, 2>(simd, terms.clone(), skipped, own),
                    _ => self.strip::<S, 1>(simd, terms.clone(), skipped, own),
                }
                column += count;
            }
        }
    }
}

/// The numbers of B that a strip of tiles reads.
#[derive(Clone, Copy)]
struct Factor<'a, F> {
    numbers: &'a [F],
    stride: usize,
}

impl<F: Real> SubtractProduct<'_, F> {
    /// Updates all rows in some columns, up to `N` registers of them.
    #[inline(always)]
    fn strip<S: Simd, const N: usize>(
        &mut self,
        simd: S,
        terms: Range<usize>,
        skipped: usize,
        columns: Range<usize>,
    ) {
        let stride = self.blocks.stride;
        let width = N * F::lanes::<S>();
        let partial = columns.len() < width;
        let count = self.rows.len() / stride;
        let b = &self.above[skipped * stride + columns.start..];
        let factor = if partial || count >= ENOUGH_ROWS {
            let needed = terms.len() * width;
            if self.panel.len() < needed {
                self.panel.resize(needed, F::ZERO);
            }
            for (k, copy) in self.panel.chunks_exact_mut(width).take(terms.len()).enumerate() {
                copy[..columns.len()].copy_from_slice(&b[k * stride..][..columns.len()]);
                copy[columns.len()..].fill(F::ZERO);
            }
            Factor { numbers: &self.panel[..], stride: width }
        } else {
            Factor { numbers: b, stride }
        };
        let mut rest = &mut self.rows[..];
        // Sums, numbers of B and one of A: 8 rows take 28 registers, 4 rows take 16.
        if S::REGISTER_COUNT >= 32 {
            rest = tiles::<S, F, 8, N>(simd, rest, stride, &terms, &columns, factor);
        }
        rest = tiles::<S, F, 4, N>(simd, rest, stride, &terms, &columns, factor);
        tiles::<S, F, 1, N>(simd, rest, stride, &terms, &columns, factor);
    }
}

/// Updates as many whole tiles as there are; returns the rows below them.
#[inline(always)]
fn tiles<'a, S: Simd, F: Real, const ROWS: usize, const N: usize>(
    simd: S,
    mut rows: &'a mut [F],
    stride: usize,
    terms: &Range<usize>,
    columns: &Range<usize>,
    factor: Factor<'_, F>,
) -> &'a mut [F] {
    while rows.len() >= ROWS * stride {
        let (own, below) = rows.split_at_mut(ROWS * stride);
        rows = below;
        let a: [&[F]; ROWS] = std::array::from_fn(|row| &own[row * stride + terms.start..][..terms.len()]);
        let sums = tile::<S, F, ROWS, N>(simd, a, factor, [[F::splat(simd, F::ZERO); N]; ROWS]);
        for (row, sums) in sums.iter().enumerate() {
            let out = &mut own[row * stride..][columns.clone()];
            subtract::<S, F, N>(simd, out, sums);
        }
    }
    rows
}

type Sums<S, F, const ROWS: usize, const N: usize> = [[<F as Real>::Register<S>; N]; ROWS];

/// Adds the products of one tile. The sums are passed by value, as those of [`multiply`](super::multiply).
#[allow(clippy::needless_range_loop)]
#[inline(always)]
fn tile<S: Simd, F: Real, const ROWS: usize, const N: usize>(
    simd: S,
    a: [&[F]; ROWS],
    factor: Factor<'_, F>,
    mut sums: Sums<S, F, ROWS, N>,
) -> Sums<S, F, ROWS, N> {
    let width = N * F::lanes::<S>();
    let count = a[0].len();
    let a = a.map(|row| &row[..count]);
    for k in 0..count {
        let (b, _) = F::registers::<S>(&factor.numbers[k * factor.stride..][..width]);
        for row in 0..ROWS {
            let number = F::splat(simd, a[row][k]);
            for place in 0..N {
                sums[row][place] = F::product_sum(simd, number, b[place], sums[row][place]);
            }
        }
    }
    sums
}

/// `out -= sums`; columns beyond the last are not written.
#[inline(always)]
fn subtract<S: Simd, F: Real, const N: usize>(simd: S, out: &mut [F], sums: &[F::Register<S>; N]) {
    let width = F::lanes::<S>();
    if out.len() == N * width {
        let (out, _) = F::registers_mut::<S>(out);
        for (value, sum) in out.iter_mut().zip(sums) {
            *value = F::difference(simd, *value, *sum);
        }
        return;
    }
    for (out, sum) in out.chunks_mut(width).zip(sums) {
        let mut numbers = [F::ZERO; WIDEST];
        F::registers_mut::<S>(&mut numbers).0[0] = *sum;
        for (value, number) in out.iter_mut().zip(numbers) {
            *value = *value - number;
        }
    }
}
