//! Mixtures of logistic distribution functions as transformers: Flow++, and the deep sigmoidal flows of NAF.
//!
//! With m(z) = Σₖ wₖ·σ((z - μₖ)·exp(-sₖ)), where the weights wₖ sum to 1,
//!
//! x = logit m(z) = ln Σₖ wₖ·σ(uₖ) - ln Σₖ wₖ·σ(-uₖ),  uₖ = (z - μₖ)·exp(-sₖ).
//!
//! In this form m is not near 1 anywhere, a factor of all weights cancels, and both sums are formed from logarithms:
//! no tail is too far. It increases from -∞ to ∞ for all parameters.
//!
//! Sources: Ho, Chen, Srinivas, Duan, Abbeel, "Flow++" (2019), eq. 9; Huang, Krueger, Lacoste, Courville, "Neural
//! Autoregressive Flows" (2018), eq. 8.

use crate::bijection::Checked;
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::layers::transformer::{Transformer, rows};
use crate::tape::Var;

/// The logit of a mixture of logistic distribution functions, with an affine map after it (Flow++).
///
/// The element parameters of a variable are K logarithms of weights, K locations, K log-scales, a log-scale and a shift.
/// Where all are 0 it is close to the identity, and the components differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LogisticMixtureTransformer {
    components: usize,
}

impl LogisticMixtureTransformer {
    /// Builds the transformer of K components.
    ///
    /// # Panics
    /// When there are none, or more than 256.
    pub fn new(components: usize) -> LogisticMixtureTransformer {
        LogisticMixtureTransformer { components }.checked()
    }
}

impl Checked for LogisticMixtureTransformer {
    fn fault(&self) -> Option<String> {
        let sound = (1..=256).contains(&self.components);
        (!sound).then(|| format!("a mixture has 1 to 256 components, not {}", self.components))
    }
}

impl Transformer for LogisticMixtureTransformer {
    fn parameters_per_dimension(&self) -> usize {
        3 * self.components + 2
    }

    fn forward<'t>(&self, z: Var<'t>, numbers: Var<'t>) -> Var<'t> {
        let m = numbers.len() / self.parameters_per_dimension();
        let numbers = rows(numbers, m);
        let (mixture, affine) = numbers.split_at(3 * self.components);
        logit_of_mixture(z, mixture) * affine[0].exp() + affine[1]
    }

    fn name(&self) -> String {
        "LogisticMixture".to_string()
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("logistic_mixture", self)
    }
}

/// Deep sigmoidal transformer: several logits of mixtures, one after another (NAF).
///
/// The element parameters of a variable are, for each step, K logarithms of weights, K locations and K log-scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DeepSigmoidalTransformer {
    units: usize,
    steps: usize,
}

impl DeepSigmoidalTransformer {
    /// Builds the transformer of `steps` steps with this many units each.
    ///
    /// # Panics
    /// When there is no unit or no step, or more than 256 units or 16 steps.
    pub fn new(units: usize, steps: usize) -> DeepSigmoidalTransformer {
        DeepSigmoidalTransformer { units, steps }.checked()
    }
}

impl Checked for DeepSigmoidalTransformer {
    fn fault(&self) -> Option<String> {
        let DeepSigmoidalTransformer { units, steps } = *self;
        let sound = (1..=256).contains(&units) && (1..=16).contains(&steps);
        (!sound).then(|| {
            format!(
                "a deep sigmoidal transformer has 1 to 256 units and 1 to 16 steps, not {units} and {steps}"
            )
        })
    }
}

impl Transformer for DeepSigmoidalTransformer {
    fn parameters_per_dimension(&self) -> usize {
        3 * self.units * self.steps
    }

    fn forward<'t>(&self, z: Var<'t>, numbers: Var<'t>) -> Var<'t> {
        let m = numbers.len() / self.parameters_per_dimension();
        rows(numbers, m).chunks(3 * self.units).fold(z, logit_of_mixture_of)
    }

    fn name(&self) -> String {
        "DeepSigmoidal".to_string()
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("deep_sigmoidal", self)
    }
}

/// Deep dense sigmoidal transformer: layers of K units that all see the units before them (NAF).
///
/// hⱼ ← logit Σₖ wⱼₖ·σ(exp(-sₖ)·(Σₗ uₖₗ·hₗ - μₖ)), where the rows of w and of u sum to 1. The first h is z and the last has one unit.
///
/// The element parameters of a variable are, for each layer, logarithms of the weights w and of the weights u, K locations and K
/// log-scales; u is left out of the first layer, where there is one h.
///
/// Source: Huang, Krueger, Lacoste, Courville, "Neural Autoregressive Flows" (2018), eqs. 9-10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DeepDenseSigmoidalTransformer {
    units: usize,
    layers: usize,
}

