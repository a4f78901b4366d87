//! The probability-flow equation of a diffusion whose score is known.
//!
//! A diffusion dx = f(x, t) dt + g(t) dw takes data at t = 0 to noise at t = 1. With the score s(x, t) = ∇ₓ ln p_t(x) of the
//! density p_t at time t, the equation without noise
//!
//! ```text
//! dx/dt = f(x, t) - ½·g(t)²·s(x, t)
//! ```
//!
//! has the same p_t (its continuity equation is the Fokker-Planck equation of the diffusion). Solved from t = 1 to t = 0 it is a
//! continuous flow from noise to data, and ln p₀ comes with it as for any other. If s is not the score of the diffusion, but a
//! network that approximates it, the flow is still a density, the one of the equation that is solved.
//!
//! Source: Song, Sohl-Dickstein, Kingma, Kumar, Ermon, Poole, "Score-Based Generative Modeling through Stochastic Differential
//! Equations" (2021), eq. 13 for the equation, eqs. 29 to 33 (appendix B and C) for the two diffusions.

use super::Continuous;
use super::field::Field;
use super::solver::Solver;
use crate::bijection::Checked;
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::tape::Var;

/// A diffusion from data at t = 0 to noise at t = 1.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Diffusion {
    /// f = -½·β(t)·x and g² = β(t), with β growing from `least` to `most` in a straight line; 0.1 and 20 are usual. Given
    /// x₀, x_t is N(α·x₀, 1 - α²) with ln α = -¼·t²·(most - least) - ½·t·least: near N(0, 1) at t = 1.
    VariancePreserving {
        /// β(0).
        least: f64,
        /// β(1).
        most: f64,
    },
    /// f = 0 and g² = dσ²/dt, with σ(t) = least·(most/least)ᵗ. Given x₀, x_t is N(x₀, σ(t)² - σ(0)²).
    VarianceExploding {
        /// σ(0).
        least: f64,
        /// σ(1).
        most: f64,
    },
}

impl Diffusion {
    /// Records the factor α(t) and the variance v(t) of x_t given x₀: x_t is N(α·x₀, v) for each variable. Of data with a known
    /// density that is what its score is made of.
    pub fn given_data<'t>(self, t: Var<'t>) -> (Var<'t>, Var<'t>) {
        match self {
            Diffusion::VariancePreserving { least, most } => {
                let log = -(0.25 * (most - least)) * t * t - 0.5 * least * t;
                (log.exp(), -(2.0 * log).exp_m1())
            }
            Diffusion::VarianceExploding { least, most } => {
                let growth = (2.0 * (most / least).ln() * t).exp_m1();
                (t.tape().constant(1.0), least * least * growth)
            }
        }
    }

    /// The standard deviation of the noise at t = 1: the scale of the base of the flow.
    pub fn noise(self) -> f64 {
        match self {
            Diffusion::VariancePreserving { least, most } => (-(-0.5 * (least + most)).exp_m1()).sqrt(),
            Diffusion::VarianceExploding { least, most } => ((most - least) * (most + least)).sqrt(),
        }
    }

    /// Records g(t)².
    fn square_of_noise<'t>(self, t: Var<'t>) -> Var<'t> {
        match self {
            Diffusion::VariancePreserving { least, most } => least + (most - least) * t,
            Diffusion::VarianceExploding { least, most } => {
                let rate = 2.0 * (most / least).ln();
                rate * least * least * (rate * t).exp()
            }
        }
    }

    fn fault(self) -> Option<String> {
        let (name, least, most) = match self {
            Diffusion::VariancePreserving { least, most } => ("β", least, most),
            Diffusion::VarianceExploding { least, most } => ("σ", least, most),
        };
        let (sound, rule) = match self {
            Diffusion::VariancePreserving { .. } => (
                least >= 0.0 && most >= least && most > 0.0,
                "must not be negative, nor fall, nor be 0 throughout",
            ),
            Diffusion::VarianceExploding { .. } => {
                (least > 0.0 && most > least, "must be positive, and grow")
            }
        };
        (!(sound && most.is_finite()))
            .then(|| format!("{name} {rule}, and be finite, but goes from {least} to {most}"))
    }
}

