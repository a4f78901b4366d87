//! Dirichlet base distribution.

use rand::Rng;

use super::Base;
use super::gamma::{log_beta, log_gamma_variate};
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Checked, Domain};
use crate::tape::Var;

/// Dirichlet distribution of d + 1 shares that sum to 1, as a density of the first d of them:
/// ln p(z) = Σ (αᵢ - 1)·ln zᵢ - ln B(α) over all d + 1 shares, where the last one is 1 - z₁ - … - z_d and
/// B(α) = Π Γ(αᵢ)/Γ(Σ αᵢ). The support is the open simplex zᵢ > 0, Σ zᵢ < 1.
///
/// The means are αᵢ/Σ α. All concentrations 1 are the uniform distribution, and two of them a [`Beta`](super::Beta)
/// variable.
///
/// Source: Kotz, Balakrishnan, Johnson, "Continuous Multivariate Distributions", volume 1 (2000), chapter 49.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Dirichlet {
    concentrations: Vec<f64>,
}

impl Dirichlet {
    /// Builds the distribution of d variables from d + 1 concentrations.
    ///
    /// # Panics
    /// When there are fewer than two concentrations, or one is not positive.
    pub fn new(concentrations: impl Into<Vec<f64>>) -> Dirichlet {
        Dirichlet { concentrations: concentrations.into() }.checked()
    }

    /// The concentrations, that of the last share included.
    pub fn concentrations(&self) -> &[f64] {
        &self.concentrations
    }

    /// ln B(α), as a product of beta functions: of each share, and of all that come after it.
    fn log_normaliser(&self) -> f64 {
        let mut after = 0.0;
        let mut sum = 0.0;
        for (k, concentration) in self.concentrations.iter().rev().enumerate() {
            sum += if k == 0 { 0.0 } else { log_beta(*concentration, after) };
            after += concentration;
        }
        sum
    }
}

impl Checked for Dirichlet {
    fn fault(&self) -> Option<String> {
        let all = &self.concentrations;
        let sound = all.len() > 1 && all.iter().all(|value| *value > 0.0 && value.is_finite());
        (!sound).then(|| {
            format!("a Dirichlet distribution needs two concentrations or more, all above 0, not {all:?}")
        })
    }
}

impl Base for Dirichlet {
    fn dim(&self) -> usize {
        self.concentrations.len() - 1
    }

    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t> {
        let exponents: Vec<f64> = self.concentrations.iter().map(|value| value - 1.0).collect();
        let (last, first) = exponents.split_last().expect("two concentrations or more");
        z.tape().vector(first).dot(z.ln()) + *last * (-z.sum()).ln_1p() - self.log_normaliser()
    }

    fn support(&self) -> Domain {
        Domain::Simplex
    }

    /// Draws gamma variables with the concentrations as shapes, and divides them by their sum.
    fn sample(&self, random: &mut dyn Rng, z: &mut [f64]) {
        let logs: Vec<f64> =
            self.concentrations.iter().map(|shape| log_gamma_variate(random, *shape)).collect();
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = logs.iter().map(|log| (log - largest).exp()).sum();
        for (value, log) in z.iter_mut().zip(&logs) {
            *value = ((log - largest).exp() / total).max(f64::MIN_POSITIVE);
        }
        // A last share below the resolution of the others is rounded to 0: it gets the smallest that is left.
        while z.iter().sum::<f64>() >= 1.0 {
            z.iter_mut().for_each(|value| *value *= 1.0 - f64::EPSILON);
        }
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("dirichlet", self)
    }
}
