//! Coupling layers: NICE, RealNVP, and coupling with any other transformer.
//!
//! x_a = z_a, x_b = τ(z_b; network(z_a))
//!
//! The identity part z_a is the input of the network, whose outputs are the element parameters of the
//! transformed part z_b. The Jacobian is triangular for any network, so the network is neither inverted nor
//! differentiated by hand.
//!
//! Sources: Dinh, Krueger, Bengio, "NICE" (2015), eq. 9; Dinh, Sohl-Dickstein, Bengio, "Density estimation
//! using Real NVP" (2017), eqs. 4-7; Durkan, Bekasov, Murray, Papamakarios, "Neural Spline Flows" (2019), section 3.

use std::panic::Location;

use super::network::Network;
use super::spline::SplineTransformer;
use super::transformer::{AffineTransformer, ScaleMap, ShiftTransformer, Transformer};
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked, Domain};
use crate::jacobian::{Order, Structure};
use crate::tape::{Var, concat};

/// Coupling mask: which variables form the identity part and which the transformed part.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CouplingMask {
    identity: Vec<usize>,
    transformed: Vec<usize>,
}

impl CouplingMask {
    /// Builds a mask from booleans: variable i belongs to the identity part if `mask[i]`.
    ///
    /// # Panics
    /// When either part is empty.
    pub fn new(mask: &[bool]) -> CouplingMask {
        let side = |wanted: bool| (0..mask.len()).filter(|i| mask[*i] == wanted).collect::<Vec<_>>();
        CouplingMask { identity: side(true), transformed: side(false) }.checked()
    }

    /// The first half is the identity part, the second half the transformed part.
    pub fn first_half(d: usize) -> CouplingMask {
        CouplingMask::new(&(0..d).map(|i| i < d / 2).collect::<Vec<_>>())
    }

    /// The second half is the identity part, the first half the transformed part.
    pub fn second_half(d: usize) -> CouplingMask {
        CouplingMask::new(&(0..d).map(|i| i >= d / 2).collect::<Vec<_>>())
    }

    /// Alternating mask: the identity part holds the even variables if `even`, the odd ones otherwise.
    pub fn alternating(d: usize, even: bool) -> CouplingMask {
        CouplingMask::new(&(0..d).map(|i| (i % 2 == 0) == even).collect::<Vec<_>>())
    }

    fn dim(&self) -> usize {
        self.identity.len() + self.transformed.len()
    }

    /// Splits a vector into the identity part and the transformed part.
    fn split<'t>(&self, whole: Var<'t>) -> (Var<'t>, Var<'t>) {
        (whole.gather(&self.identity), whole.gather(&self.transformed))
    }

    /// The order of the variables: first the identity part, then the transformed part.
    fn order(&self) -> Order {
        Order::of([self.identity.as_slice(), self.transformed.as_slice()].concat())
    }

    /// Puts both parts back into the original order of the variables.
    fn join<'t>(&self, identity: Var<'t>, transformed: Var<'t>) -> Var<'t> {
        let order = self.order();
        let joined = concat([identity, transformed]);
        if order.inputs().iter().enumerate().all(|(k, i)| k == *i) {
            return joined;
        }
        let mut back = vec![0; self.dim()];
        order.inputs().iter().enumerate().for_each(|(k, i)| back[*i] = k);
        joined.gather(&back)
    }

    fn structure(&self) -> Structure {
        match self.identity.last() < self.transformed.first() {
            true => Structure::LowerTriangular,
            false => Structure::Triangular { order: self.order() },
        }
    }
}

impl Checked for CouplingMask {
    fn fault(&self) -> Option<String> {
        let CouplingMask { identity, transformed } = self;
        if identity.is_empty() || transformed.is_empty() {
            return Some(format!(
                "a coupling mask needs variables in both parts; this one has {} in the identity part and {} in the transformed part",
                identity.len(),
                transformed.len()
            ));
        }
        let sound = self.order().is_permutation(self.dim());
        (!sound).then(|| format!("each variable is in one part of a coupling mask, not {self:?}"))
    }
}

/// Coupling layer x_a = z_a, x_b = τ(z_b; network(z_a)) with a transformer τ.
#[derive(Clone, Debug)]
pub struct Coupling<T> {
    mask: CouplingMask,
    network: Network,
    transformer: T,
}

