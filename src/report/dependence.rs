//! Which columns depend on one another most.
//!
//! The distance correlation of two columns is 0 if and only if they are independent, also where their correlation is 0
//! because they lie on a parabola or in clusters (Székely, Rizzo and Bakirov, "Measuring and testing dependence by
//! correlation of distances", 2007). It is taken of ranks, so that a few values far away do not decide.

/// The distances between the ranks of a column, centred by rows and columns.
pub struct CentredDistances {
    rows: usize,
    values: Vec<f64>,
    /// Their mean square: the distance variance.
    variance: f64,
}

impl CentredDistances {
    /// Computes the centred distances between the ranks of values; equal values have their mean rank. Takes memory
    /// proportional to the square of their number.
    pub fn of(values: &[f64]) -> CentredDistances {
        let (ranks, n) = (ranks(values), values.len());
        let distance = |i: usize, j: usize| (ranks[i] - ranks[j]).abs();
        let count = n.max(1) as f64;
        let means: Vec<f64> = (0..n).map(|i| (0..n).map(|j| distance(i, j)).sum::<f64>() / count).collect();
        let mean = means.iter().sum::<f64>() / count;
        let centred = |k: usize| distance(k / n, k % n) - means[k / n] - means[k % n] + mean;
        let values: Vec<f64> = (0..n * n).map(centred).collect();
        let variance = values.iter().map(|value| value * value).sum::<f64>() / (count * count);
        CentredDistances { rows: n, values, variance }
    }

    /// Returns the distance correlation with another column: 0 for independent columns, 1 for a monotone relation.
    ///
    /// ```
    /// use pushforward::report::CentredDistances;
    ///
    /// let x: Vec<f64> = (-50..=50).map(f64::from).collect();
    /// let cube = CentredDistances::of(&x.iter().map(|x| x * x * x).collect::<Vec<_>>());
    /// let square = CentredDistances::of(&x.iter().map(|x| x * x).collect::<Vec<_>>());
    /// let x = CentredDistances::of(&x);
    /// assert!((x.correlation(&cube) - 1.0).abs() < 1e-12);
    /// assert!((0.4..0.6).contains(&x.correlation(&square)));   // where the correlation is 0
    /// ```
    ///
    /// # Panics
    /// When the columns have different numbers of rows.
    pub fn correlation(&self, other: &CentredDistances) -> f64 {
        assert_eq!(self.rows, other.rows, "both columns are of the same rows");
        let scale = (self.variance * other.variance).sqrt();
        if scale == 0.0 {
            return 0.0;
        }
        let products = self.values.iter().zip(&other.values).map(|(a, b)| a * b);
        (products.sum::<f64>() / (self.rows * self.rows) as f64 / scale).max(0.0).sqrt()
    }
}

/// The rank of each value; equal values have their mean rank.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = before as f64 + 0.5 * (equal.len() - 1) as f64;
        equal.iter().for_each(|row| ranks[*row] = rank);
        before += equal.len();
    }
    ranks
}
