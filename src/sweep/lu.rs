//! LU with partial pivoting: the O(d³) side of the story.
//!
//! Columns are halved until few are left (Toledo, "Locality of reference in LU decomposition with partial pivoting",
//! 1997): the left half is eliminated, the right half is brought up to date by one triangular solve and one product,
//! and then eliminated itself. So nearly all the work is products of matrices, for which there is a kernel. Source of
//! the steps: Golub and Van Loan, "Matrix Computations", 4th ed., algorithms 3.4.1 and 3.1.3.

use std::ops::Range;

use super::value::Number;
use crate::kernel::{Arch, Lanes, PackedMatrix, Simd, WithSimd, multiply_add};

/// So few columns are eliminated one by one.
const FEW: usize = 8;

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
    /// Factors a matrix given row by row.
    ///
    /// # Panics
    /// When the matrix has not d·d elements.
    pub fn new(d: usize, matrix: Vec<F>) -> Lu<F> {
        assert_eq!(matrix.len(), d * d, "a {d}×{d} matrix has {} elements", d * d);
        let mut lu = Lu { d, factors: matrix, rows: (0..d).collect(), odd: false };
        lu.eliminate(0..d, &mut Room { arch: Arch::new(), factors: Vec::new(), panel: Vec::new() });
        lu
    }

    /// Eliminates some columns from their diagonal downwards, with all that they need from those before them.
    fn eliminate(&mut self, columns: Range<usize>, room: &mut Room<F>) {
        if columns.len() <= FEW {
            self.eliminate_few(columns, room.arch);
            return;
        }
        let middle = columns.start + columns.len() / 2;
        let (left, right) = (columns.start..middle, middle..columns.end);
        self.eliminate(left.clone(), room);
        self.solve_rows(left.clone(), right.clone(), room);
        self.subtract_product(middle..self.d, left, right.clone(), room);
        self.eliminate(right, room);
    }

    /// Column after column, choosing pivots.
    fn eliminate_few(&mut self, columns: Range<usize>, arch: Arch) {
        let d = self.d;
        for k in columns.clone() {
            let mut pivot = k;
            for row in k + 1..d {
                if self.factors[row * d + k].abs() > self.factors[pivot * d + k].abs() {
                    pivot = row;
                }
            }
            if pivot != k {
                let (above, below) = self.factors.split_at_mut(pivot * d);
                above[k * d..(k + 1) * d].swap_with_slice(&mut below[..d]);
                self.rows.swap(k, pivot);
                self.odd = !self.odd;
            }
            if self.factors[k * d + k] != F::zero() {
                arch.dispatch(Step { d, k, end: columns.end, factors: &mut self.factors });
            }
        }
    }

    /// U in some rows and in columns right of them: forward substitution with the unit lower triangle of these rows.
    fn solve_rows(&mut self, rows: Range<usize>, columns: Range<usize>, room: &mut Room<F>) {
        if rows.len() <= FEW {
            let (d, arch) = (self.d, room.arch);
            arch.dispatch(Substitution { d, rows, columns, factors: &mut self.factors });
            return;
        }
        let middle = rows.start + rows.len() / 2;
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
        if rows.is_empty() || columns.is_empty() {
            return;
        }
        let d = self.d;
        let Room { arch, factors, panel } = room;
        factors.clear();
        for row in rows.clone() {
            factors.extend(self.factors[row * d..][inner.clone()].iter().map(|factor| -*factor));
        }
        let mut matrix = PackedMatrix::new(rows.len(), inner.len(), &[]);
        matrix.load(factors);
        let (above, below) = self.factors.split_at_mut(rows.start * d);
        arch.dispatch(AddProduct {
            matrix: &matrix,
            b: &above[inner.start * d + columns.start..],
            out: &mut below[columns.start..],
            lanes: Lanes { count: columns.len(), stride: d },
            panel,
        });
    }

    /// ln|det A|, formed as a sum of logarithms: it neither overflows nor underflows. -∞ when singular.
    pub fn log_abs_det(&self) -> F {
        (0..self.d).fold(F::zero(), |sum, k| sum + self.factors[k * self.d + k].abs().ln())
    }

    /// The sign of the determinant: 1, -1, or 0 when singular.
    pub fn sign(&self) -> F {
        let parity = if self.odd { -F::one() } else { F::one() };
        (0..self.d).fold(parity, |sign, k| {
            let diagonal = self.factors[k * self.d + k];
            if diagonal == F::zero() { F::zero() } else { sign * diagonal.signum() }
        })
    }

    /// The solution x of A x = b, in place of b. NaN or infinite when A is singular.
    pub fn solve(&self, b: &mut [F]) {
        let d = self.d;
        let mut x: Vec<F> = self.rows.iter().map(|row| b[*row]).collect();
        for k in 0..d {
            let known = (0..k).fold(F::zero(), |sum, j| sum + self.factors[k * d + j] * x[j]);
            x[k] = x[k] - known;
        }
        for k in (0..d).rev() {
            let known = (k + 1..d).fold(F::zero(), |sum, j| sum + self.factors[k * d + j] * x[j]);
            x[k] = (x[k] - known) / self.factors[k * d + k];
        }
        b.copy_from_slice(&x);
    }

    /// The inverse of A, row by row; all NaN when A is singular.
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

/// What an elimination works with.
struct Room<F> {
    arch: Arch,
    factors: Vec<F>,
    panel: Vec<F>,
}

/// One pivot row subtracted from all below it, as far as column `end`.
struct Step<'a, F> {
    d: usize,
    k: usize,
    end: usize,
    factors: &'a mut [F],
}

impl<F: Number> WithSimd for Step<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Step { d, k, end, factors } = self;
        let (above, below) = factors.split_at_mut((k + 1) * d);
        let pivot = &above[k * d + k..k * d + end];
        for row in below.chunks_exact_mut(d) {
            let factor = row[k] / pivot[0];
            row[k] = factor;
            subtract(&mut row[k + 1..end], factor, &pivot[1..]);
        }
    }
}

/// Forward substitution in a few rows.
struct Substitution<'a, F> {
    d: usize,
    rows: Range<usize>,
    columns: Range<usize>,
    factors: &'a mut [F],
}

impl<F: Number> WithSimd for Substitution<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Substitution { d, rows, columns, factors } = self;
        for k in rows.start + 1..rows.end {
            let (above, row) = factors.split_at_mut(k * d);
            let (factors, row) = row[..columns.end].split_at_mut(columns.start);
            for j in rows.start..k {
                subtract(row, factors[j], &above[j * d..][columns.clone()]);
            }
        }
    }
}

struct AddProduct<'a, F> {
    matrix: &'a PackedMatrix<F>,
    b: &'a [F],
    out: &'a mut [F],
    lanes: Lanes,
    panel: &'a mut Vec<F>,
}

impl<F: Number> WithSimd for AddProduct<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        multiply_add(simd, self.matrix, self.b, self.out, self.lanes, self.panel);
    }
}

/// `row -= factor·other`, element by element.
#[inline(always)]
fn subtract<F: Number>(row: &mut [F], factor: F, other: &[F]) {
    for (value, other) in row.iter_mut().zip(other) {
        *value = *value - factor * *other;
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
