//! The functions of elementwise layers as transformers, with an affine map beside each.

use super::Transform;
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Checked, Domain};
use crate::layers::transformer::{Transformer, rows};
use crate::tape::Var;

/// Transformer of a fixed function g and an affine map, which has the element parameters: a log-scale s and a shift t.
///
/// x = g(z·exp(s) + t) where g is defined on ℝ, and x = g(z)·exp(s) + t where only its image is ℝ. A coupling or an
/// autoregressive layer with it begins or ends where g does: with [`Transform::Sigmoid`] in an interval.
///
/// ```
/// use pushforward::prelude::*;
///
/// let layer = Autoregressive::with(MaskedNetwork::new(3, [8]), ElementwiseTransformer::new(Transform::Sinh));
/// assert!(audit(&layer)?.has_no_refutation());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ElementwiseTransformer {
    transform: Transform,
}

impl ElementwiseTransformer {
    /// Builds the transformer.
    ///
    /// # Panics
    /// When neither the domain nor the codomain of the function is ℝ, which an affine map before or after it would leave,
    /// or when its constants do not make it strictly monotone.
    pub fn new(transform: Transform) -> ElementwiseTransformer {
        ElementwiseTransformer { transform }.checked()
    }

    fn is_affine_first(&self) -> bool {
        self.transform.domain() == Domain::Reals
    }
}

impl Checked for ElementwiseTransformer {
    fn fault(&self) -> Option<String> {
        let transform = self.transform;
        if !transform.is_sound() {
            return Some(format!(
                "{transform:?} is not strictly monotone: its numbers must be positive and finite"
            ));
        }
        let sound = [transform.domain(), transform.codomain()].contains(&Domain::Reals);
        (!sound).then(|| {
            format!(
                "{transform:?} maps {} to {}: an affine map before or after it would leave them; use `Elementwise`, or a \
                 function whose domain or codomain is ℝ",
                transform.domain(),
                transform.codomain()
            )
        })
    }
}

impl Transformer for ElementwiseTransformer {
    fn parameters_per_dimension(&self) -> usize {
        2
    }

    fn forward<'t>(&self, z: Var<'t>, parameters: Var<'t>) -> Var<'t> {
        let [log_scale, shift] = affine(parameters);
        match self.is_affine_first() {
            true => self.transform.apply(z * log_scale.exp() + shift),
            false => self.transform.apply(z) * log_scale.exp() + shift,
        }
    }

    fn inverse<'t>(&self, x: Var<'t>, parameters: Var<'t>) -> Option<Var<'t>> {
        let [log_scale, shift] = affine(parameters);
        match self.is_affine_first() {
            true => Some((self.transform.inverse(x)? - shift) * (-log_scale).exp()),
            false => self.transform.inverse((x - shift) * (-log_scale).exp()),
        }
    }

    fn domain(&self) -> Domain {
        self.transform.domain()
    }

    fn codomain(&self) -> Domain {
        self.transform.codomain()
    }

    fn name(&self) -> String {
        format!("{:?}", self.transform).split(' ').next().unwrap_or("Elementwise").to_string()
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("elementwise", self)
    }
}

/// The log-scales and the shifts.
fn affine(parameters: Var<'_>) -> [Var<'_>; 2] {
    let parts = rows(parameters, parameters.len() / 2);
    [parts[0], parts[1]]
}