impl DeepDenseSigmoidalTransformer {
    /// Builds the transformer of `layers` layers with this many units each.
    ///
    /// # Panics
    /// When there is no unit or no layer, or more than 64 units or 8 layers.
    pub fn new(units: usize, layers: usize) -> DeepDenseSigmoidalTransformer {
        DeepDenseSigmoidalTransformer { units, layers }.checked()
    }

    /// Units before and after each layer.
    fn widths(&self) -> impl Iterator<Item = (usize, usize)> {
        let DeepDenseSigmoidalTransformer { units, layers } = *self;
        (0..layers).map(move |k| (if k == 0 { 1 } else { units }, if k + 1 == layers { 1 } else { units }))
    }

    /// The numbers of a layer: w, u, locations and log-scales.
    fn numbers(&self, before: usize, after: usize) -> [usize; 4] {
        [after * self.units, if before == 1 { 0 } else { self.units * before }, self.units, self.units]
    }
}

impl Checked for DeepDenseSigmoidalTransformer {
    fn fault(&self) -> Option<String> {
        let DeepDenseSigmoidalTransformer { units, layers } = *self;
        let sound = (1..=64).contains(&units) && (1..=8).contains(&layers);
        (!sound).then(|| {
            format!(
                "a deep dense sigmoidal transformer has 1 to 64 units and 1 to 8 layers, not {units} and {layers}"
            )
        })
    }
}

impl Transformer for DeepDenseSigmoidalTransformer {
    fn parameters_per_dimension(&self) -> usize {
        self.widths().map(|(before, after)| self.numbers(before, after).iter().sum::<usize>()).sum()
    }

    fn forward<'t>(&self, z: Var<'t>, parameters: Var<'t>) -> Var<'t> {
        let m = parameters.len() / self.parameters_per_dimension();
        let mut rest = rows(parameters, m).into_iter();
        let (mut h, units) = (vec![z], self.units);
        for (before, after) in self.widths() {
            let [w, u, locations, log_scales] =
                self.numbers(before, after).map(|count| rest.by_ref().take(count).collect::<Vec<_>>());
            let seen = |k: usize| match before {
                1 => h[0],
                _ => convex(&u[k * before..(k + 1) * before], &h),
            };
            let inside = (0..units)
                .map(|k| (seen(k) - (locations[k] + logistic_quantile(k, units))) * (-log_scales[k]).exp());
            let inside: Vec<Var<'t>> = inside.collect();
            h = (0..after).map(|j| logit_of_sigmoids(&w[j * units..(j + 1) * units], &inside)).collect();
        }
        h[0]
    }

    fn name(&self) -> String {
        "DeepDenseSigmoidal".to_string()
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("deep_dense_sigmoidal", self)
    }
}

/// Σₗ uₗ·hₗ with positive weights that sum to 1.
fn convex<'t>(logs: &[Var<'t>], h: &[Var<'t>]) -> Var<'t> {
    let weights: Vec<Var<'t>> = logs.iter().map(|log| log.exp()).collect();
    let sum = |terms: Vec<Var<'t>>| terms.into_iter().reduce(|sum, next| sum + next).expect("a unit or more");
    sum(weights.iter().zip(h).map(|(weight, h)| *weight * *h).collect()) / sum(weights)
}

fn logit_of_mixture_of<'t>(z: Var<'t>, numbers: &[Var<'t>]) -> Var<'t> {
    logit_of_mixture(z, numbers)
}

/// logit Σ wₖ·σ(uₖ), from K logarithms of weights, K locations and K log-scales.
///
/// Locations are offset by quantiles of the logistic distribution, and scales by that of one of K narrow components that
/// cover it, so that components differ where all numbers are 0.
fn logit_of_mixture<'t>(z: Var<'t>, numbers: &[Var<'t>]) -> Var<'t> {
    let count = numbers.len() / 3;
    let (logs, rest) = numbers.split_at(count);
    let (locations, log_scales) = rest.split_at(count);
    let inside =
        (0..count).map(|k| (z - (locations[k] + logistic_quantile(k, count))) * (-log_scales[k]).exp());
    logit_of_sigmoids(logs, &inside.collect::<Vec<_>>())
}

/// The k-th of so many quantiles of the logistic distribution.
fn logistic_quantile(k: usize, count: usize) -> f64 {
    let p = (k as f64 + 0.5) / count as f64;
    (p / (1.0 - p)).ln()
}

/// logit Σ wₖ·σ(uₖ), the weights by their logarithms.
fn logit_of_sigmoids<'t>(logs: &[Var<'t>], inside: &[Var<'t>]) -> Var<'t> {
    let terms = |side: f64| {
        let term = |k: usize| logs[k] - (-side * inside[k]).softplus();
        (1..logs.len()).fold(term(0), |sum, k| sum.log_add_exp(term(k)))
    };
    terms(1.0) - terms(-1.0)
}
