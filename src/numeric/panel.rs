//! The small steps of an LU decomposition: the elimination of a few columns, and forward substitution in a few rows.
//!
//! Products are rounded before they are subtracted, so that a row which is an exact multiple of another becomes 0.

use std::ops::Range;

use super::number::Number;
use crate::kernel::{Lanes, Simd, Vector, WithSimd, transpose};

/// Up to this many columns are eliminated one by one, and up to this many rows are solved at a time.
pub(super) const FEW: usize = 8;
/// The largest number of lanes of a register.
const WIDEST: usize = 16;

/// Eliminates a few columns of whole rows, choosing pivots, and swaps whole rows accordingly.
///
/// The columns are worked on in a copy, in which each is contiguous.
pub(super) struct EliminateFew<'a, F> {
    /// Numbers of a row.
    pub d: usize,
    /// The rows from the first pivot on.
    pub rows: &'a mut [F],
    pub columns: Range<usize>,
    /// Scratch memory.
    pub copies: &'a mut [Vec<F>; 2],
}

impl<F: Number> WithSimd for EliminateFew<'_, F> {
    /// For each column, the row that was its pivot; it was then swapped with the row of the same number as the column.
    type Output = [usize; FEW];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [usize; FEW] {
        let EliminateFew { d, rows, columns, copies: [copy, back] } = self;
        let (width, count) = (F::lanes::<S>(), rows.len() / d);
        // Rows above the pivot of a column are among the first ones, which are computed one by one.
        let first = FEW.max(width).min(count.next_multiple_of(width));
        let height = count.next_multiple_of(width);
        let needed = columns.len() * height;
        if copy.len() < needed {
            copy.resize(needed, F::zero());
        }
        let copy = &mut copy[..needed];
        let own = Lanes { count: columns.len(), stride: d };
        transpose::<S, F>(&rows[columns.start..], own, [0, count], height, copy);
        let mut pivots: [usize; FEW] = std::array::from_fn(|k| k);
        for (k, pivot) in pivots.iter_mut().enumerate().take(columns.len()) {
            let column = &copy[k * height..][..height];
            *pivot = largest::<S, F>(simd, column, k, first.min(count), first);
            if *pivot != k {
                copy.chunks_exact_mut(height).for_each(|column| column.swap(k, *pivot));
                let (above, below) = rows.split_at_mut(*pivot * d);
                above[k * d..][..d].swap_with_slice(&mut below[..d]);
            }
            let (done, later) = copy.split_at_mut((k + 1) * height);
            let column = &mut done[k * height..];
            let divisor = column[k];
            if divisor == F::zero() {
                continue;
            }
            column[k + 1..first.max(k + 1)].iter_mut().for_each(|value| *value = *value / divisor);
            let (registers, _) = F::registers_mut::<S>(&mut column[first..]);
            let by = Vector::<S, F>::splat(simd, divisor);
            for value in registers {
                *value = (Vector::<S, F>::new(simd, *value) / by).register();
            }
            for other in later.chunks_exact_mut(height) {
                subtract_multiple::<S, F>(simd, other, column, k, first);
            }
        }
        // Back to whole rows.
        let across = FEW.max(width);
        if back.len() < count * across {
            back.resize(count * across, F::zero());
        }
        let lanes = Lanes { count, stride: height };
        transpose::<S, F>(copy, lanes, [0, columns.len()], across, back);
        for (row, own) in rows.chunks_exact_mut(d).zip(back.chunks_exact(across)) {
            row[columns.clone()].copy_from_slice(&own[..columns.len()]);
        }
        pivots
    }
}

/// Returns the first row from `start` on with the largest absolute value. Rows from `end` up to `first` do not exist,
/// those from there on come in whole registers.
#[inline(always)]
fn largest<S: Simd, F: Number>(simd: S, column: &[F], start: usize, end: usize, first: usize) -> usize {
    let (mut best, mut size) = (start, column[start].abs());
    for (row, value) in column.iter().enumerate().take(end).skip(start + 1) {
        if value.abs() > size {
            (best, size) = (row, value.abs());
        }
    }
    let width = F::lanes::<S>();
    let (registers, _) = F::registers::<S>(&column[first.min(column.len())..]);
    let mut sizes = Vector::<S, F>::splat(simd, size);
    let mut places = Vector::<S, F>::splat(simd, -F::one());
    let mut place = F::zero();
    for register in registers {
        let own = Vector::<S, F>::new(simd, *register).abs();
        let larger = sizes.less(own);
        sizes = larger.select(own, sizes);
        places = larger.select(sizes.like(place), places);
        place = place + F::one();
    }
    let (mut all_sizes, mut all_places) = ([F::zero(); WIDEST], [F::zero(); WIDEST]);
    F::registers_mut::<S>(&mut all_sizes).0[0] = sizes.register();
    F::registers_mut::<S>(&mut all_places).0[0] = places.register();
    for (lane, (own, place)) in all_sizes.into_iter().zip(all_places).enumerate().take(width) {
        if place < F::zero() {
            continue;
        }
        let row = first + place.to_double() as usize * width + lane;
        if own > size || (own == size && row < best) {
            (best, size) = (row, own);
        }
    }
    best
}

