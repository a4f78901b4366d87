//! Transformers: monotone scalar maps with parameters from a conditioner.
//!
//! x = τ(z; parameters), strictly increasing in z for all element parameters `parameters`. Coupling and
//! autoregressive layers differ in which inputs the conditioner reads; any transformer works with either. The
//! transformer is the diagonal of the Jacobian, so the Jacobian is triangular for any conditioner.
//!
//! Source: Papamakarios et al., "Normalizing Flows for Probabilistic Modeling and Inference" (2021), section 3.1,
//! which names transformers and conditioners.

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Checked, Domain};
use crate::tape::{Init, Shape, Var};

/// A strictly increasing function of one variable, with element parameters from a conditioner.
///
/// ```
/// use pushforward::prelude::*;
///
/// /// x = z + t + tanh(z + t)/2: no formula undoes it, but bounds prove it monotone, and Newton's method does.
/// #[derive(Clone)]
/// struct Bent;
///
/// impl Transformer for Bent {
///     fn parameters_per_dimension(&self) -> usize { 1 }
///     fn forward<'t>(&self, z: Var<'t>, parameters: Var<'t>) -> Var<'t> {
///         let moved = z + parameters;
///         moved + 0.5 * moved.tanh()
///     }
///     fn name(&self) -> String { "Bent".to_string() }
/// }
///
/// let layer = Coupling::with(CouplingMask::first_half(4), Network::new([8]), Bent);
/// assert_eq!(record(&layer)?.structure(), &Structure::LowerTriangular);
/// assert!(audit(&layer)?.has_no_refutation());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Transformer: Send + Sync {
    /// Number of element parameters for each variable.
    fn parameters_per_dimension(&self) -> usize;

    /// Records x = τ(z; parameters) for m variables at once. `parameters` has m·`self.parameters_per_dimension()` entries: the first
    /// element parameter of every variable, then the second of every variable, and so on.
    fn forward<'t>(&self, z: Var<'t>, parameters: Var<'t>) -> Var<'t>;

    /// Records z = τ⁻¹(x; parameters), if written by hand; `None`, the default, lets the layer derive its
    /// inverse.
    fn inverse<'t>(&self, x: Var<'t>, parameters: Var<'t>) -> Option<Var<'t>> {
        let _ = (x, parameters);
        None
    }

    /// Records ∂x/∂z of the map that τ approximates, where τ is a quadrature; `None`, the default, where τ is the map itself.
    fn exact_slope<'t>(&self, z: Var<'t>, parameters: Var<'t>) -> Option<Var<'t>> {
        let _ = (z, parameters);
        None
    }

    /// Where z lies; ℝ if not written.
    fn domain(&self) -> Domain {
        Domain::Reals
    }

    /// Where x lies, for all element parameters: τ maps the domain onto it. ℝ if not written.
    fn codomain(&self) -> Domain {
        Domain::Reals
    }

    /// Name used for the layers: `Affine` makes an `AffineCoupling`.
    fn name(&self) -> String;

    /// What a model file keeps of it, as [`Bijection::describe`](crate::bijection::Bijection::describe) of a layer.
    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        None
    }
}

impl<T: Transformer + ?Sized> Transformer for Box<T> {
    fn parameters_per_dimension(&self) -> usize {
        (**self).parameters_per_dimension()
    }

    fn forward<'t>(&self, z: Var<'t>, parameters: Var<'t>) -> Var<'t> {
        (**self).forward(z, parameters)
    }

    fn inverse<'t>(&self, x: Var<'t>, parameters: Var<'t>) -> Option<Var<'t>> {
        (**self).inverse(x, parameters)
    }

    fn exact_slope<'t>(&self, z: Var<'t>, parameters: Var<'t>) -> Option<Var<'t>> {
        (**self).exact_slope(z, parameters)
    }

    fn domain(&self) -> Domain {
        (**self).domain()
    }

