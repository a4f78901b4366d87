//! What a state dict does not say.

use super::error::ZukoError;
use crate::layers::Activation;

/// What a state dict does not say: arguments of zuko's constructors and constants of its code.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    pub(super) activation: Activation,
    pub(super) slope: f64,
    pub(super) bound: f64,
}

impl Default for Settings {
    /// zuko's defaults: ReLU, slopes of 10⁻³ at least, splines on [-5, 5].
    fn default() -> Settings {
        Settings { activation: Activation::Relu, slope: 1e-3, bound: 5.0 }
    }
}

impl Settings {
    /// Sets the activation function, `activation` of zuko's flows.
    pub fn with_activation(self, activation: Activation) -> Settings {
        Settings { activation, ..self }
    }

    /// Sets the smallest slope, `slope` of zuko's univariate transforms.
    pub fn with_slope(self, slope: f64) -> Settings {
        Settings { slope, ..self }
    }

    /// Sets the end of the splines' interval, `bound` of `MonotonicRQSTransform`.
    pub fn with_bound(self, bound: f64) -> Settings {
        Settings { bound, ..self }
    }

    /// Returns an error for settings that no layer can have.
    pub(super) fn check(&self) -> Result<(), ZukoError> {
        let positive = |value: f64| value > 0.0 && value.is_finite();
        if positive(self.slope) && self.slope != 1.0 && positive(self.bound) {
            return Ok(());
        }
        let problem = format!(
            "a smallest slope is positive and not 1, and a bound positive, not {} and {}",
            self.slope, self.bound
        );
        Err(ZukoError::Settings(problem))
    }
}
