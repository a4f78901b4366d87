//! LU decomposition with partial pivoting, in O(d³) operations.
//!
//! Columns are halved until few are left (Toledo, "Locality of reference in LU decomposition with partial pivoting",
//! 1997): the left half is eliminated, the right half is brought up to date by one triangular solve and one product,
//! and then eliminated itself. So nearly all the work is products of matrices, for which there is a kernel. Source of
//! the steps: Golub and Van Loan, "Matrix Computations", 4th ed., algorithms 3.4.1 and 3.1.3.

use std::ops::Range;

use rayon::prelude::*;

use super::number::Number;
use super::panel::{EliminateFew, FEW, Substitution};
use crate::kernel::{Arch, Blocks, Simd, WithSimd, subtract_product};

/// From this many multiplications on a product is split over threads.
const ENOUGH: usize = 1 << 20;
/// The product kernel computes this many rows at a time.
const ROWS_AT_ONCE: usize = 8;

/// P A = L U of a square matrix.
#[derive(Clone, Debug)]
pub struct Lu<F> {
    d: usize,
    /// L below the diagonal (its own diagonal is 1), U on and above it, row by row.
    factors: Vec<F>,
    /// Row k of P A is row `rows[k]` of A.
    rows: Vec<usize>,
    odd: bool,
}

impl<F: Number> Lu<F> {
    /// Factors a matrix given row by row, on the caller's thread.
    ///
    /// # Panics
    /// When the matrix has not d·d elements.
    pub fn new(d: usize, matrix: Vec<F>) -> Lu<F> {
        let mut lu = Lu::of(d, matrix);
        match d {
            0..FEW => lu.eliminate_one_by_one(),
            _ => lu.eliminate(0..d, &mut Room::new(Arch::new(), usize::MAX)),
        }
        lu
    }

    /// Factors a matrix on all threads, with bitwise the result of [`Lu::new`]. Faster from about 100 to 200
    /// variables on.
    ///
    /// # Panics
    /// When the matrix has not d·d elements.
    pub fn on_all_threads(d: usize, matrix: Vec<F>) -> Lu<F> {
        if d < FEW {
            return Lu::new(d, matrix);
        }
        let mut lu = Lu::of(d, matrix);
        // Runs inside the thread pool; avoids worker wake-ups between products.
        rayon::scope(|_| lu.eliminate(0..d, &mut Room::new(Arch::new(), ENOUGH)));
        lu
    }

    fn of(d: usize, matrix: Vec<F>) -> Lu<F> {
        assert_eq!(matrix.len(), d * d, "a {d}×{d} matrix has {} elements", d * d);
        Lu { d, factors: matrix, rows: (0..d).collect(), odd: false }
    }

    fn entry(&self, row: usize, column: usize) -> F {
        self.factors[row * self.d + column]
    }

    /// Eliminates some columns from their diagonal downwards, after applying the columns before them.
    fn eliminate(&mut self, columns: Range<usize>, room: &mut Room<F>) {
        if columns.len() <= FEW {
            self.eliminate_few(columns, room);
            return;
        }
        let middle = middle(&columns);
        let (left, right) = (columns.start..middle, middle..columns.end);
        self.eliminate(left.clone(), room);
        self.solve_rows(left.clone(), right.clone(), room);
        self.subtract_product(middle..self.d, left, right.clone(), room);
        self.eliminate(right, room);
    }

    /// Eliminates a matrix that fills no panel.
    fn eliminate_one_by_one(&mut self) {
        let d = self.d;
        for k in 0..d {
            let size = |row: usize| self.entry(row, k).abs();
            let pivot = (k + 1..d).fold(k, |best, row| if size(row) > size(best) { row } else { best });
            if pivot != k {
                let (above, below) = self.factors.split_at_mut(pivot * d);
                above[k * d..][..d].swap_with_slice(&mut below[..d]);
                self.rows.swap(k, pivot);
                self.odd = !self.odd;
            }
            let (above, below) = self.factors.split_at_mut((k + 1) * d);
            let own = &above[k * d..];
            if own[k] == F::zero() {
                continue;
            }
            for row in below.chunks_exact_mut(d) {
                let factor = row[k] / own[k];
                row[k] = factor;
                for (value, own) in row[k + 1..].iter_mut().zip(&own[k + 1..]) {
                    *value = *value - factor * *own;
                }
            }
        }
    }

