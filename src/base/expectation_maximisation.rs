//! Gaussian mixtures by expectation-maximisation (Dempster, Laird, Rubin 1977; Bishop, "Pattern Recognition and Machine
//! Learning", 2006, section 9.2.2), with full covariances.
//!
//! Means start at rows drawn by k-means++ (Arthur and Vassilvitskii 2007): each with a probability that grows with the
//! squared distance to the means drawn before. A ridge on each covariance keeps the likelihood bounded: without it, a
//! component that shrinks onto one row has a likelihood without limit.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::GaussianMixture;
use super::cholesky::whitening;
use crate::numeric::quartile_deviation;

/// Options of [`GaussianMixture::fit`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MixtureOptions {
    /// The number of components.
    pub components: usize,
    /// Seed of the first means.
    pub seed: u64,
    /// So many first means are tried; the result of the highest likelihood is kept.
    pub starts: usize,
    /// Is added to the diagonal of each covariance, as a fraction of the squared spread of its variable in all rows.
    pub ridge: f64,
    /// The maximum number of iterations.
    pub iterations: usize,
    /// Stop when the mean log-likelihood grows by less than this.
    pub tolerance: f64,
}

impl Default for MixtureOptions {
    fn default() -> MixtureOptions {
        MixtureOptions { components: 1, seed: 0, starts: 1, ridge: 1e-6, iterations: 200, tolerance: 1e-3 }
    }
}

/// Rows that are summed by one thread: sums do not depend on the number of threads.
const BLOCK: usize = 256;

/// Rows with their weights.
struct Rows<'a> {
    values: &'a [f64],
    weights: &'a [f64],
    d: usize,
}

/// Weights, means and covariances.
struct State {
    weights: Vec<f64>,
    means: Vec<Vec<f64>>,
    covariances: Vec<Vec<f64>>,
}

/// Sums over rows, by component.
struct Sums {
    log_likelihood: f64,
    shares: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl GaussianMixture {
    /// Fits a mixture to rows of d numbers. Components that no row belongs to are left out.
    ///
    /// # Panics
    /// When the rows are not whole, a number is not finite, or there are fewer rows than components.
    pub fn fit(rows: &[f64], d: usize, options: MixtureOptions) -> GaussianMixture {
        let count = rows.len() / d.max(1);
        GaussianMixture::fit_weighted(rows, &vec![1.0; count], d, options)
    }

    /// As [`GaussianMixture::fit`], with a weight for each row: 2 is as good as the row twice.
    ///
    /// # Panics
    /// Also when there is not one weight a row, when one is negative or not finite, or when all are 0.
    pub fn fit_weighted(rows: &[f64], weights: &[f64], d: usize, options: MixtureOptions) -> GaussianMixture {
        let count = rows.len() / d.max(1);
        let k = options.components;
        assert!(d > 0 && rows.len() == count * d, "{} numbers are no rows of {d}", rows.len());
        assert!(k > 0 && k <= count, "{k} components cannot be fitted to {count} rows");
        assert!(rows.iter().all(|value| value.is_finite()), "a mixture is fitted to finite numbers");
        let total: f64 = weights.iter().sum();
        let sound = weights.iter().all(|weight| *weight >= 0.0 && weight.is_finite());
        assert!(
            weights.len() == count && sound && total > 0.0,
            "{count} rows need a weight of 0 or more each"
        );
        let (centre, spread) = moments(rows, d);
        let ridge: Vec<f64> = spread.iter().map(|s| (options.ridge * s * s).max(f64::MIN_POSITIVE)).collect();
        let rows = Rows { values: rows, weights, d };
        let from = |start_number: u64| {
            let seed = options.seed.wrapping_add(start_number);
            let mut state = start(&rows, k, seed, (&centre, &spread), &ridge);
            let mut before = f64::NEG_INFINITY;
            for _ in 0..options.iterations {
                let sums = expectation(&state, &rows, &centre);
                let now = sums.log_likelihood / total;
                state = maximisation(&sums, total, d, &centre, &ridge);
                let rise = now - before;
                before = now;
                // One component is its moments.
                if rise < options.tolerance || k == 1 {
                    break;
                }
            }
            (before, state)
        };
        // One component has one maximum.
        let starts = if k == 1 { 1 } else { options.starts.max(1) };
        let best =
            (0..starts as u64).map(from).reduce(|best, next| if next.0 > best.0 { next } else { best });
        let (_, state) = best.expect("one start at least");
        GaussianMixture::new(&state.weights, &state.means, &state.covariances)
    }
}

/// The mean and the spread of each variable. The spread is the standard deviation, or the distance of the quartiles as
/// that of a normal distribution where that is smaller: a few values far away do not set the scale of all others.
fn moments(rows: &[f64], d: usize) -> (Vec<f64>, Vec<f64>) {
    let count = rows.len() / d;
    let column = |j: usize| rows.iter().skip(j).step_by(d).copied();
    let centre: Vec<f64> = (0..d).map(|j| column(j).sum::<f64>() / count as f64).collect();
    let spread = |j: usize| {
        let deviation = (column(j).map(|x| (x - centre[j]).powi(2)).sum::<f64>() / count as f64).sqrt();
        let quartiles = quartile_deviation(column(j));
        let spread = if quartiles > 0.0 { deviation.min(quartiles) } else { deviation };
        if spread > 0.0 { spread } else { 1.0 }
    };
    let spread = (0..d).map(spread).collect();
    (centre, spread)
}

/// Means by k-means++, then shares of the nearest mean.
fn start(given: &Rows<'_>, k: usize, seed: u64, (centre, spread): (&[f64], &[f64]), ridge: &[f64]) -> State {
    let Rows { values: rows, weights, d } = *given;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let count = rows.len() / d;
    let distance = |row: usize, mean: &[f64]| -> f64 {
        (0..d).map(|j| ((rows[row * d + j] - mean[j]) / spread[j]).powi(2)).sum()
    };
    let mut means: Vec<Vec<f64>> = Vec::new();
    let mut nearest = vec![(f64::INFINITY, 0); count];
    for c in 0..k {
        let weighted = |(row, (square, _)): (usize, &(f64, usize))| weights[row] * square;
        let total: f64 = nearest.iter().enumerate().map(weighted).sum();
        let drawn = if c == 0 || total <= 0.0 {
            random.random_range(0..count)
        } else {
            let mut left = random.random::<f64>() * total;
            let found = nearest.iter().enumerate().position(|(row, near)| {
                left -= weighted((row, near));
                left < 0.0
            });
            found.unwrap_or(count - 1)
        };
        let mean = rows[drawn * d..(drawn + 1) * d].to_vec();
        for (row, best) in nearest.iter_mut().enumerate() {
            let square = distance(row, &mean);
            if square < best.0 {
                *best = (square, c);
            }
        }
        means.push(mean);
    }
    let mut sums = Sums::zero(k, d);
    for (row, (_, c)) in nearest.iter().enumerate() {
        sums.add(*c, weights[row], &rows[row * d..(row + 1) * d], centre);
    }
    maximisation(&sums, weights.iter().sum(), d, centre, ridge)
}

impl Sums {
    fn zero(k: usize, d: usize) -> Sums {
        Sums {
            log_likelihood: 0.0,
            shares: vec![0.0; k],
            first: vec![0.0; k * d],
            second: vec![0.0; k * d * d],
        }
    }