    fn codomain(&self) -> Domain {
        (**self).codomain()
    }

    fn name(&self) -> String {
        (**self).name()
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        (**self).describe()
    }
}

/// Shift transformer: x = z + t.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ShiftTransformer;

impl Transformer for ShiftTransformer {
    fn parameters_per_dimension(&self) -> usize {
        1
    }

    fn forward<'t>(&self, z: Var<'t>, parameters: Var<'t>) -> Var<'t> {
        z + parameters
    }

    fn name(&self) -> String {
        "Additive".to_string()
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("shift", self)
    }
}

/// Scale map: how an affine transformer computes its log-scale s from the unconstrained network output r.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum ScaleMap {
    /// s = α·tanh(r/α), with a learned α = exp(`log_bound`) for each transformed variable: the scale is
    /// bounded, so that a single bad step cannot blow up exp(s), the bound is learned, and α is never 0.
    Bounded,
    /// s = tanh r.
    Tanh,
    /// s = r.
    Identity,
    /// s = r/(1 + |r/ln slope|): scales stay between slope and 1/slope.
    SoftClipped {
        /// The smallest scale, above 0 and other than 1.
        slope: f64,
    },
}

impl ScaleMap {
    /// Records s from the unconstrained log-scales.
    fn apply<'t>(self, r: Var<'t>) -> Var<'t> {
        match self {
            ScaleMap::Bounded => {
                let log_bound = Init::Constant(2f64.ln());
                let bound = r.tape().parameter("log_bound", Shape::Vector(r.len()), log_bound).exp();
                bound * (r / bound).tanh()
            }
            ScaleMap::Tanh => r.tanh(),
            ScaleMap::Identity => r,
            ScaleMap::SoftClipped { slope } => r / (1.0 + (r / slope.ln()).abs()),
        }
    }
}

/// Affine transformer: x = z·exp(s) + t, with s computed from the unconstrained log-scale by the scale map.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AffineTransformer {
    log_scale: ScaleMap,
    normalising: bool,
}

impl AffineTransformer {
    /// z·exp(s) + t.
    ///
    /// # Panics
    /// When the slope of [`ScaleMap::SoftClipped`] is not above 0, or is 1.
    pub fn new(log_scale: ScaleMap) -> AffineTransformer {
        AffineTransformer { log_scale, normalising: false }.checked()
    }

    /// (x - t)·exp(-s), the inverse of [`AffineTransformer::new`]: for layers that are written from x to z.
    ///
    /// # Panics
    /// As [`AffineTransformer::new`].
    pub fn normalising(log_scale: ScaleMap) -> AffineTransformer {
        AffineTransformer { normalising: true, ..AffineTransformer::new(log_scale) }
    }
}

impl Checked for AffineTransformer {
    fn fault(&self) -> Option<String> {
        let ScaleMap::SoftClipped { slope } = self.log_scale else { return None };
        let sound = slope > 0.0 && slope.is_finite() && slope != 1.0;
        (!sound).then(|| format!("the smallest scale must be positive and different from 1, but is {slope}"))
    }
}

impl Transformer for AffineTransformer {
    fn parameters_per_dimension(&self) -> usize {
        2
    }

    fn forward<'t>(&self, input: Var<'t>, parameters: Var<'t>) -> Var<'t> {
        let m = input.len();
        let (raw, shift) = (parameters.slice(0..m), parameters.slice(m..2 * m));
        let log_scale = self.log_scale.apply(raw);
        match self.normalising {
            true => (input - shift) * (-log_scale).exp(),
            false => input * log_scale.exp() + shift,
        }
    }

    fn name(&self) -> String {
        "Affine".to_string()
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("affine", self)
    }
}

/// Splits a vector into vectors of length m.
pub(super) fn rows(all: Var<'_>, m: usize) -> Vec<Var<'_>> {
    (0..all.len() / m).map(|k| all.slice(k * m..(k + 1) * m)).collect()
}
