//! LU with partial pivoting: the O(d³) side of the story.
//!
//! Blocked right-looking elimination, rows kept contiguous, so that the trailing update (nearly all the
//! work) is a run of `row += factor·row` over a block of pivot rows that stays in cache. Source: Golub and
//! Van Loan, "Matrix Computations", 4th ed., algorithms 3.4.1 and 3.2.5.

use num_traits::Float;

const BLOCK: usize = 48;

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

impl<F: Float> Lu<F> {
    /// Factors a matrix given row by row.
    ///
    /// # Panics
    /// When the matrix has not d·d elements.
    pub fn new(d: usize, matrix: Vec<F>) -> Lu<F> {
        assert_eq!(matrix.len(), d * d, "a {d}×{d} matrix has {} elements", d * d);
        let mut lu = Lu { d, factors: matrix, rows: (0..d).collect(), odd: false };
        for start in (0..d).step_by(BLOCK) {
            let end = (start + BLOCK).min(d);
            lu.panel(start, end);
            lu.block_row(start, end);
            lu.trailing(start, end);
        }
        lu
    }

    /// Eliminates within the columns `start..end`, choosing pivots.
    fn panel(&mut self, start: usize, end: usize) {
        let d = self.d;
        for k in start..end {
            let mut pivot = k;
            for row in k + 1..d {
                if self.factors[row * d + k].abs() > self.factors[pivot * d + k].abs() {
                    pivot = row;
                }
            }
            if pivot != k {
                for column in 0..d {
                    self.factors.swap(k * d + column, pivot * d + column);
                }
                self.rows.swap(k, pivot);
                self.odd = !self.odd;
            }
            let diagonal = self.factors[k * d + k];
            if diagonal == F::zero() {
                continue;
            }
            let (above, below) = self.factors.split_at_mut((k + 1) * d);
            let pivot_row = &above[k * d + k + 1..k * d + end];
            for row in below.chunks_exact_mut(d) {
                let factor = row[k] / diagonal;
                row[k] = factor;
                subtract(&mut row[k + 1..end], factor, pivot_row);
            }
        }
    }

    /// U to the right of the panel: forward substitution with the panel's unit lower triangle.
    fn block_row(&mut self, start: usize, end: usize) {
        let d = self.d;
        for k in start + 1..end {
            let (above, below) = self.factors.split_at_mut(k * d);
            let (factors, row) = below[..d].split_at_mut(end);
            for j in start..k {
                subtract(row, factors[j], &above[j * d + end..(j + 1) * d]);
            }
        }
    }

    /// Everything below and to the right.
    fn trailing(&mut self, start: usize, end: usize) {
        let d = self.d;
        let (above, below) = self.factors.split_at_mut(end * d);
        // Two column blocks at a time would not help: a block of pivot rows by 256 columns fits the cache.
        for left in (end..d).step_by(256) {
            let right = (left + 256).min(d);
            for row in below.chunks_exact_mut(d) {
                let (factors, row) = row.split_at_mut(end);
                let row = &mut row[left - end..right - end];
                let mut j = start;
                while j + 4 <= end {
                    let pivot = |j: usize| &above[j * d + left..j * d + right];
                    let (f0, f1, f2, f3) = (factors[j], factors[j + 1], factors[j + 2], factors[j + 3]);
                    let (p0, p1, p2, p3) = (pivot(j), pivot(j + 1), pivot(j + 2), pivot(j + 3));
                    for (k, value) in row.iter_mut().enumerate() {
                        *value = *value - (f0 * p0[k] + f1 * p1[k] + f2 * p2[k] + f3 * p3[k]);
                    }
                    j += 4;
                }
                for j in j..end {
                    subtract(row, factors[j], &above[j * d + left..j * d + right]);
                }
            }
        }
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

/// `row -= factor·other`, element by element.
fn subtract<F: Float>(row: &mut [F], factor: F, other: &[F]) {
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
        for d in [1, 2, 3, 47, 48, 49, 100, 301] {
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
