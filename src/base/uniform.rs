//! The uniform base.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::Base;
use crate::tape::Var;

/// z uniform on the unit cube (0, 1)ᵈ: ln p(z) = 0 inside and -∞ outside.
#[derive(Clone, Copy, Debug)]
pub struct Uniform {
    d: usize,
}

impl Uniform {
    /// On the unit cube of d variables.
    pub fn new(d: usize) -> Uniform {
        Uniform { d }
    }
}

impl Base for Uniform {
    fn dim(&self) -> usize {
        self.d
    }

    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().constant(0.0)
    }

    fn supports(&self, z: &[f64]) -> bool {
        z.iter().all(|value| (0.0..=1.0).contains(value))
    }

    fn sample(&self, random: &mut ChaCha8Rng, z: &mut [f64]) {
        z.iter_mut().for_each(|value| *value = random.random());
    }
}
