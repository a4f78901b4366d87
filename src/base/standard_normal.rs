//! Standard normal base distribution.

use std::f64::consts::{PI, TAU};

use rand::{Rng, RngExt};

use super::conditioned::Independent;
use super::{Base, Conditioned};
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::tape::Var;

/// Standard normal distribution N(0, I): ln p(z) = -½ Σ zᵢ² - d/2 · ln 2π.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StandardNormal {
    d: usize,
}

impl StandardNormal {
    /// Builds the distribution of d variables.
    pub fn new(d: usize) -> StandardNormal {
        StandardNormal { d }
    }
}

impl Base for StandardNormal {
    fn dim(&self) -> usize {
        self.d
    }

    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t> {
        -0.5 * (z * z).sum() - 0.5 * self.d as f64 * (2.0 * PI).ln()
    }

    fn sample(&self, random: &mut dyn Rng, z: &mut [f64]) {
        for pair in z.chunks_mut(2) {
            let (first, second) = normal_pair(random);
            pair[0] = first;
            if let Some(value) = pair.get_mut(1) {
                *value = second;
            }
        }
    }

    fn draw<'t>(&self, normal: Var<'t>, _: Var<'t>) -> Option<Var<'t>> {
        Some(normal)
    }

    fn conditioned(&self, known: &[bool]) -> Option<Box<dyn Conditioned>> {
        Some(Box::new(Independent::new(*self, known, |_, _, z| -0.5 * (z * z + TAU.ln()))))
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("standard_normal", self)
    }
}

/// Draws two independent standard normal numbers (Box and Muller, "A note on the generation of random normal
/// deviates", 1958) from two uniform numbers used as polar coordinates.
fn normal_pair(random: &mut dyn Rng) -> (f64, f64) {
    // 1 - u lies in (0, 1], so its logarithm is finite.
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    let (sin, cos) = (TAU * random.random::<f64>()).sin_cos();
    (radius * cos, radius * sin)
}