    /// Adds a row to component c with this share. Rows are centred: less cancels in second moments.
    fn add(&mut self, c: usize, share: f64, row: &[f64], centre: &[f64]) {
        let d = row.len();
        self.shares[c] += share;
        for i in 0..d {
            let x = share * (row[i] - centre[i]);
            self.first[c * d + i] += x;
            for j in 0..=i {
                self.second[(c * d + i) * d + j] += x * (row[j] - centre[j]);
            }
        }
    }

    fn plus(mut self, other: &Sums) -> Sums {
        let add = |to: &mut [f64], from: &[f64]| to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        self.log_likelihood += other.log_likelihood;
        add(&mut self.shares, &other.shares);
        add(&mut self.first, &other.first);
        add(&mut self.second, &other.second);
        self
    }
}

/// The shares of each component in each row (its posterior), summed.
fn expectation(state: &State, given: &Rows<'_>, centre: &[f64]) -> Sums {
    let Rows { values: rows, weights, d } = *given;
    let k = state.weights.len();
    let whitenings: Vec<(Vec<f64>, Vec<f64>, f64)> = (0..k)
        .map(|c| {
            let (below, log_diagonal) =
                whitening(d, &state.covariances[c]).expect("a covariance with a ridge is positive definite");
            let constant = state.weights[c].ln() + log_diagonal.iter().sum::<f64>();
            (below, log_diagonal.iter().map(|l| l.exp()).collect(), constant)
        })
        .collect();
    let blocks: Vec<Sums> = rows
        .par_chunks(BLOCK * d)
        .zip(weights.par_chunks(BLOCK))
        .map(|(block, weights)| {
            let mut sums = Sums::zero(k, d);
            let mut logs = vec![0.0; k];
            for (row, weight) in block.chunks(d).zip(weights) {
                for (c, (below, diagonal, constant)) in whitenings.iter().enumerate() {
                    let mean = &state.means[c];
                    let mut square = 0.0;
                    for i in 0..d {
                        let mut white = diagonal[i] * (row[i] - mean[i]);
                        for j in 0..i {
                            white += below[i * d + j] * (row[j] - mean[j]);
                        }
                        square += white * white;
                    }
                    logs[c] = constant - 0.5 * square;
                }
                let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let total = largest + logs.iter().map(|l| (l - largest).exp()).sum::<f64>().ln();
                sums.log_likelihood += weight * total;
                for (c, log) in logs.iter().enumerate() {
                    let share = (log - total).exp();
                    if share > 1e-12 {
                        sums.add(c, weight * share, row, centre);
                    }
                }
            }
            sums
        })
        .collect();
    blocks.iter().fold(Sums::zero(k, d), Sums::plus)
}

/// Weights, means and covariances of these shares.
fn maximisation(sums: &Sums, total: f64, d: usize, centre: &[f64], ridge: &[f64]) -> State {
    let mut state = State { weights: Vec::new(), means: Vec::new(), covariances: Vec::new() };
    for (c, share) in sums.shares.iter().enumerate().filter(|(_, share)| **share > 1e-6) {
        let mean: Vec<f64> = (0..d).map(|i| sums.first[c * d + i] / share).collect();
        let mut covariance = vec![0.0; d * d];
        for i in 0..d {
            for j in 0..=i {
                let entry = sums.second[(c * d + i) * d + j] / share - mean[i] * mean[j];
                covariance[i * d + j] = entry;
                covariance[j * d + i] = entry;
            }
        }
        // Rounding may leave a negative eigenvalue: a larger ridge then.
        let mut factor = 1.0;
        loop {
            let mut with_ridge = covariance.clone();
            (0..d).for_each(|i| with_ridge[i * d + i] = with_ridge[i * d + i].max(0.0) + factor * ridge[i]);
            if whitening(d, &with_ridge).is_some() {
                covariance = with_ridge;
                break;
            }
            factor *= 10.0;
        }
        state.weights.push(share / total);
        state.means.push(mean.iter().zip(centre).map(|(mean, centre)| mean + centre).collect());
        state.covariances.push(covariance);
    }
    state
}
