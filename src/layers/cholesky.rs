//! Matrices as vectors: Cholesky factors, covariances and correlations.
//!
//! The entries of a lower triangular n×n matrix stand row by row: l₁₁, l₂₁, l₂₂, l₃₁, …
//!
//! Sources: Stan Development Team, "Stan Reference Manual", "Cholesky factors of covariance matrices" and "Cholesky
//! factors of correlation matrices"; Muirhead, "Aspects of Multivariate Statistical Theory" (1982), theorem 2.1.9.

use std::panic::Location;

use super::{Elementwise, Transform};
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked, Domain};
use crate::jacobian::Structure;
use crate::tape::{Var, stack};

/// Builds the map from ℝ^{n(n+1)/2} to lower triangular n×n matrices with positive diagonals, by this map of the diagonal
/// (`Transform::Exp`, or `Transform::Softplus`); the other entries are left as they are.
///
/// # Panics
/// When n is 0, or the map of the diagonal does not go from ℝ to (0, ∞).
pub fn lower_triangular_positive(n: usize, diagonal: Transform) -> Elementwise {
    assert!(n > 0, "a matrix has at least one row");
    let one = Elementwise::new(diagonal, 1);
    assert!(
        one.domain() == Domain::Reals && one.codomain() == Domain::Positive,
        "the diagonal of a Cholesky factor takes a map from ℝ onto (0, ∞), not {diagonal:?}"
    );
    let of = |(i, j): (usize, usize)| if i == j { diagonal } else { Transform::Identity };
    Elementwise::each(places(n).into_iter().map(of).collect::<Vec<_>>())
}

/// Row and column of each entry on or below the diagonal, row by row.
fn places(n: usize) -> Vec<(usize, usize)> {
    (0..n).flat_map(|i| (0..=i).map(move |j| (i, j))).collect()
}

/// The position of an entry on or below the diagonal.
fn position(i: usize, j: usize) -> usize {
    i * (i + 1) / 2 + j
}

/// From a Cholesky factor L with positive diagonal to the covariance Σ = L·Lᵀ; both as entries of the lower triangle.
///
/// ln|det J| = n·ln 2 + Σᵢ (n + 1 - i)·ln lᵢᵢ.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CovarianceFromCholesky {
    n: usize,
}

impl CovarianceFromCholesky {
    /// Builds the layer of n×n matrices.
    ///
    /// # Panics
    /// When n is 0.
    pub fn new(n: usize) -> CovarianceFromCholesky {
        CovarianceFromCholesky { n }.checked()
    }

    fn positive_diagonal(&self) -> Domain {
        let of = |(i, j): (usize, usize)| if i == j { Domain::Positive } else { Domain::Reals };
        Domain::each(places(self.n).into_iter().map(of))
    }
}

impl Checked for CovarianceFromCholesky {
    fn fault(&self) -> Option<String> {
        (self.n == 0).then(|| "a matrix has at least one row".to_string())
    }
}

impl Bijection for CovarianceFromCholesky {
    fn dim(&self) -> usize {
        self.n * (self.n + 1) / 2
    }

    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }

    fn domain(&self) -> Domain {
        self.positive_diagonal()
    }

    /// Contains the positive definite matrices; that they are no more than that, no product of intervals says.
    fn codomain(&self) -> Domain {
        self.positive_diagonal()
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            let entry = |(i, j): (usize, usize)| {
                let product = |k: usize| match i == j {
                    true => z.at(position(i, k)).powi(2),
                    false => z.at(position(i, k)) * z.at(position(j, k)),
                };
                (1..=j).fold(product(0), |sum, k| sum + product(k))
            };
            stack(places(self.n).into_iter().map(entry))
        })
    }

    /// A square maps two numbers to one: on the positive diagonal its root is the inverse.
    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || {
            let mut factor: Vec<Var<'t>> = Vec::new();
            for (i, j) in places(self.n) {
                let rest = (0..j).fold(x.at(position(i, j)), |rest, k| {
                    rest - factor[position(i, k)] * factor[position(j, k)]
                });
                factor.push(if i == j { rest.sqrt() } else { rest / factor[position(j, j)] });
            }
            Some(stack(factor))
        })
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("covariance_from_cholesky", self)
    }
}

/// ℝ^{n(n-1)/2} to the Cholesky factors of n×n correlation matrices: the entries below the diagonal, whose rows have
/// squares that sum to less than 1.
///
/// lᵢⱼ = tanh zᵢⱼ·√(1 - Σ_{k<j} lᵢₖ²); the diagonal, √(1 - Σ_{k<i} lᵢₖ²), is no variable.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CorrelationCholesky {
    n: usize,
}

impl CorrelationCholesky {
    /// Builds the layer of n×n matrices.
    ///
    /// # Panics
    /// When n is below 2.
    pub fn new(n: usize) -> CorrelationCholesky {
        CorrelationCholesky { n }.checked()
    }
}

impl Checked for CorrelationCholesky {
    fn fault(&self) -> Option<String> {
        (self.n < 2).then(|| format!("a correlation needs at least two variables, not {}", self.n))
    }
}

impl Bijection for CorrelationCholesky {
    fn dim(&self) -> usize {
        self.n * (self.n - 1) / 2
    }

    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }

    /// Contains the factors; that the squares of a row sum to less than 1, no product of intervals says.
    fn codomain(&self) -> Domain {
        Domain::Interval { lower: -1.0, upper: 1.0 }
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            let mut entries = Vec::new();
            for i in 1..self.n {
                // √(1 - Σ lᵢₖ²) as a product of 1/cosh zᵢₖ: nothing cancels.
                let mut left: Option<Var<'t>> = None;
                for j in 0..i {
                    let partial = z.at(entries.len());
                    let (share, rest) = (partial.tanh(), partial.sech_squared().sqrt());
                    entries.push(left.map_or(share, |left| share * left));
                    left = Some(left.map_or(rest, |left| left * rest));
                    let _ = j;
                }
            }
            stack(entries)
        })
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("correlation_cholesky", self)
    }
}
