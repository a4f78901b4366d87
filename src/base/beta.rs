//! Beta base distribution.

use rand::Rng;

use super::conditioned::Independent;
use super::gamma::{log_beta, log_gamma_variate};
use super::{Base, Conditioned};
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Checked, Domain};
use crate::tape::Var;

/// Independent beta variables on (0, 1): ln p(z) = Σ ((aᵢ - 1)·ln zᵢ + (bᵢ - 1)·ln(1 - zᵢ) - ln B(aᵢ, bᵢ)) with
/// B(a, b) = Γ(a)·Γ(b)/Γ(a + b). Outside, ln p(z) = -∞.
///
/// The mean is a/(a + b). Below 1, a or b makes the density rise without limit at 0 or 1; a = b = 1 is uniform.
///
/// Source: Johnson, Kotz, Balakrishnan, "Continuous Univariate Distributions", volume 2 (1995), chapter 25.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Beta {
    a: Vec<f64>,
    b: Vec<f64>,
}

impl Beta {
    /// Builds the distribution from a and b of each variable.
    ///
    /// # Panics
    /// When the lists have different lengths, or a number is not positive.
    pub fn new(a: impl Into<Vec<f64>>, b: impl Into<Vec<f64>>) -> Beta {
        Beta { a: a.into(), b: b.into() }.checked()
    }

    /// The exponents of z and of 1 - z: a and b of each variable.
    pub fn concentrations(&self) -> (&[f64], &[f64]) {
        (&self.a, &self.b)
    }
}

impl Checked for Beta {
    fn fault(&self) -> Option<String> {
        let (a, b) = (&self.a, &self.b);
        if a.len() != b.len() {
            return Some(format!("a beta variable has an a and a b; there are {} and {}", a.len(), b.len()));
        }
        let sound = a.iter().chain(b).all(|value| *value > 0.0 && value.is_finite());
        (!sound).then(|| format!("a beta distribution needs a and b above 0, not {a:?} and {b:?}"))
    }
}

impl Base for Beta {
    fn dim(&self) -> usize {
        self.a.len()
    }

    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t> {
        let less =
            |values: &[f64]| z.tape().vector(&values.iter().map(|value| value - 1.0).collect::<Vec<_>>());
        let constant: f64 = self.a.iter().zip(&self.b).map(|(a, b)| log_beta(*a, *b)).sum();
        (less(&self.a) * z.ln() + less(&self.b) * (-z).ln_1p()).sum() - constant
    }

    fn support(&self) -> Domain {
        Domain::Interval { lower: 0.0, upper: 1.0 }
    }

    /// Draws x/(x + y) of two gamma variables of shapes a and b.
    fn sample(&self, random: &mut dyn Rng, z: &mut [f64]) {
        for (value, (a, b)) in z.iter_mut().zip(self.a.iter().zip(&self.b)) {
            let [log_x, log_y] = [*a, *b].map(|shape| log_gamma_variate(random, shape));
            // For small a or b most draws are nearer to an end than any number between: the number next to the end then.
            *value = (1.0 / (1.0 + (log_y - log_x).exp())).clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON / 2.0);
        }
    }

    fn conditioned(&self, known: &[bool]) -> Option<Box<dyn Conditioned>> {
        let log_prob = |base: &Beta, i: usize, z: f64| {
            let (a, b) = (base.a[i], base.b[i]);
            match z > 0.0 && z < 1.0 {
                true => (a - 1.0) * z.ln() + (b - 1.0) * (-z).ln_1p() - log_beta(a, b),
                false => f64::NEG_INFINITY,
            }
        };
        Some(Box::new(Independent::new(self.clone(), known, log_prob)))
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("beta", self)
    }
}
