//! Fits the exponent of a power law.

/// Returns slope and intercept of the least-squares line through (log₁₀ x, log₁₀ y).
///
/// Points that are not positive are omitted; with fewer than two, both results are NaN.
pub fn fit_slope(points: &[(f64, f64)]) -> (f64, f64) {
    let logs: Vec<(f64, f64)> =
        points.iter().filter(|(x, y)| *x > 0.0 && *y > 0.0).map(|(x, y)| (x.log10(), y.log10())).collect();
    let count = logs.len() as f64;
    let (x_mean, y_mean) =
        (logs.iter().map(|p| p.0).sum::<f64>() / count, logs.iter().map(|p| p.1).sum::<f64>() / count);
    let square: f64 = logs.iter().map(|(x, _)| (x - x_mean).powi(2)).sum();
    let product: f64 = logs.iter().map(|(x, y)| (x - x_mean) * (y - y_mean)).sum();
    let slope = if logs.len() < 2 { f64::NAN } else { product / square };
    (slope, y_mean - slope * x_mean)
}

#[cfg(test)]
mod tests {
    use super::fit_slope;

    #[test]
    fn a_cubic_has_slope_three() {
        let points: Vec<(f64, f64)> = (1..20).map(|d| (f64::from(d), 5.0 * f64::from(d).powi(3))).collect();
        let (slope, intercept) = fit_slope(&points);
        assert!((slope - 3.0).abs() < 1e-12 && (intercept - 5f64.log10()).abs() < 1e-12);
    }

    #[test]
    fn one_point_has_no_slope() {
        assert!(fit_slope(&[(1.0, 2.0)]).0.is_nan());
    }
}
