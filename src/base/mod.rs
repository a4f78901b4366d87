//! Base distributions: what z is drawn from. Simple on purpose; the expressive power lives in the map.

mod gaussian_mixture;
mod logistic;
mod standard_normal;
mod student_t;
mod uniform;

pub use gaussian_mixture::GaussianMixture;
pub use logistic::Logistic;
pub use standard_normal::StandardNormal;
pub use student_t::StudentT;
pub use uniform::Uniform;

use rand_chacha::ChaCha8Rng;

use crate::bijection::Domain;
use crate::tape::{Parameters, Var};

/// What a flow puts before the names of its base's parameters.
pub const SCOPE: &str = "base";

/// The distribution of z.
pub trait Base {
    /// How many variables it has.
    fn dim(&self) -> usize;

    /// ln p_Z(z), recorded: a vector of `dim` in, a scalar out. It need hold inside the support only.
    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t>;

    /// Where there is density; all of ℝᵈ unless said. Outside, ln p is -∞, and a flow sees to that.
    fn support(&self) -> Domain {
        Domain::Reals
    }

    /// Whether a point lies in the support.
    fn supports(&self, z: &[f64]) -> bool {
        self.support().contains(z)
    }

    /// What messages call it; the name of the type unless said.
    fn name(&self) -> String {
        let full = std::any::type_name::<Self>();
        let plain = full.split('<').next().unwrap_or(full);
        plain.rsplit("::").next().unwrap_or(plain).to_string()
    }

    /// Draws one point into `z`.
    fn sample(&self, random: &mut ChaCha8Rng, z: &mut [f64]);

    /// The base as it is with these parameters, if it declares any: what is sampled after a fit. A parameter that
    /// `log_prob` declares as `name` is `base.name` here. `None` where nothing is learned.
    fn with_parameters(&self, parameters: &Parameters) -> Option<Box<dyn Base>> {
        let _ = parameters;
        None
    }
}

impl<B: Base + ?Sized> Base for Box<B> {
    fn dim(&self) -> usize {
        (**self).dim()
    }
    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t> {
        (**self).log_prob(z)
    }
    fn support(&self) -> Domain {
        (**self).support()
    }
    fn supports(&self, z: &[f64]) -> bool {
        (**self).supports(z)
    }
    fn name(&self) -> String {
        (**self).name()
    }
    fn sample(&self, random: &mut ChaCha8Rng, z: &mut [f64]) {
        (**self).sample(random, z);
    }
    fn with_parameters(&self, parameters: &Parameters) -> Option<Box<dyn Base>> {
        (**self).with_parameters(parameters)
    }
}
