//! Base distributions: the distributions of z.

mod beta;
mod cholesky;
mod conditioned;
mod dirichlet;
mod expectation_maximisation;
mod gamma;
mod gaussian_mixture;
mod gumbel;
mod laplace;
mod log_sum;
mod logistic;
mod mixture;
mod mixture_conditioned;
mod multivariate_student_t;
mod standard_normal;
mod student_t;
mod uniform;
mod von_mises;
mod von_mises_fisher;

pub use beta::Beta;
pub use conditioned::Conditioned;
pub use dirichlet::Dirichlet;
pub use expectation_maximisation::MixtureOptions;
pub use gaussian_mixture::GaussianMixture;
pub use gumbel::Gumbel;
pub use laplace::Laplace;
pub use logistic::Logistic;
pub use mixture::Mixture;
pub use multivariate_student_t::MultivariateStudentT;
pub use standard_normal::StandardNormal;
pub use student_t::StudentT;
pub use uniform::Uniform;
pub use von_mises::VonMises;
pub use von_mises_fisher::VonMisesFisher;

pub use rand::Rng;

use std::sync::Arc;

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::Domain;
use crate::tape::{Parameters, Var};

/// Prefix of the names of the base's parameters within a flow.
pub(crate) const SCOPE: &str = "base";

/// A base distribution: the distribution of z.
///
/// It has no context. A base whose location, scale or shape depends on a context is a standard one under a first layer
/// with parameters from the context, [`ConditionalAffine`](crate::layers::ConditionalAffine).
pub trait Base: Send + Sync {
    /// Number of variables.
    fn dim(&self) -> usize;

    /// Records ln p_Z(z): takes a vector of `dim`, returns a scalar. Only needs to be correct inside the
    /// support.
    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t>;

    /// The set where the density is positive; defaults to ℝᵈ. A flow returns -∞ outside.
    fn support(&self) -> Domain {
        Domain::Reals
    }

    /// Returns whether a point lies in the support.
    fn supports(&self, z: &[f64]) -> bool {
        self.support().contains(z)
    }

    /// Display name; defaults to the type name.
    fn name(&self) -> String {
        let full = std::any::type_name::<Self>();
        let plain = full.split('<').next().unwrap_or(full);
        plain.rsplit("::").next().unwrap_or(plain).to_string()
    }

    /// Draws one point into `z`, from any generator of random numbers.
    fn sample(&self, random: &mut dyn Rng, z: &mut [f64]);

    /// Records a draw as a function of `normal`, a vector of `dim` independent standard normal numbers, and of `uniform`,
    /// one that is uniform on (0, 1); `None` where there is no such formula here. Its distribution is that of
    /// [`Base::sample`]. Parameters have the values of [`Base::with_parameters`].
    fn draw<'t>(&self, normal: Var<'t>, uniform: Var<'t>) -> Option<Var<'t>> {
        let _ = (normal, uniform);
        None
    }

    /// For a base with parameters: a base without, of whose draws ε its own are a function, [`Base::of_noise`]. A loss over
    /// draws ([`Flow::reverse_kl`](crate::flow::Flow::reverse_kl)) then has a gradient in the parameters
    /// (reparameterisation; Kingma and Welling 2014, section 2.4).
    ///
    /// # Errors
    /// Why there is none, as the end of a sentence about this base.
    fn noise(&self) -> Result<Box<dyn Base>, String> {
        Err("it says no other base of which its draws are a function (Base::noise)".to_string())
    }

    /// Records a draw as a function of a draw ε of [`Base::noise`] and of the parameters, declared by the names that
    /// [`Base::log_prob`] has for them: a vector of `dim`. Defaults to ε itself.
    fn of_noise<'t>(&self, noise: Var<'t>) -> Var<'t> {
        noise
    }

    /// Returns this base with the given parameter values, for sampling after a fit. A parameter that
    /// `log_prob` declares as `name` is called `base.name` here. `None` if the base has no parameters.
    fn with_parameters(&self, parameters: &Parameters) -> Option<Box<dyn Base>> {
        let _ = parameters;
        None
    }

    /// This base with some variables known; `None` where no formula integrates over the others. Parameters have the values
    /// of [`Base::with_parameters`].
    fn conditioned(&self, known: &[bool]) -> Option<Box<dyn Conditioned>> {
        let _ = known;
        None
    }

    /// What a model file keeps of it, as [`Bijection::describe`](crate::bijection::Bijection::describe) of a layer.
    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        None
    }
}

/// Boxes and shared pointers forward every method, including those with defaults.
macro_rules! points_to_a_base {
    ($($pointer:ty),*) => {$(
        impl<B: Base + ?Sized> Base for $pointer {
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
            fn sample(&self, random: &mut dyn Rng, z: &mut [f64]) {
                (**self).sample(random, z);
            }
            fn draw<'t>(&self, normal: Var<'t>, uniform: Var<'t>) -> Option<Var<'t>> {
                (**self).draw(normal, uniform)
            }
            fn noise(&self) -> Result<Box<dyn Base>, String> {
                (**self).noise()
            }
            fn of_noise<'t>(&self, noise: Var<'t>) -> Var<'t> {
                (**self).of_noise(noise)
            }
            fn with_parameters(&self, parameters: &Parameters) -> Option<Box<dyn Base>> {
                (**self).with_parameters(parameters)
            }
            fn conditioned(&self, known: &[bool]) -> Option<Box<dyn Conditioned>> {
                (**self).conditioned(known)
            }
            #[cfg(feature = "serde")]
            fn describe(&self) -> Option<Description> {
                (**self).describe()
            }
        }
    )*};
}

points_to_a_base!(Arc<B>, Box<B>);
