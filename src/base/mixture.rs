//! Mixtures of any base distributions.

use std::sync::Arc;

use rand::{Rng, RngExt};

use super::log_sum::log_sum_exp;
use super::{Base, Conditioned, SCOPE};
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Checked, Domain};
use crate::numeric;
use crate::tape::{Init, Parameters, Shape, Var};

/// Why draws of a mixture are no differentiable function of its parameters.
pub(super) const MIXED: &str = "a draw of a mixture jumps from one component to another as its weights change, and has no derivative in them";

/// Mixture p(z) = Σ wₖ·pₖ(z) of bases with one support, with weights that sum to 1: ln p(z) = ln Σ exp(ln wₖ + ln pₖ(z)),
/// without overflow.
///
/// Weights are fixed, or [learned](Mixture::learned) with the layers above it: then their logarithms, up to a constant,
/// are the parameter `log_weights`. A component that learns keeps doing so; its parameters are called `components.k.` and
/// their own names. [`GaussianMixture`](super::GaussianMixture) is the mixture whose components have means and
/// covariances.
///
/// ```
/// use pushforward::prelude::*;
///
/// // Mostly normal, with heavy tails.
/// let components: [Box<dyn Base>; 2] = [Box::new(StandardNormal::new(1)), Box::new(StudentT::new(1, 2.0))];
/// let base = Mixture::new(&[0.9, 0.1], components);
/// let layer: Box<dyn Bijection> = Box::new(Affine::fixed([1.0], [0.0]));
/// let flow = Flow::new(base, [layer])?;
/// let start = flow.initial(0);
/// let log_prob = flow.with(start)?.log_prob(&[0.0])?[0];
/// assert!((log_prob.exp() - (0.9 / std::f64::consts::TAU.sqrt() + 0.1 / 8.0f64.sqrt())).abs() < 1e-15);
/// # Ok::<(), FlowError>(())
/// ```
pub struct Mixture {
    log_weights: Vec<f64>,
    components: Vec<Arc<dyn Base>>,
    learned: bool,
}

impl Mixture {
    /// Builds a mixture from the weight (any positive number; weights are normalised) of each component.
    ///
    /// # Panics
    /// When there is no component or not one weight for each, when a weight is not positive, or when the components differ
    /// in their number of variables or in their supports: a component that cannot reach a point would say nothing of it.
    pub fn new(weights: &[f64], components: impl IntoIterator<Item = Box<dyn Base>>) -> Mixture {
        assert!(
            weights.iter().all(|w| *w > 0.0 && w.is_finite()),
            "weights must be positive, but are {weights:?}"
        );
        let total: f64 = weights.iter().sum();
        let log_weights = weights.iter().map(|weight| (weight / total).ln()).collect();
        Mixture::of(log_weights, components, false).checked()
    }

    /// The mixture with these log-weights, not checked.
    pub(crate) fn of(
        log_weights: Vec<f64>,
        components: impl IntoIterator<Item = Box<dyn Base>>,
        learned: bool,
    ) -> Mixture {
        Mixture { log_weights, components: components.into_iter().map(Arc::from).collect(), learned }
    }

    /// Makes the weights a learnable parameter, initialised to the given values.
    pub fn learned(self) -> Mixture {
        Mixture { learned: true, ..self }
    }
}

impl Checked for Mixture {
    fn fault(&self) -> Option<String> {
        let (weights, components) = (self.log_weights.len(), self.components.len());
        if components == 0 || weights != components {
            return Some(format!(
                "a mixture has a weight for each of its components, one at least; there are {weights} and {components}"
            ));
        }
        // Weights that are fixed sum to 1.
        let total: f64 = self.log_weights.iter().map(|weight| weight.exp()).sum();
        let finite = self.log_weights.iter().all(|weight| weight.is_finite());
        if !finite || (!self.learned && (total - 1.0).abs() >= 1e-6) {
            return Some(format!("the weights of a mixture sum to 1, not {total}"));
        }
        let d = self.dim();
        let described = |k: usize| {
            let one = &self.components[k];
            format!("component {k} ({}) {}", one.name(), one.support().written(one.dim()))
        };
        let differs = |one: &Arc<dyn Base>| one.dim() != d || one.support() != self.support();
        let other = self.components.iter().position(differs)?;
        Some(format!(
            "the components of a mixture have one support, but {} is not {}",
            described(other),
            described(0)
        ))
    }
}

