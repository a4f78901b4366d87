//! Base distributions: what z is drawn from. Simple on purpose; the expressive power lives in the map.

mod standard_normal;
mod uniform;

pub use standard_normal::StandardNormal;
pub use uniform::Uniform;

use rand_chacha::ChaCha8Rng;

use crate::tape::Var;

/// The distribution of z.
pub trait Base {
    /// How many variables it has.
    fn dim(&self) -> usize;

    /// ln p_Z(z), recorded: a vector of `dim` in, a scalar out. It need hold inside the support only.
    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t>;

    /// Whether a point has density at all; outside, ln p is -∞.
    fn supports(&self, z: &[f64]) -> bool {
        z.iter().all(|value| value.is_finite())
    }

    /// Draws one point into `z`.
    fn sample(&self, random: &mut ChaCha8Rng, z: &mut [f64]);
}
