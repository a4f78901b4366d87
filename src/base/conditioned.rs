//! A base of which some variables are known.

use rand::Rng;

use super::Base;

/// A base distribution with some of its variables known: what is needed to integrate over the others, and to draw them.
pub trait Conditioned: Send + Sync {
    /// ln p of the known variables, the others integrated out. Only the known entries of `z` are read.
    fn log_marginal(&self, z: &[f64]) -> f64;

    /// Draws the unknown variables given the known ones, into `z`.
    fn complete(&self, random: &mut dyn Rng, z: &mut [f64]);
}

/// Independent variables: what is known says nothing of the others.
pub(super) struct Independent<B> {
    base: B,
    known: Vec<bool>,
    /// ln p of one variable, by its index.
    log_prob: fn(&B, usize, f64) -> f64,
}

impl<B: Base> Independent<B> {
    pub fn new(base: B, known: &[bool], log_prob: fn(&B, usize, f64) -> f64) -> Independent<B> {
        Independent { base, known: known.to_vec(), log_prob }
    }
}

impl<B: Base> Conditioned for Independent<B> {
    fn log_marginal(&self, z: &[f64]) -> f64 {
        let known = z.iter().zip(&self.known).enumerate().filter(|(_, (_, known))| **known);
        known.map(|(i, (z, _))| (self.log_prob)(&self.base, i, *z)).sum()
    }

    fn complete(&self, random: &mut dyn Rng, z: &mut [f64]) {
        let mut drawn = vec![0.0; self.base.dim()];
        self.base.sample(random, &mut drawn);
        for ((z, drawn), known) in z.iter_mut().zip(drawn).zip(&self.known) {
            if !known {
                *z = drawn;
            }
        }
    }
}
