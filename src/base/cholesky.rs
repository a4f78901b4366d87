//! Cholesky factors of covariances, and what whitens them.

/// Returns the lower triangular L of a covariance L·Lᵀ; `None` unless it is positive definite.
pub(super) fn cholesky(d: usize, covariance: &[f64]) -> Option<Vec<f64>> {
    let mut factor = vec![0.0; d * d];
    for i in 0..d {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| factor[i * d + k] * factor[j * d + k]).sum();
            let rest = covariance[i * d + j] - known;
            factor[i * d + j] = if i == j { rest.sqrt() } else { rest / factor[j * d + j] };
        }
        if factor[i * d + i].is_nan() || factor[i * d + i] <= 0.0 {
            return None;
        }
    }
    Some(factor)
}

/// Returns the entries below the diagonal and the log-diagonal of L⁻¹, for a covariance L·Lᵀ. `None` unless
/// the covariance is positive definite.
pub(super) fn whitening(d: usize, covariance: &[f64]) -> Option<(Vec<f64>, Vec<f64>)> {
    let mut inverse = inverse_of_lower(d, &cholesky(d, covariance)?);
    let log_diagonal = (0..d).map(|i| inverse[i * d + i].ln()).collect();
    (0..d).for_each(|i| inverse[i * d + i] = 0.0);
    Some((inverse, log_diagonal))
}

/// Returns the inverse of the whitening matrix with these entries below its diagonal, by rows.
pub(super) fn unwhitening(d: usize, below: &[f64], log_diagonal: &[f64]) -> Vec<f64> {
    let entry = |e: usize| match (e / d, e % d) {
        (i, j) if i == j => log_diagonal[i].exp(),
        (i, j) if i > j => below[e],
        _ => 0.0,
    };
    inverse_of_lower(d, &(0..d * d).map(entry).collect::<Vec<f64>>())
}

/// Forward substitution, column by column.
fn inverse_of_lower(d: usize, factor: &[f64]) -> Vec<f64> {
    let mut inverse = vec![0.0; d * d];
    for i in 0..d {
        inverse[i * d + i] = 1.0 / factor[i * d + i];
        for j in 0..i {
            let sum: f64 = (j..i).map(|k| factor[i * d + k] * inverse[k * d + j]).sum();
            inverse[i * d + j] = -sum / factor[i * d + i];
        }
    }
    inverse
}