/// The velocity f(x, t) - ½·g(t)²·s(x, t) of a diffusion with the score s, a vector field of x and t.
///
/// [`ProbabilityFlow::layer`] makes it a layer from noise to data.
///
/// ```
/// use pushforward::layers::{Diffusion, Field, ProbabilityFlow, Solver};
/// use pushforward::prelude::*;
///
/// const DIFFUSION: Diffusion = Diffusion::VariancePreserving { least: 0.1, most: 20.0 };
///
/// /// The score of data N(2, 0.5²): x_t is N(2·α, 0.25·α² + v).
/// struct Score;
///
/// impl Field for Score {
///     fn dim(&self) -> usize { 1 }
///     fn velocity<'t>(&self, x: Var<'t>, t: Var<'t>) -> Var<'t> {
///         let (alpha, variance) = DIFFUSION.given_data(t);
///         (2.0 * alpha - x) / (0.25 * alpha * alpha + variance)
///     }
/// }
///
/// let solver = Solver::DormandPrince { relative: 1e-8, absolute: 1e-8 };
/// let layer: Box<dyn Bijection> = Box::new(ProbabilityFlow::new(Score, DIFFUSION).layer(solver, 1000));
/// let flow = Flow::new(StandardNormal::new(1), [layer])?;
/// let start = flow.initial(0);
/// let log_p = flow.with(start)?.log_prob(&[2.5])?[0];
/// let exact = -0.5 - (0.5f64 * std::f64::consts::TAU.sqrt()).ln();
/// // The noise at t = 1 is N(0.013, 1 - 3e-5), not the base N(0, 1).
/// assert!((log_p - exact).abs() < 0.03);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ProbabilityFlow<S> {
    score: S,
    diffusion: Diffusion,
}

impl<S: Field> ProbabilityFlow<S> {
    /// Builds the velocity.
    ///
    /// # Panics
    /// When β is negative, falls, or is 0 throughout, when σ does not grow from a positive number, or when one is not finite.
    pub fn new(score: S, diffusion: Diffusion) -> ProbabilityFlow<S> {
        ProbabilityFlow { score, diffusion }.checked()
    }

    /// The layer from noise, at t = 1, to data, at t = 0. Over a standard normal base the noise of
    /// [`Diffusion::VarianceExploding`] has the wrong scale: an [`Affine`](crate::layers::Affine) layer with
    /// [`Diffusion::noise`] before it gives it the right one.
    ///
    /// A score that is a network is often learned from a small t on only: then [`Continuous::between`] 1 and that t.
    ///
    /// # Panics
    /// As [`Continuous::new`].
    pub fn layer(self, solver: Solver, steps: usize) -> Continuous<ProbabilityFlow<S>> {
        Continuous::new(self, solver, steps).between(1.0, 0.0)
    }

    /// The score.
    pub fn score(&self) -> &S {
        &self.score
    }
}

impl<S> ProbabilityFlow<S> {
    /// Builds it from settings that may be those of a file.
    #[cfg(feature = "serde")]
    pub(crate) fn of(score: S, diffusion: Diffusion) -> ProbabilityFlow<S> {
        ProbabilityFlow { score, diffusion }
    }
}

impl<S> Checked for ProbabilityFlow<S> {
    fn fault(&self) -> Option<String> {
        self.diffusion.fault()
    }
}

impl<S: Field> Field for ProbabilityFlow<S> {
    fn dim(&self) -> usize {
        self.score.dim()
    }

    fn velocity<'t>(&self, x: Var<'t>, t: Var<'t>) -> Var<'t> {
        let (score, half) = (self.score.velocity(x, t), -0.5 * self.diffusion.square_of_noise(t));
        match self.diffusion {
            Diffusion::VariancePreserving { .. } => half * (x + score),
            Diffusion::VarianceExploding { .. } => half * score,
        }
    }

    fn name(&self) -> String {
        format!("probability flow of {}", self.score.name())
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        let settings = serde_json::json!({ "score": self.score.describe()?, "diffusion": self.diffusion });
        Description::new("probability_flow", &settings)
    }
}
