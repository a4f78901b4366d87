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
    let quantile = |k: usize| {
        let p = (k as f64 + 0.5) / count as f64;
        (p / (1.0 - p)).ln()
    };
    let terms = |side: f64| {
        let term = |k: usize| {
            let u = (z - (locations[k] + quantile(k))) * (-log_scales[k]).exp();
            logs[k] - (-side * u).softplus()
        };
        (1..count).fold(term(0), |sum, k| sum.log_add_exp(term(k)))
    };
    terms(1.0) - terms(-1.0)
}
