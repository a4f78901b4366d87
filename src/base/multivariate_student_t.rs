//! Multivariate t base distribution.

use std::f64::consts::TAU;

use rand::Rng;

use super::gamma::{log_gamma_half_step, log_gamma_variate};
use super::{Base, Conditioned, StandardNormal};
use crate::bijection::Checked;
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::tape::Var;

/// Multivariate t distribution with a spherical density: ln p(z) = c(ν, d) - ½(ν + d)·ln(1 + |z|²/ν) with
/// c(ν, d) = ln Γ(½(ν + d)) - ln Γ(½ν) - ½d·ln(νπ).
///
/// Each variable has Student's t distribution. They are uncorrelated for ν > 2 and not independent: all are divided by one
/// random scale, so that large values come together, where those of [`StudentT`](super::StudentT) come alone. For a
/// location and a shape matrix L·Lᵀ, a [`Triangular`](crate::layers::Triangular) and an
/// [`Affine`](crate::layers::Affine) layer follow. The limit ν → ∞ is the standard normal.
///
/// Source: Kotz and Nadarajah, "Multivariate t Distributions and Their Applications" (2004), eq. 1.1.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MultivariateStudentT {
    d: usize,
    degrees: f64,
}

impl MultivariateStudentT {
    /// Builds the distribution of d variables with ν degrees of freedom; ν = 1 is the multivariate Cauchy distribution.
    ///
    /// # Panics
    /// When `degrees` is not a positive number.
    pub fn new(d: usize, degrees: f64) -> MultivariateStudentT {
        MultivariateStudentT { d, degrees }.checked()
    }

    /// Degrees of freedom ν.
    pub fn degrees(&self) -> f64 {
        self.degrees
    }

    /// c(ν, d): Γ(x + 1) = x·Γ(x) for each pair of variables, so that ln x of ν = 2x cancels exactly.
    fn constant(&self, d: usize) -> f64 {
        let (half, pairs) = (0.5 * self.degrees, d / 2);
        let of_pairs: f64 = (0..pairs).map(|k| (k as f64 / half).ln_1p()).sum();
        let of_one = match d % 2 {
            0 => 0.0,
            _ => log_gamma_half_step(half + pairs as f64) - 0.5 * half.ln(),
        };
        of_pairs + of_one - 0.5 * d as f64 * TAU.ln()
    }
}

impl Checked for MultivariateStudentT {
    fn fault(&self) -> Option<String> {
        let degrees = self.degrees;
        let sound = degrees > 0.0 && degrees.is_finite();
        (!sound).then(|| format!("a multivariate t needs degrees of freedom above 0, not {degrees}"))
    }
}

impl Base for MultivariateStudentT {
    fn dim(&self) -> usize {
        self.d
    }

    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t> {
        let kernel = ((z * z).sum() / self.degrees).ln_1p();
        self.constant(self.d) - 0.5 * (self.degrees + self.d as f64) * kernel
    }

    /// Divides a normal vector by √(χ²/ν), where χ²/2 is a gamma variable of shape ½ν.
    fn sample(&self, random: &mut dyn Rng, z: &mut [f64]) {
        StandardNormal::new(self.d).sample(random, z);
        let half = 0.5 * self.degrees;
        let scale = (0.5 * (half.ln() - log_gamma_variate(random, half))).exp();
        z.iter_mut().for_each(|value| *value *= scale);
    }

    fn conditioned(&self, known: &[bool]) -> Option<Box<dyn Conditioned>> {
        Some(Box::new(ConditionedT { base: *self, known: known.to_vec() }))
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("multivariate_student_t", self)
    }
}

/// A multivariate t of which k variables z are known: these have a multivariate t distribution of ν degrees, and the
/// others one of ν + k degrees, times √((ν + |z|²)/(ν + k)) (Kotz and Nadarajah, section 1.11).
struct ConditionedT {
    base: MultivariateStudentT,
    known: Vec<bool>,
}

impl ConditionedT {
    /// How many variables are known, and the sum of their squares.
    fn known(&self, z: &[f64]) -> (usize, f64) {
        let known = z.iter().zip(&self.known).filter(|(_, known)| **known);
        known.fold((0, 0.0), |(count, square), (z, _)| (count + 1, square + z * z))
    }
}

impl Conditioned for ConditionedT {
    fn log_marginal(&self, z: &[f64]) -> f64 {
        let (count, square) = self.known(z);
        let degrees = self.base.degrees;
        self.base.constant(count) - 0.5 * (degrees + count as f64) * (square / degrees).ln_1p()
    }

    fn complete(&self, random: &mut dyn Rng, z: &mut [f64]) {
        let (count, square) = self.known(z);
        let degrees = self.base.degrees + count as f64;
        let scale = ((self.base.degrees + square) / degrees).sqrt();
        let mut others = vec![0.0; self.base.d - count];
        MultivariateStudentT { d: others.len(), degrees }.sample(random, &mut others);
        let unknown = z.iter_mut().zip(&self.known).filter(|(_, known)| !**known);
        unknown.zip(others).for_each(|((z, _), value)| *z = scale * value);
    }
}