    fn eliminate_few(&mut self, columns: Range<usize>, Room { arch, copies, .. }: &mut Room<F>) {
        if columns.is_empty() {
            return;
        }
        let (d, first) = (self.d, columns.start);
        let rows = &mut self.factors[first * d..];
        let pivots = arch.dispatch(EliminateFew { d, rows, columns: columns.clone(), copies });
        for (k, pivot) in pivots.into_iter().enumerate().filter(|(k, pivot)| k != pivot) {
            self.rows.swap(first + k, first + pivot);
            self.odd = !self.odd;
        }
    }

    /// Computes U in some rows and in the columns to their right: forward substitution with the unit lower triangle
    /// of these rows.
    fn solve_rows(&mut self, rows: Range<usize>, columns: Range<usize>, room: &mut Room<F>) {
        if rows.len() <= FEW {
            let (d, diagonal) = (self.d, rows.start);
            let rows = &mut self.factors[rows.start * d..rows.end * d];
            room.arch.dispatch(Substitution { d, rows, diagonal, columns });
            return;
        }
        let middle = middle(&rows);
        self.solve_rows(rows.start..middle, columns.clone(), room);
        self.subtract_product(middle..rows.end, rows.start..middle, columns.clone(), room);
        self.solve_rows(middle..rows.end, columns, room);
    }

    /// A[rows, columns] -= A[rows, inner]·A[inner, columns], where the inner ones lie above the rows.
    fn subtract_product(
        &mut self,
        rows: Range<usize>,
        inner: Range<usize>,
        columns: Range<usize>,
        room: &mut Room<F>,
    ) {
        let d = self.d;
        let (above, below) = self.factors.split_at_mut(rows.start * d);
        let (above, rows) = (&above[inner.start * d..], &mut below[..rows.len() * d]);
        let terms = rows.len() / d.max(1) * inner.len() * columns.len();
        let blocks = &Blocks { stride: d, inner, columns };
        if terms < room.shared_from {
            room.arch.dispatch(Product { above, rows, blocks, panel: &mut room.panel });
            return;
        }
        // By rows: every entry is summed in the same order on any number of threads.
        let share =
            (rows.len() / d).div_ceil(2 * rayon::current_num_threads()).next_multiple_of(ROWS_AT_ONCE);
        rows.par_chunks_mut(share * d).for_each_init(Vec::new, |panel, rows| {
            room.arch.dispatch(Product { above, rows, blocks, panel });
        });
    }

    /// Returns ln|det A|, a sum of logarithms: it neither overflows nor underflows. -∞ when singular.
    pub fn log_abs_det(&self) -> F {
        (0..self.d).fold(F::zero(), |sum, k| sum + self.entry(k, k).abs().ln())
    }

    /// The sign of the determinant: 1, -1, or 0 when singular.
    pub fn sign(&self) -> F {
        let parity = if self.odd { -F::one() } else { F::one() };
        (0..self.d).fold(parity, |sign, k| {
            let diagonal = self.entry(k, k);
            if diagonal == F::zero() { F::zero() } else { sign * diagonal.signum() }
        })
    }

    /// Solves A x = b in place of b. NaN or infinite when A is singular.
    pub fn solve(&self, b: &mut [F]) {
        let d = self.d;
        let mut x: Vec<F> = self.rows.iter().map(|row| b[*row]).collect();
        for k in 0..d {
            let known = (0..k).fold(F::zero(), |sum, j| sum + self.entry(k, j) * x[j]);
            x[k] = x[k] - known;
        }
        for k in (0..d).rev() {
            let known = (k + 1..d).fold(F::zero(), |sum, j| sum + self.entry(k, j) * x[j]);
            x[k] = (x[k] - known) / self.entry(k, k);
        }
        b.copy_from_slice(&x);
    }

