//! Spread by quartiles, which a few values far away do not move.

/// Returns the distance of the quartiles as a standard deviation: divided by that of the standard normal distribution.
/// 0 if at least half of the values are equal, or there are none.
pub fn quartile_deviation(values: impl IntoIterator<Item = f64>) -> f64 {
    const STANDARD_NORMAL: f64 = 1.349;
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    (sorted[3 * last / 4] - sorted[last / 4]) / STANDARD_NORMAL
}