impl Base for Mixture {
    fn dim(&self) -> usize {
        self.components[0].dim()
    }

    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (tape, count) = (z.tape(), self.components.len());
        let log_weights = match self.learned {
            true => {
                tape.parameter("log_weights", Shape::Vector(count), Init::Values(self.log_weights.clone()))
            }
            false => tape.vector(&self.log_weights),
        };
        let terms = self.components.iter().enumerate().map(|(k, component)| {
            log_weights.at(k) + tape.scope(&format!("components.{k}"), || component.log_prob(z))
        });
        let mixed = log_sum_exp(terms);
        // Learned weights are not normalised.
        if self.learned { mixed - log_sum_exp((0..count).map(|k| log_weights.at(k))) } else { mixed }
    }

    fn support(&self) -> Domain {
        self.components[0].support()
    }

    fn supports(&self, z: &[f64]) -> bool {
        self.components[0].supports(z)
    }

    fn sample(&self, random: &mut dyn Rng, z: &mut [f64]) {
        let chosen = choose(random, &self.log_weights);
        self.components[chosen].sample(random, z);
    }

    fn noise(&self) -> Result<Box<dyn Base>, String> {
        match self.components.as_slice() {
            [one] => one.noise(),
            _ => Err(MIXED.to_string()),
        }
    }

    fn of_noise<'t>(&self, noise: Var<'t>) -> Var<'t> {
        noise.tape().scope("components.0", || self.components[0].of_noise(noise))
    }

    fn with_parameters(&self, parameters: &Parameters) -> Option<Box<dyn Base>> {
        let mut found = self.learned;
        let component = |(k, component): (usize, &Arc<dyn Base>)| {
            // As if it were the base itself.
            let prefix = format!("{SCOPE}.components.{k}.");
            let mut own = Parameters::default();
            for (name, tensor) in parameters.iter() {
                if let Some(name) = name.strip_prefix(&prefix) {
                    own.set(&format!("{SCOPE}.{name}"), tensor.shape, tensor.values.clone()).ok()?;
                }
            }
            component.with_parameters(&own).map(Arc::from)
        };
        let mut components = self.components.clone();
        for (k, one) in components.iter_mut().enumerate() {
            if let Some(learned) = component((k, one)) {
                (*one, found) = (learned, true);
            }
        }
        let log_weights = match self.learned {
            true => parameters.get(&format!("{SCOPE}.log_weights"))?.values.clone(),
            false => self.log_weights.clone(),
        };
        found.then(|| Box::new(Mixture { log_weights, components, learned: self.learned }) as Box<dyn Base>)
    }

    fn conditioned(&self, known: &[bool]) -> Option<Box<dyn Conditioned>> {
        let components = self.components.iter().map(|one| one.conditioned(known)).collect::<Option<_>>()?;
        Some(Box::new(ConditionedMixture { log_weights: self.log_weights.clone(), components }))
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        let components: Vec<Description> =
            self.components.iter().map(|component| component.describe()).collect::<Option<_>>()?;
        let (log_weights, learned) = (&self.log_weights, self.learned);
        Description::new(
            "mixture",
            &serde_json::json!({ "log_weights": log_weights, "components": components, "learned": learned }),
        )
    }
}

/// A mixture of which some variables are known: each component with its weight times its density of these.
struct ConditionedMixture {
    log_weights: Vec<f64>,
    components: Vec<Box<dyn Conditioned>>,
}

impl ConditionedMixture {
    fn shares(&self, z: &[f64]) -> Vec<f64> {
        let pairs = self.log_weights.iter().zip(&self.components);
        pairs.map(|(log_weight, one)| log_weight + one.log_marginal(z)).collect()
    }
}

impl Conditioned for ConditionedMixture {
    fn log_marginal(&self, z: &[f64]) -> f64 {
        // Learned weights are not normalised.
        let total = numeric::log_sum_exp(self.log_weights.iter().copied());
        numeric::log_sum_exp(self.shares(z).iter().copied()) - total
    }

    fn complete(&self, random: &mut dyn Rng, z: &mut [f64]) {
        let shares = self.shares(z);
        // Where no component is possible, their weights decide.
        let possible = shares.iter().any(|share| *share > f64::NEG_INFINITY);
        let chosen = choose(random, if possible { &shares } else { &self.log_weights });
        self.components[chosen].complete(random, z);
    }
}

/// Draws an index with a probability that is proportional to the exponential of its number; one of them is above -∞.
fn choose(random: &mut dyn Rng, logs: &[f64]) -> usize {
    let total = numeric::log_sum_exp(logs.iter().copied());
    let mut left: f64 = random.random();
    let found = logs.iter().position(|log| {
        left -= (log - total).exp();
        left < 0.0
    });
    // Rounding can leave the cumulative sum below the drawn number: take the last one that is possible.
    found.or_else(|| logs.iter().rposition(|log| *log > f64::NEG_INFINITY)).unwrap_or(0)
}
