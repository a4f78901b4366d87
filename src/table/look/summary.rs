//! The order statistics of a column: quantiles do not move with an outlier, as a mean and a deviation do.

/// The numbers of a column in order, with their repetitions.
pub(super) struct Summary {
    /// Values in increasing order, each with the number of rows that have it.
    pub runs: Vec<(f64, usize)>,
    /// The number of rows that have a value.
    pub rows: usize,
    /// Rows before each run.
    before: Vec<usize>,
}

impl Summary {
    /// Summarises the numbers that are not NaN.
    pub fn of(values: &[f64]) -> Summary {
        // Adding 0 makes -0 and 0 one value.
        let mut sorted: Vec<f64> =
            values.iter().filter(|value| !value.is_nan()).map(|value| value + 0.0).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let runs: Vec<(f64, usize)> = sorted.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect();
        let before = runs.iter().scan(0, |rows, (_, count)| {
            let before = *rows;
            *rows += count;
            Some(before)
        });
        Summary { rows: sorted.len(), before: before.collect(), runs }
    }

    pub fn min(&self) -> f64 {
        self.runs.first().map_or(f64::NAN, |(value, _)| *value)
    }

    pub fn max(&self) -> f64 {
        self.runs.last().map_or(f64::NAN, |(value, _)| *value)
    }

    /// The largest magnitude.
    pub fn size(&self) -> f64 {
        self.min().abs().max(self.max().abs())
    }

    /// The value that this share of the rows does not exceed.
    pub fn quantile(&self, share: f64) -> f64 {
        let row = (share * self.rows.saturating_sub(1) as f64) as usize;
        let run = self.before.partition_point(|before| *before <= row);
        self.runs.get(run.saturating_sub(1)).map_or(f64::NAN, |(value, _)| *value)
    }

    /// The spread of most rows: the distance of the quartiles, or where it is more what the outer twentieths
    /// say of it (of a Gaussian the same), or the range.
    pub fn spread(&self) -> f64 {
        let between = |share: f64| self.quantile(1.0 - share) - self.quantile(share);
        let spread = between(0.25).max(0.41 * between(0.05));
        if spread > 0.0 { spread } else { self.max() - self.min() }
    }

    /// The value that most rows have, and their number.
    pub fn most_common(&self) -> (f64, usize) {
        let first_of_most = |best: (f64, usize), run: &(f64, usize)| if run.1 > best.1 { *run } else { best };
        self.runs.iter().fold((f64::NAN, 0), first_of_most)
    }

    /// The number of rows whose value another row has, too.
    pub fn tied(&self) -> usize {
        self.runs.iter().map(|(_, count)| count).filter(|count| **count > 1).sum()
    }

    /// Whether all values are one, up to rounding: 0.1 and the mean of forty times 0.1 are.
    pub fn is_constant(&self) -> bool {
        self.max() - self.min() <= 4.0 * f64::EPSILON * self.size()
    }
}
