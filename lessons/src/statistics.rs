//! Statistics of samples: means with standard errors, ROC curves, and tests of uniformity.

/// Returns the mean; NaN for an empty sample.
pub fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

/// Returns the standard error of the mean of independent numbers.
pub fn standard_error(numbers: &[f64]) -> f64 {
    let centre = mean(numbers);
    numbers.iter().map(|value| (value - centre).powi(2)).sum::<f64>().sqrt() / numbers.len() as f64
}

/// Returns the area under the ROC curve: the probability that an anomaly's score is above that of a usual
/// row; ties count half.
pub fn auc(usual: &[f64], anomalies: &[f64]) -> f64 {
    let usual = sorted(usual);
    mean(&anomalies.iter().map(|score| share_below(&usual, *score)).collect::<Vec<_>>())
}

/// Returns the ROC curve: false positive rate against true positive rate, for thresholds at the percentiles
/// of the usual scores.
pub fn roc(usual: &[f64], anomalies: &[f64]) -> Vec<(f64, f64)> {
    let (usual, anomalies) = (sorted(usual), sorted(anomalies));
    let thresholds = (0..=100).map(|k| usual[(usual.len() - 1) * k / 100]);
    let above =
        |threshold: f64| (1.0 - share_below(&usual, threshold), 1.0 - share_below(&anomalies, threshold));
    [(1.0, 1.0)].into_iter().chain(thresholds.map(above)).chain([(0.0, 0.0)]).collect()
}

/// Returns a histogram as a curve: the density of the values between these ends, in `bins` bins.
pub fn histogram(values: &[f64], (low, high): (f64, f64), bins: usize) -> Vec<(f64, f64)> {
    let width = (high - low) / bins as f64;
    let mut counts = vec![0; bins];
    for value in values.iter().filter(|value| (low..high).contains(*value)) {
        counts[(((value - low) / width) as usize).min(bins - 1)] += 1;
    }
    let density = |count: usize| count as f64 / values.len() as f64 / width;
    counts
        .into_iter()
        .enumerate()
        .map(|(k, count)| (low + (k as f64 + 0.5) * width, density(count)))
        .collect()
}

/// Returns the Kolmogorov-Smirnov statistic against the uniform distribution on (0, 1): the largest distance
/// between the distribution functions. For one in a thousand uniform samples of size n it is above 1.95/√n.
pub fn ks_distance(u: &[f64]) -> f64 {
    let (u, n) = (sorted(u), u.len() as f64);
    let gaps = u.iter().enumerate().map(|(k, u)| (u - k as f64 / n).max((k + 1) as f64 / n - u));
    gaps.fold(0.0, f64::max)
}

/// Returns the p-value of Pearson's χ² test of uniformity on (0, 1) with 21 bins. With 20 degrees of freedom
/// the tail is a finite sum, e⁻ʰ·Σ hʲ/j! over j below 10 with h = χ²/2.
pub fn uniform_chi2_p(u: &[f64]) -> f64 {
    const BINS: usize = 21;
    let mut counts = [0.0f64; BINS];
    u.iter().for_each(|u| counts[((u * BINS as f64) as usize).min(BINS - 1)] += 1.0);
    let expected = u.len() as f64 / BINS as f64;
    let square: f64 = counts.iter().map(|count| (count - expected).powi(2) / expected).sum();
    chi_square_tail(square)
}

/// Returns the probability that χ² with 20 degrees of freedom is larger.
fn chi_square_tail(square: f64) -> f64 {
    let half = 0.5 * square;
    let mut term = 1.0;
    let mut sum = 1.0;
    for j in 1..10 {
        term *= half / f64::from(j);
        sum += term;
    }
    (-half).exp() * sum
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// Returns the fraction of the sorted values that are below; ties count half.
fn share_below(sorted: &[f64], value: f64) -> f64 {
    let lower = sorted.partition_point(|other| *other < value);
    let not_higher = sorted.partition_point(|other| *other <= value);
    0.5 * (lower + not_higher) as f64 / sorted.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{ChiSquared, ContinuousCDF};

    #[test]
    fn the_area_counts_pairs_and_halves_ties() {
        assert!((auc(&[1.0, 2.0, 4.0], &[3.0, 5.0]) - 5.0 / 6.0).abs() < 1e-15);
        assert_eq!(auc(&[1.0, 2.0], &[2.0]), 0.75);
        assert_eq!(auc(&[1.0], &[1.0]), 0.5);
    }

    #[test]
    fn the_area_is_that_under_the_curve() {
        let usual: Vec<f64> = (0..1000).map(|k| f64::from(k).sin()).collect();
        let anomalies: Vec<f64> = (0..700).map(|k| f64::from(k).cos() + 0.4).collect();
        let curve = roc(&usual, &anomalies);
        let under: f64 = curve.windows(2).map(|p| 0.5 * (p[0].0 - p[1].0) * (p[0].1 + p[1].1)).sum();
        assert!((under - auc(&usual, &anomalies)).abs() < 2e-3);
    }

    #[test]
    fn the_tail_of_chi_square_is_that_of_the_tables() {
        let exact = ChiSquared::new(20.0).unwrap();
        for square in [1.0, 12.0, 20.0, 31.41, 60.0] {
            assert!((chi_square_tail(square) - exact.sf(square)).abs() < 1e-12, "{square}");
        }
    }

    #[test]
    fn even_numbers_are_even_and_bent_ones_are_not() {
        let even: Vec<f64> = (0..2000).map(|k| (f64::from(k) + 0.5) / 2000.0).collect();
        assert!(uniform_chi2_p(&even) > 0.999 && ks_distance(&even) < 1e-3);
        let bent: Vec<f64> = even.iter().map(|u| u * u).collect();
        assert!(uniform_chi2_p(&bent) < 1e-6 && (ks_distance(&bent) - 0.25).abs() < 1e-3);
    }

    #[test]
    fn a_histogram_has_the_mass_that_lies_between_its_ends() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let shown = histogram(&values, (0.0, 50.0), 7);
        let mass: f64 = shown.iter().map(|(_, density)| density * 50.0 / 7.0).sum();
        assert!((mass - 0.5).abs() < 1e-12);
    }

    #[test]
    fn the_error_of_a_mean_falls_with_the_root_of_their_number() {
        let error = standard_error(&[1.0, -1.0, 1.0, -1.0]);
        assert_eq!(error, 0.5);
    }
}
