//! Functions and tensors that are recorded as several operations: softmax, cumulative sums, angles, masks.
//!
//! They are shorthand for what a user could write; sweeps and proofs see the operations. Each is written so that nothing
//! overflows.

use std::f64::consts::PI;

use super::{Shape, Tape, Var, joined, select, stack};

impl<'t> Var<'t> {
    /// arctan a, in radians.
    #[track_caller]
    pub fn atan(self) -> Var<'t> {
        PI * self.atan_pi()
    }

    /// The angle of the point (x, y) = (`other`, `self`) from the first axis, in [-π, π]; 0 at the origin.
    ///
    /// By the half angle where x ≥ 0 and by its complement elsewhere, so that no difference cancels.
    #[track_caller]
    pub fn atan2(self, other: Var<'t>) -> Var<'t> {
        let (y, x) = (self, other);
        let steep = y.abs().gt(x.abs());
        // The quotient of the smaller by the larger one: neither branch divides by 0 but at the origin.
        let ratio = select(steep, x, y) / select(steep, y, select(x.abs().le(0.0), 1.0, x));
        let angle = ratio.atan_pi();
        let half = select(y.lt(0.0), -0.5, select(y.ge(0.0), 0.5, y));
        let beyond = select(x.lt(0.0), 2.0 * half, 0.0 * half);
        PI * select(steep, half - angle, beyond + angle)
    }

    /// The largest element.
    #[track_caller]
    pub fn max_element(self) -> Var<'t> {
        let flat = self.flat();
        (1..flat.len()).fold(flat.at(0), |largest, i| largest.max(flat.at(i)))
    }

    /// ln Σ exp aᵢ over all elements, one after the other by [`Var::log_add_exp`](Var::log_add_exp).
    #[track_caller]
    pub fn log_sum_exp(self) -> Var<'t> {
        let flat = self.flat();
        (1..flat.len()).fold(flat.at(0), |sum, i| sum.log_add_exp(flat.at(i)))
    }

    /// exp aᵢ / Σ exp aⱼ over all elements: positive numbers that sum to 1.
    #[track_caller]
    pub fn softmax(self) -> Var<'t> {
        let powers = (self - self.max_element()).exp();
        powers / powers.sum()
    }

    /// aᵢ - ln Σ exp aⱼ: the logarithms of [`Var::softmax`].
    #[track_caller]
    pub fn log_softmax(self) -> Var<'t> {
        self - self.log_sum_exp()
    }

    /// a₀, a₀ + a₁, a₀ + a₁ + a₂, …
    #[track_caller]
    pub fn cumsum(self) -> Var<'t> {
        let flat = self.flat();
        let mut sums = vec![flat.at(0)];
        for i in 1..flat.len() {
            sums.push(sums[i - 1] + flat.at(i));
        }
        stack(sums)
    }

    /// The square matrix with these elements on its diagonal and 0 elsewhere.
    #[track_caller]
    pub fn diagonal_matrix(self) -> Var<'t> {
        let n = self.len();
        let places: Vec<usize> = (0..n).map(|i| i * n + i).collect();
        self.flat().scatter(&places, Shape::Matrix(n, n))
    }

    /// All elements as a vector.
    #[track_caller]
    fn flat(self) -> Var<'t> {
        match self.shape() {
            Shape::Vector(_) => self,
            Shape::Scalar => stack([self]),
            Shape::Matrix(..) => joined([self]),
        }
    }
}

impl Tape {
    /// The identity matrix.
    #[track_caller]
    pub fn identity(&self, n: usize) -> Var<'_> {
        self.mask(n, n, |i, j| i == j)
    }

    /// A matrix of ones where `keep(row, column)`, and of zeros elsewhere. A product with it has structural zeros.
    #[track_caller]
    pub fn mask(&self, rows: usize, columns: usize, keep: impl Fn(usize, usize) -> bool) -> Var<'_> {
        let entries = (0..rows * columns).map(|e| f64::from(u8::from(keep(e / columns, e % columns))));
        self.matrix(rows, columns, &entries.collect::<Vec<f64>>())
    }
}
