//! Uniform base distribution.

use std::f64::consts::{PI, TAU};

use rand::{Rng, RngExt};

use super::conditioned::Independent;
use super::{Base, Conditioned};
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::Domain;
use crate::tape::Var;

/// Uniform distribution on the unit cube (0, 1)ᵈ, where ln p(z) = 0, or on the torus [-π, π)ᵈ, where
/// ln p(z) = -d·ln 2π. Outside, ln p(z) = -∞.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Uniform {
    d: usize,
    angles: bool,
}

impl Uniform {
    /// Builds the uniform distribution on the unit cube of d variables.
    pub fn new(d: usize) -> Uniform {
        Uniform { d, angles: false }
    }

    /// Builds the uniform distribution of d angles in [-π, π): the base for a circular spline.
    pub fn circle(d: usize) -> Uniform {
        Uniform { d, angles: true }
    }
}

impl Base for Uniform {
    fn dim(&self) -> usize {
        self.d
    }

    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().constant(if self.angles { -(self.d as f64) * TAU.ln() } else { 0.0 })
    }

    fn support(&self) -> Domain {
        match self.angles {
            true => Domain::Circle,
            false => Domain::Interval { lower: 0.0, upper: 1.0 },
        }
    }

    fn sample(&self, random: &mut dyn Rng, z: &mut [f64]) {
        let mut draw = || match (random.random::<f64>(), self.angles) {
            (u, true) => Some(TAU * u - PI),
            // With probability 2⁻⁵³ the number is 0, which is not in the open interval.
            (u, false) => (u > 0.0).then_some(u),
        };
        for value in z {
            *value = loop {
                if let Some(drawn) = draw() {
                    break drawn;
                }
            };
        }
    }

    fn conditioned(&self, known: &[bool]) -> Option<Box<dyn Conditioned>> {
        let log_prob =
            |base: &Uniform, i: usize, z: f64| match (base.angles, base.support().contains_at(i, z)) {
                (_, false) => f64::NEG_INFINITY,
                (true, true) => -TAU.ln(),
                (false, true) => 0.0,
            };
        Some(Box::new(Independent::new(*self, known, log_prob)))
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("uniform", self)
    }
}