    /// Returns the inverse of A, row by row; all NaN when A is singular.
    pub fn inverse(&self) -> Vec<F> {
        let d = self.d;
        if self.sign() == F::zero() {
            return vec![F::nan(); d * d];
        }
        let mut inverse = vec![F::zero(); d * d];
        let mut column = vec![F::zero(); d];
        for j in 0..d {
            column.fill(F::zero());
            column[j] = F::one();
            self.solve(&mut column);
            for (i, value) in column.iter().enumerate() {
                inverse[i * d + j] = *value;
            }
        }
        inverse
    }
}

/// Splits a range in two, the first of them in whole panels.
fn middle(range: &Range<usize>) -> usize {
    range.start + (range.len() / 2).next_multiple_of(FEW)
}

/// The workspace of an elimination.
struct Room<F> {
    arch: Arch,
    /// From this many multiplications on products are split over all threads.
    shared_from: usize,
    /// The columns of a panel, and its rows.
    copies: [Vec<F>; 2],
    panel: Vec<F>,
}

impl<F> Room<F> {
    fn new(arch: Arch, shared_from: usize) -> Room<F> {
        Room { arch, shared_from, copies: [Vec::new(), Vec::new()], panel: Vec::new() }
    }
}

struct Product<'a, F> {
    above: &'a [F],
    rows: &'a mut [F],
    blocks: &'a Blocks,
    panel: &'a mut Vec<F>,
}

impl<F: Number> WithSimd for Product<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        subtract_product(simd, self.above, self.rows, self.blocks, self.panel);
    }
}

#[cfg(test)]
mod tests {
    use super::Lu;

    /// A matrix with no structure, the same on every machine.
    fn matrix(d: usize) -> Vec<f64> {
        let mut state = 1u64;
        (0..d * d)
            .map(|_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
            })
            .collect()
    }

    #[test]
    fn a_blocked_factorisation_times_its_inverse_is_the_identity() {
        for d in [1, 2, 3, 8, 9, 16, 17, 47, 64, 100, 301] {
            let a = matrix(d);
            let inverse = Lu::new(d, a.clone()).inverse();
            for i in 0..d {
                for j in 0..d {
                    let entry: f64 = (0..d).map(|k| a[i * d + k] * inverse[k * d + j]).sum();
                    let expected = if i == j { 1.0 } else { 0.0 };
                    assert!((entry - expected).abs() < 1e-9, "d = {d}: entry {i}, {j} is {entry}");
                }
            }
        }
    }

    #[test]
    fn threads_change_no_bit() {
        for d in [1, 100, 255, 300] {
            let (alone, shared) = (Lu::new(d, matrix(d)), Lu::on_all_threads(d, matrix(d)));
            assert_eq!((alone.factors, alone.rows), (shared.factors, shared.rows), "d = {d}");
        }
    }

    #[test]
    fn the_determinant_of_a_permuted_triangle_is_known() {
        // Rows 2, 0, 1 of the upper triangle with diagonal 2, -3, 5: an even permutation.
        let lu = Lu::new(3, vec![0.0, 0.0, 5.0, 2.0, 7.0, 1.0, 0.0, -3.0, 4.0]);
        assert!((lu.log_abs_det() - 30f64.ln()).abs() < 1e-15);
        assert_eq!(lu.sign(), -1.0);
    }

    #[test]
    fn a_singular_matrix_says_so() {
        let lu = Lu::new(2, vec![1.0, 2.0, 2.0, 4.0]);
        assert_eq!(lu.log_abs_det(), f64::NEG_INFINITY);
        assert_eq!(lu.sign(), 0.0);
        assert!(lu.inverse().iter().all(|entry| entry.is_nan()));
    }

    #[test]
    fn the_determinant_of_nothing_is_one() {
        assert_eq!(Lu::<f64>::new(0, vec![]).log_abs_det(), 0.0);
    }
}
