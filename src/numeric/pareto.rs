//! The generalised Pareto distribution, which the tails of most distributions approach.
//!
//! P(X > x) = (1 + k·x/σ)^(-1/k) for x ≥ 0; e^(-x/σ) for k = 0. Moments of order 1/k and above are infinite; for k <
//! 0 the largest value is -σ/k.

/// A generalised Pareto distribution of excesses over a threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeneralisedPareto {
    /// The shape k: the larger, the heavier the tail.
    pub shape: f64,
    /// The scale σ > 0.
    pub scale: f64,
}

impl GeneralisedPareto {
    /// The smallest sample that is fitted.
    pub const LEAST: usize = 5;

    /// Estimates both from a sample by the method of Zhang and Stephens, "A new and efficient estimation method for
    /// the generalized Pareto distribution" (2009): the mean of b = -k/σ over a quadrature of its posterior under a
    /// prior that is made from the sample, and k and σ of that b. It takes ⌊√n⌋ + 30 passes over the sample and has
    /// no iteration.
    ///
    /// ```
    /// use pushforward::numeric::GeneralisedPareto;
    ///
    /// let exact = GeneralisedPareto { shape: 0.5, scale: 2.0 };
    /// let sample: Vec<f64> = (0..1000).map(|i| exact.quantile((f64::from(i) + 0.5) / 1000.0)).collect();
    /// let fitted = GeneralisedPareto::fit(&sample).unwrap();
    /// assert!((fitted.shape - 0.5).abs() < 0.02 && (fitted.scale - 2.0).abs() < 0.05);
    /// ```
    ///
    /// `None` for fewer than [`LEAST`](Self::LEAST) numbers, and for a number that is not positive and finite.
    pub fn fit(sample: &[f64]) -> Option<GeneralisedPareto> {
        let n = sample.len();
        if n < Self::LEAST || !sample.iter().all(|x| *x > 0.0 && x.is_finite()) {
            return None;
        }
        let mut sorted = sample.to_vec();
        sorted.sort_by(f64::total_cmp);
        // b below 1/x for the largest x, and a prior scaled by the first quartile.
        let (largest, quartile) = (sorted[n - 1], sorted[(n as f64 / 4.0 + 0.5).floor() as usize - 1]);
        let points = 30 + (n as f64).sqrt().floor() as usize;
        let shape_of = |b: f64| sorted.iter().map(|x| (-b * x).ln_1p()).sum::<f64>() / n as f64;
        let mean = sorted.iter().sum::<f64>() / n as f64;
        let grid: Vec<(f64, f64)> = (1..=points)
            .map(|j| {
                let spread = 1.0 - (points as f64 / (j as f64 - 0.5)).sqrt();
                let b = 1.0 / largest + spread / (3.0 * quartile);
                let shape = shape_of(b);
                // -b/k is 1/σ; at b = 0, where the distribution is exponential, it is one over the mean.
                let rate = if b == 0.0 { 1.0 / mean } else { -b / shape };
                (b, n as f64 * (rate.ln() - shape - 1.0))
            })
            .collect();
        let highest =
            grid.iter().map(|(_, log_likelihood)| *log_likelihood).fold(f64::NEG_INFINITY, f64::max);
        let weight = |log_likelihood: f64| (log_likelihood - highest).exp();
        let total: f64 = grid.iter().map(|(_, log_likelihood)| weight(*log_likelihood)).sum();
        let b = grid.iter().map(|(b, log_likelihood)| b * weight(*log_likelihood)).sum::<f64>() / total;
        let shape = shape_of(b);
        let scale = if b == 0.0 { mean } else { -shape / b };
        (scale > 0.0 && scale.is_finite() && shape.is_finite()).then_some(GeneralisedPareto { shape, scale })
    }

    /// Returns the x with P(X ≤ x) = p.
    pub fn quantile(&self, p: f64) -> f64 {
        let exponential = -(-p).ln_1p();
        match self.shape {
            0.0 => self.scale * exponential,
            k => self.scale * (k * exponential).exp_m1() / k,
        }
    }
}
