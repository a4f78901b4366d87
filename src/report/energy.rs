//! The energy distance between rows and samples, in pairs.
//!
//! D = 2·E|x - y| - E|x - x'| - E|y - y'| is 0 if and only if x and y have the same distribution (Székely and Rizzo,
//! "Energy statistics", 2013). A row and a sample make a pair, so that samples that were drawn given values of the row
//! need no other treatment. With h(i, j) = |xᵢ - yⱼ| + |xⱼ - yᵢ| - |xᵢ - xⱼ| - |yᵢ - yⱼ|, the mean of h over all i ≠ j
//! estimates D without bias; it may be negative where D is 0.
//!
//! If rows and samples have one distribution, exchanging the two of a pair changes nothing but the sign of its h: the
//! p-value counts how many random exchanges give as large a mean. It is exact for any number of pairs.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// An energy distance with its error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EnergyDistance {
    /// The estimate, in the unit of the values; about 0 for equal distributions.
    pub distance: f64,
    /// Its standard error, by leaving out one pair after the other (jackknife).
    pub error: f64,
    /// The distance as a part of 2·E|x - y|: 0 for equal distributions, 1 for two different points.
    pub share: f64,
    /// The share of random exchanges within pairs that give as large an estimate.
    pub p: f64,
}

impl EnergyDistance {
    /// Estimates the distance between rows and samples of `width` numbers, the k-th row paired with the k-th sample.
    /// Takes time and memory proportional to the square of the number of pairs. Fewer than three pairs tell nothing:
    /// everything is 0 then, and p is 1.
    ///
    /// ```
    /// use pushforward::report::EnergyDistance;
    ///
    /// let wave = |shift: f64| (0..200).map(|k| (f64::from(k) + shift).sin()).collect::<Vec<_>>();
    /// let same = EnergyDistance::of_pairs(&wave(0.0), &wave(0.5), 1, 199, 7);
    /// let moved: Vec<f64> = wave(0.5).iter().map(|x| x + 1.0).collect();
    /// let other = EnergyDistance::of_pairs(&wave(0.0), &moved, 1, 199, 7);
    /// assert!(same.p > 0.05 && other.p == 1.0 / 200.0);
    /// ```
    ///
    /// # Panics
    /// When there are not as many samples as rows.
    pub fn of_pairs(
        rows: &[f64],
        samples: &[f64],
        width: usize,
        exchanges: usize,
        seed: u64,
    ) -> EnergyDistance {
        assert_eq!(rows.len(), samples.len(), "a row and a sample make a pair");
        let n = rows.len() / width.max(1);
        if n < 3 {
            return EnergyDistance { distance: 0.0, error: 0.0, share: 0.0, p: 1.0 };
        }
        let row = |i: usize| &rows[i * width..(i + 1) * width];
        let sample = |i: usize| &samples[i * width..(i + 1) * width];
        // The part of h below the diagonal, line by line, with the part of it that is between rows and samples.
        let lines: Vec<(Vec<f64>, f64)> = (0..n)
            .into_par_iter()
            .map(|i| {
                let mut between = 0.0;
                let line = (0..i)
                    .map(|j| {
                        let cross = distance(row(i), sample(j)) + distance(row(j), sample(i));
                        between += cross;
                        cross - distance(row(i), row(j)) - distance(sample(i), sample(j))
                    })
                    .collect();
                (line, between)
            })
            .collect();
        let pairs = (n * (n - 1)) as f64;
        let mut sums = vec![0.0; n];
        for (i, (line, _)) in lines.iter().enumerate() {
            for (j, h) in line.iter().enumerate() {
                sums[i] += h;
                sums[j] += h;
            }
        }
        let total: f64 = sums.iter().sum();
        let estimate = total / pairs;
        let without = |sum: &f64| (total - 2.0 * sum) / ((n - 1) * (n - 2)) as f64;
        let mean = sums.iter().map(without).sum::<f64>() / n as f64;
        let square: f64 = sums.iter().map(|sum| (without(sum) - mean).powi(2)).sum();
        let error = (square * (n - 1) as f64 / n as f64).sqrt();
        let between = lines.iter().map(|(_, between)| between).sum::<f64>() / pairs;

        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let signs: Vec<Vec<f64>> = (0..exchanges)
            .map(|_| (0..n).map(|_| if random.random::<bool>() { 1.0 } else { -1.0 }).collect())
            .collect();
        let exchanged = |signs: &Vec<f64>| {
            let line = |(i, (line, _)): (usize, &(Vec<f64>, f64))| {
                signs[i] * line.iter().zip(signs).map(|(h, sign)| h * sign).sum::<f64>()
            };
            2.0 * lines.iter().enumerate().map(line).sum::<f64>() / pairs
        };
        let as_large = signs.par_iter().filter(|signs| exchanged(signs) >= estimate).count();
        EnergyDistance {
            distance: estimate,
            error,
            share: if between > 0.0 { estimate / (2.0 * between) } else { 0.0 },
            p: (as_large + 1) as f64 / (exchanges + 1) as f64,
        }
    }
}

/// The Euclidean distance.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}
