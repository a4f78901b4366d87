//! Gaussian with full covariance, the baseline for a flow.

use std::f64::consts::PI;

use crate::numeric::Lu;
use crate::table::Table;

/// N(mean, covariance), fitted by maximum likelihood.
#[derive(Clone, Debug)]
pub struct Gaussian {
    mean: Vec<f64>,
    covariance: Lu<f64>,
}

impl Gaussian {
    /// Returns the Gaussian with the mean and the (population) covariance of a table.
    pub fn fit(table: &Table) -> Gaussian {
        let (d, rows) = (table.width(), table.rows());
        let (mean, _) = table.moments();
        let mut covariance = vec![0.0; d * d];
        for row in 0..rows {
            let x = table.row(row);
            for i in 0..d {
                for j in 0..d {
                    covariance[i * d + j] += (x[i] - mean[i]) * (x[j] - mean[j]) / rows as f64;
                }
            }
        }
        Gaussian { mean, covariance: Lu::new(d, covariance) }
    }

    /// Returns ln p of each row.
    pub fn log_prob(&self, table: &Table) -> Vec<f64> {
        let constant = self.mean.len() as f64 * (2.0 * PI).ln() + self.covariance.log_abs_det();
        (0..table.rows())
            .map(|row| {
                let centred: Vec<f64> =
                    table.row(row).iter().zip(&self.mean).map(|(x, mean)| x - mean).collect();
                let mut solved = centred.clone();
                self.covariance.solve(&mut solved);
                let square: f64 = centred.iter().zip(&solved).map(|(a, b)| a * b).sum();
                -0.5 * (square + constant)
            })
            .collect()
    }
}
