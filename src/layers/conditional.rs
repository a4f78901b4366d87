//! Elementwise layers of transformers whose parameters depend on the context alone: bases that depend on a context.
//!
//! xᵢ = τ(zᵢ; network(c)ᵢ)
//!
//! As the first layer over a standard normal base, [`ConditionalAffine`] makes the base N(μ(c), diag σ(c)²), with a
//! mean and a deviation that are functions of the context: the `ConditionalDiagonalNormal` of nflows. It is a layer,
//! because locations and scales of bases are layers here: so every base can have them (Laplace, Student t, a
//! mixture), and density, inverse, audit and samples are those of any other layer. With another transformer the base
//! can be skewed, too.

use std::panic::Location;

use super::network::Network;
use super::transformer::{AffineTransformer, ScaleMap, Transformer};
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked, Domain};
use crate::jacobian::Structure;
use crate::tape::Var;

/// Elementwise layer: a transformer of each variable, with element parameters that a network computes from the
/// context.
///
/// The last layer of the network starts at 0, so that an affine layer starts as the identity for every context.
#[derive(Clone, Debug)]
pub struct Conditional<T> {
    d: usize,
    network: Network,
    transformer: T,
}

/// x = z ⊙ exp(s(c)) + μ(c): over a standard normal base a normal distribution with mean μ(c) and standard deviation
/// exp(s(c)).
///
/// The network returns the unconstrained log-scales of all variables, then the shifts; without hidden layers both are
/// affine functions of the context.
///
/// ```
/// use pushforward::prelude::*;
///
/// // p(x | c) = N(2c, e^c): the parameters are set here, and are learned by `fit`.
/// let layer: Box<dyn Bijection> = Box::new(ConditionalAffine::new(1, Network::new([]).with_context(1)));
/// let flow = Flow::new(StandardNormal::new(1), [layer])?;
/// let mut parameters = flow.initial(0);
/// parameters.set("layers.0.net.0.weight", Shape::Matrix(2, 1), vec![0.5, 2.0])?;
/// let conditional = flow.with(parameters)?;
///
/// let exact = |x: f64, c: f64| -0.5 * (x - 2.0 * c).powi(2) / c.exp() - 0.5 * c - 0.5 * std::f64::consts::TAU.ln();
/// let log_p = conditional.log_prob_given(&[1.0, 1.0], &[0.3, -2.0])?;
/// assert!((log_p[0] - exact(1.0, 0.3)).abs() < 1e-14 && (log_p[1] - exact(1.0, -2.0)).abs() < 1e-14);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "ConditionalNormal")]
#[doc(alias = "ConditionalDiagonalNormal")]
pub type ConditionalAffine = Conditional<AffineTransformer>;

impl ConditionalAffine {
    /// Builds the layer of d variables with [`ScaleMap::Identity`]: the log-scale is what the network returns.
    ///
    /// # Panics
    /// As [`Conditional::with`].
    pub fn new(d: usize, network: Network) -> ConditionalAffine {
        Conditional::with(d, network, AffineTransformer::new(ScaleMap::Identity))
    }

    /// Sets the scale map; defaults to [`ScaleMap::Identity`].
    ///
    /// # Panics
    /// As [`AffineTransformer::new`].
    pub fn with_log_scale(self, log_scale: ScaleMap) -> ConditionalAffine {
        ConditionalAffine { transformer: AffineTransformer::new(log_scale), ..self }
    }
}

impl<T: Transformer> Conditional<T> {
    /// Builds the layer of d variables with any transformer. The context is the only input of the network.
    ///
    /// # Panics
    /// When the network has no context ([`Network::with_context`]).
    pub fn with(d: usize, network: Network, transformer: T) -> Conditional<T> {
        Conditional::of(d, network, transformer).checked()
    }

    /// The layer, not checked.
    pub(crate) fn of(d: usize, network: Network, transformer: T) -> Conditional<T> {
        Conditional { d, network, transformer }
    }

    fn element_parameters<'t>(&self, like: Var<'t>) -> Var<'t> {
        let count = self.transformer.parameters_per_dimension().saturating_mul(self.d);
        self.network.apply_to_context(like.tape(), count)
    }
}

impl<T> Checked for Conditional<T> {
    fn fault(&self) -> Option<String> {
        (self.network.context() == 0).then(|| {
            "the network of a conditional layer needs a context: Network::new([16]).with_context(n)"
                .to_string()
        })
    }
}

impl<T: Transformer> Bijection for Conditional<T> {
    fn dim(&self) -> usize {
        self.d
    }

    fn structure(&self) -> Structure {
        Structure::Diagonal
    }

    fn domain(&self) -> Domain {
        self.transformer.domain()
    }

    fn codomain(&self) -> Domain {
        self.transformer.codomain()
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || self.transformer.forward(z, self.element_parameters(z)))
    }

    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || self.transformer.inverse(x, self.element_parameters(x)))
    }

    fn exact_log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
        Some(self.transformer.exact_slope(z, self.element_parameters(z))?.ln().sum())
    }

    fn name(&self) -> String {
        format!("Conditional{}", self.transformer.name())
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        let transformer = self.transformer.describe()?;
        Description::new(
            "conditional",
            &serde_json::json!({ "d": self.d, "network": self.network, "transformer": transformer }),
        )
    }
}
