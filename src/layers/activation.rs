//! Activation functions of conditioners.

use crate::tape::Var;

/// The function of the hidden units of a conditioner. It need not be one-to-one: a conditioner is never inverted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Activation {
    /// tanh a, the default.
    #[default]
    Tanh,
    /// max(a, 0), the default of zuko and flowjax.
    Relu,
    /// a above 0, eᵃ - 1 below (Clevert, Unterthiner, Hochreiter 2016).
    Elu,
    /// a·σ(a) (Hendrycks and Gimpel 2016).
    Silu,
}

impl Activation {
    /// Records the function of each element.
    pub(super) fn apply(self, a: Var<'_>) -> Var<'_> {
        match self {
            Activation::Tanh => a.tanh(),
            Activation::Relu => a.max(0.0),
            Activation::Elu => a.max(0.0) + a.min(0.0).exp_m1(),
            Activation::Silu => a * a.sigmoid(),
        }
    }

    /// Whether it is the one that descriptions do not name.
    #[cfg(feature = "serde")]
    pub(super) fn is_default(&self) -> bool {
        *self == Activation::default()
    }
}
