//! The area under the ROC curve, with its error.

/// The probability that a row's score is above that of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AreaUnderCurve {
    /// The area: ½ where nothing tells rows from samples, 1 where everything does.
    pub area: f64,
    /// Its standard error (DeLong, DeLong and Clarke-Pearson, 1988), where the k-th row and the k-th sample may depend on
    /// one another.
    pub error: f64,
}

impl AreaUnderCurve {
    /// Computes the area from the scores of rows and samples; equal scores count half.
    ///
    /// ```
    /// use pushforward::report::AreaUnderCurve;
    ///
    /// let area = AreaUnderCurve::of_pairs(&[2.0, 3.0, 5.0], &[1.0, 1.0, 4.0]).area;
    /// assert!((area - 7.0 / 9.0).abs() < 1e-12);
    /// ```
    ///
    /// # Panics
    /// When there are not as many samples as rows.
    pub fn of_pairs(rows: &[f64], samples: &[f64]) -> AreaUnderCurve {
        assert_eq!(rows.len(), samples.len(), "a row and a sample make a pair");
        let n = rows.len() as f64;
        if rows.len() < 2 {
            return AreaUnderCurve { area: 0.5, error: 0.0 };
        }
        let sorted = |values: &[f64]| {
            let mut sorted = values.to_vec();
            sorted.sort_by(f64::total_cmp);
            sorted
        };
        let (sorted_rows, sorted_samples) = (sorted(rows), sorted(samples));
        // What a pair adds: the share of samples below its row, and the share of rows above its sample.
        let parts: Vec<(f64, f64)> = rows
            .iter()
            .zip(samples)
            .map(|(row, sample)| {
                (share_below(&sorted_samples, *row), 1.0 - share_below(&sorted_rows, *sample))
            })
            .collect();
        let area = parts.iter().map(|(row, _)| row).sum::<f64>() / n;
        let square: f64 = parts.iter().map(|(row, sample)| (row + sample - 2.0 * area).powi(2)).sum();
        AreaUnderCurve { area, error: (square / (n - 1.0) / n).sqrt() }
    }
}

/// The share of sorted values that are below another; equal ones count half.
fn share_below(sorted: &[f64], value: f64) -> f64 {
    let below = sorted.partition_point(|other| *other < value);
    let not_above = sorted.partition_point(|other| *other <= value);
    0.5 * (below + not_above) as f64 / sorted.len() as f64
}