/// NICE: additive coupling x_b = z_b + t(z_a). Volume preserving: ln|det J| = 0.
pub type AdditiveCoupling = Coupling<ShiftTransformer>;

/// RealNVP: affine coupling x_b = z_b · exp(s(z_a)) + t(z_a). The network returns the unconstrained
/// log-scales of all transformed variables, then the shifts.
pub type AffineCoupling = Coupling<AffineTransformer>;

/// Neural spline flows: spline coupling, where x_b is a monotone spline of z_b with knots that depend on z_a.
pub type SplineCoupling = Coupling<SplineTransformer>;

impl AdditiveCoupling {
    /// Builds the layer; the input of `network` is the identity part of `mask`.
    pub fn new(mask: CouplingMask, network: Network) -> AdditiveCoupling {
        Coupling::with(mask, network, ShiftTransformer)
    }
}

impl AffineCoupling {
    /// Builds the layer with [`ScaleMap::Bounded`]; the input of `network` is the identity part of `mask`.
    pub fn new(mask: CouplingMask, network: Network) -> AffineCoupling {
        Coupling::with(mask, network, AffineTransformer::new(ScaleMap::Bounded))
    }

    /// Sets the scale map; defaults to [`ScaleMap::Bounded`].
    ///
    /// # Panics
    /// As [`AffineTransformer::new`].
    pub fn with_log_scale(self, log_scale: ScaleMap) -> AffineCoupling {
        AffineCoupling { transformer: AffineTransformer::new(log_scale), ..self }
    }
}

impl SplineCoupling {
    /// Builds the layer; the input of `network` is the identity part of `mask`, and `spline` builds knots
    /// from its outputs.
    pub fn new(mask: CouplingMask, network: Network, spline: SplineTransformer) -> SplineCoupling {
        Coupling::with(mask, network, spline)
    }
}

impl<T: Transformer> Coupling<T> {
    /// Builds a coupling layer with any transformer.
    pub fn with(mask: CouplingMask, network: Network, transformer: T) -> Coupling<T> {
        Coupling { mask, network, transformer }
    }

    /// Records the element parameters from the network.
    fn element_parameters<'t>(&self, identity: Var<'t>) -> Var<'t> {
        self.network.apply(
            identity,
            self.transformer.parameters_per_dimension().saturating_mul(self.mask.transformed.len()),
        )
    }
}

impl<T> Coupling<T> {
    /// A domain of the variables of the identity part, and one of those of the transformed part.
    fn joined(&self, identity: impl Fn(usize) -> Domain, transformed: Domain) -> Domain {
        let mut each = vec![transformed; self.mask.dim()];
        self.mask.identity.iter().for_each(|i| each[*i] = identity(*i));
        Domain::each(each)
    }
}

impl<T: Transformer> Bijection for Coupling<T> {
    fn dim(&self) -> usize {
        self.mask.dim()
    }

    fn structure(&self) -> Structure {
        self.mask.structure()
    }

    /// The identity part keeps its domain.
    fn domain(&self) -> Domain {
        self.joined(|_| Domain::Reals, self.transformer.domain())
    }

    fn codomain(&self) -> Domain {
        self.joined(|_| Domain::Reals, self.transformer.codomain())
    }

    fn image(&self, part: &Domain) -> Domain {
        self.joined(|i| part.of(i), self.transformer.codomain())
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            let (identity, transformed) = self.mask.split(z);
            self.mask.join(identity, self.transformer.forward(transformed, self.element_parameters(identity)))
        })
    }

    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || {
            let (identity, transformed) = self.mask.split(x);
            Some(
                self.mask.join(
                    identity,
                    self.transformer.inverse(transformed, self.element_parameters(identity))?,
                ),
            )
        })
    }

    fn exact_log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
        let (identity, transformed) = self.mask.split(z);
        Some(self.transformer.exact_slope(transformed, self.element_parameters(identity))?.ln().sum())
    }

    fn name(&self) -> String {
        self.transformer.name() + "Coupling"
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        let transformer = self.transformer.describe()?;
        Description::new(
            "coupling",
            &serde_json::json!({ "mask": self.mask, "network": self.network, "transformer": transformer }),
        )
    }
}