/// Subtracts the multiple of an eliminated column from a later one, below row k.
#[inline(always)]
fn subtract_multiple<S: Simd, F: Number>(simd: S, other: &mut [F], column: &[F], k: usize, first: usize) {
    let multiple = other[k];
    for row in k + 1..first {
        other[row] = other[row] - column[row] * multiple;
    }
    let by = Vector::<S, F>::splat(simd, multiple);
    let (factors, _) = F::registers::<S>(&column[first..]);
    let (values, _) = F::registers_mut::<S>(&mut other[first..]);
    for (value, factor) in values.iter_mut().zip(factors) {
        let product = Vector::<S, F>::new(simd, *factor) * by;
        *value = (Vector::<S, F>::new(simd, *value) - product).register();
    }
}

/// Solves by forward substitution with the unit lower triangle of a few whole rows, in some columns.
pub(super) struct Substitution<'a, F> {
    /// Numbers of a row.
    pub d: usize,
    pub rows: &'a mut [F],
    /// The first column of the triangle.
    pub diagonal: usize,
    pub columns: Range<usize>,
}

impl<F: Number> WithSimd for Substitution<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Substitution { d, rows, diagonal, columns } = self;
        let (width, count) = (F::lanes::<S>(), rows.len() / d);
        // Missing rows are 0, and nothing is added to them.
        let factor = |k: usize, j: usize| {
            if j < k && k < count { rows[k * d + diagonal + j] } else { F::zero() }
        };
        let triangle: [[F; FEW]; FEW] = std::array::from_fn(|k| std::array::from_fn(|j| factor(k, j)));
        let mut column = columns.start;
        while column < columns.end {
            let left = columns.end - column;
            if S::REGISTER_COUNT >= 32 && left >= 2 * width {
                solve::<S, F, 2>(simd, &triangle, rows, d, column..column + 2 * width);
                column += 2 * width;
            } else {
                let own = column..column + left.min(width);
                column = own.end;
                solve::<S, F, 1>(simd, &triangle, rows, d, own);
            }
        }
    }
}

/// Solves in up to `N` registers of columns.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
fn solve<S: Simd, F: Number, const N: usize>(
    simd: S,
    triangle: &[[F; FEW]; FEW],
    rows: &mut [F],
    d: usize,
    columns: Range<usize>,
) {
    let width = F::lanes::<S>();
    let mut values = [[Vector::<S, F>::splat(simd, F::zero()); N]; FEW];
    for (values, row) in values.iter_mut().zip(rows.chunks_exact(d)) {
        for (value, numbers) in values.iter_mut().zip(row[columns.clone()].chunks(width)) {
            *value = read::<S, F>(simd, numbers);
        }
    }
    for k in 1..FEW {
        for j in 0..FEW {
            if j < k {
                for place in 0..N {
                    values[k][place] = values[k][place] - values[j][place] * triangle[k][j];
                }
            }
        }
    }
    for (values, row) in values.iter().zip(rows.chunks_exact_mut(d)) {
        for (value, numbers) in values.iter().zip(row[columns.clone()].chunks_mut(width)) {
            write::<S, F>(*value, numbers);
        }
    }
}

/// Reads up to a register of numbers.
#[inline(always)]
fn read<S: Simd, F: Number>(simd: S, numbers: &[F]) -> Vector<S, F> {
    match F::registers::<S>(numbers) {
        ([register], _) => Vector::new(simd, *register),
        _ => {
            let mut block = [F::zero(); WIDEST];
            block[..numbers.len()].copy_from_slice(numbers);
            Vector::new(simd, F::registers::<S>(&block).0[0])
        }
    }
}

/// Writes up to a register of numbers.
#[inline(always)]
fn write<S: Simd, F: Number>(vector: Vector<S, F>, numbers: &mut [F]) {
    if let ([register], _) = F::registers_mut::<S>(numbers) {
        *register = vector.register();
        return;
    }
    let mut block = [F::zero(); WIDEST];
    F::registers_mut::<S>(&mut block).0[0] = vector.register();
    numbers.copy_from_slice(&block[..numbers.len()]);
}
