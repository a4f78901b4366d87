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
use super::gaussian_mixture::whitening;
use crate::numeric::quartile_deviation;

/// Options of [`GaussianMixture::fit`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MixtureOptions {
    /// The number of components.
    pub components: usize,
    /// Seed of the first means.
    pub seed: u64,
    /// Is added to the diagonal of each covariance, as a fraction of the squared spread of its variable in all rows.
    pub ridge: f64,
    /// The maximum number of iterations.
    pub iterations: usize,
    /// Stop when the mean log-likelihood grows by less than this.
    pub tolerance: f64,
}

impl Default for MixtureOptions {
    fn default() -> MixtureOptions {
        MixtureOptions { components: 1, seed: 0, ridge: 1e-6, iterations: 200, tolerance: 1e-3 }
    }
}

/// Rows that are summed by one thread: sums do not depend on the number of threads.
const BLOCK: usize = 256;

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
        let k = options.components;
        assert!(d > 0 && rows.len() == count * d, "{} numbers are no rows of {d}", rows.len());
        assert!(k > 0 && k <= count, "{k} components cannot be fitted to {count} rows");
        assert!(rows.iter().all(|value| value.is_finite()), "a mixture is fitted to finite numbers");
        let (centre, spread) = moments(rows, d);
        let ridge: Vec<f64> = spread.iter().map(|s| (options.ridge * s * s).max(f64::MIN_POSITIVE)).collect();
        let mut state = start(rows, d, k, options.seed, (&centre, &spread), &ridge);
        let mut before = f64::NEG_INFINITY;
        for _ in 0..options.iterations {
            let sums = expectation(&state, rows, d, &centre);
            let now = sums.log_likelihood / count as f64;
            state = maximisation(&sums, count, d, &centre, &ridge);
            // One component is its moments.
            if now - before < options.tolerance || k == 1 {
                break;
            }
            before = now;
        }
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
fn start(
    rows: &[f64],
    d: usize,
    k: usize,
    seed: u64,
    (centre, spread): (&[f64], &[f64]),
    ridge: &[f64],
) -> State {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let count = rows.len() / d;
    let distance = |row: usize, mean: &[f64]| -> f64 {
        (0..d).map(|j| ((rows[row * d + j] - mean[j]) / spread[j]).powi(2)).sum()
    };
    let mut means: Vec<Vec<f64>> = Vec::new();
    let mut nearest = vec![(f64::INFINITY, 0); count];
    for c in 0..k {
        let total: f64 = nearest.iter().map(|(square, _)| *square).sum();
        let drawn = if c == 0 || total <= 0.0 {
            random.random_range(0..count)
        } else {
            let mut left = random.random::<f64>() * total;
            let found = nearest.iter().position(|(square, _)| {
                left -= square;
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
        sums.add(*c, 1.0, &rows[row * d..(row + 1) * d], centre);
    }
    maximisation(&sums, count, d, centre, ridge)
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
fn expectation(state: &State, rows: &[f64], d: usize, centre: &[f64]) -> Sums {
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
        .map(|block| {
            let mut sums = Sums::zero(k, d);
            let mut logs = vec![0.0; k];
            for row in block.chunks(d) {
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
                sums.log_likelihood += total;
                for (c, log) in logs.iter().enumerate() {
                    let share = (log - total).exp();
                    if share > 1e-12 {
                        sums.add(c, share, row, centre);
                    }
                }
            }
            sums
        })
        .collect();
    blocks.iter().fold(Sums::zero(k, d), Sums::plus)
}

/// Weights, means and covariances of these shares.
fn maximisation(sums: &Sums, count: usize, d: usize, centre: &[f64], ridge: &[f64]) -> State {
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
        state.weights.push(share / count as f64);
        state.means.push(mean.iter().zip(centre).map(|(mean, centre)| mean + centre).collect());
        state.covariances.push(covariance);
    }
    state
}
