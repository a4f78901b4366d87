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
use super::spline::Spline;
use super::transformer::{LogScale, Rescale, Transformer, Translate};
use crate::bijection::{Bijection, Domain};
use crate::jacobian::{Order, Structure};
use crate::tape::{Var, concat};

/// Coupling mask: which variables form the identity part and which the transformed part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halves {
    passing: Vec<usize>,
    moved: Vec<usize>,
}

impl Halves {
    /// Builds a mask from booleans: variable i belongs to the identity part if `mask[i]`.
    ///
    /// # Panics
    /// When either part is empty.
    pub fn new(mask: &[bool]) -> Halves {
        let side = |wanted: bool| (0..mask.len()).filter(|i| mask[*i] == wanted).collect::<Vec<_>>();
        let halves = Halves { passing: side(true), moved: side(false) };
        assert!(
            !halves.passing.is_empty() && !halves.moved.is_empty(),
            "a coupling layer needs variables that pass and variables that are moved; the mask has {} and {}",
            halves.passing.len(),
            halves.moved.len()
        );
        halves
    }

    /// The first half is the identity part, the second half the transformed part.
    pub fn first(d: usize) -> Halves {
        Halves::new(&(0..d).map(|i| i < d / 2).collect::<Vec<_>>())
    }

    /// The second half is the identity part, the first half the transformed part.
    pub fn second(d: usize) -> Halves {
        Halves::new(&(0..d).map(|i| i >= d / 2).collect::<Vec<_>>())
    }

    /// Alternating mask: the identity part holds the even variables if `even`, the odd ones otherwise.
    pub fn alternating(d: usize, even: bool) -> Halves {
        Halves::new(&(0..d).map(|i| (i % 2 == 0) == even).collect::<Vec<_>>())
    }

    fn dim(&self) -> usize {
        self.passing.len() + self.moved.len()
    }

    /// Splits a vector into the identity part and the transformed part.
    fn split<'t>(&self, whole: Var<'t>) -> (Var<'t>, Var<'t>) {
        (whole.gather(&self.passing), whole.gather(&self.moved))
    }

    /// The order of the variables: first the identity part, then the transformed part.
    fn order(&self) -> Order {
        Order::of([self.passing.as_slice(), self.moved.as_slice()].concat())
    }

    /// Puts both parts back into the original order of the variables.
    fn join<'t>(&self, passing: Var<'t>, moved: Var<'t>) -> Var<'t> {
        let order = self.order();
        let joined = concat([passing, moved]);
        if order.inputs().iter().enumerate().all(|(k, i)| k == *i) {
            return joined;
        }
        let mut back = vec![0; self.dim()];
        order.inputs().iter().enumerate().for_each(|(k, i)| back[*i] = k);
        joined.gather(&back)
    }

    fn structure(&self) -> Structure {
        match self.passing.last() < self.moved.first() {
            true => Structure::LowerTriangular,
            false => Structure::Triangular { order: self.order() },
        }
    }
}

/// Coupling layer x_a = z_a, x_b = τ(z_b; network(z_a)) with a transformer τ.
#[derive(Clone, Debug)]
pub struct Coupling<T> {
    halves: Halves,
    network: Network,
    transformer: T,
}

/// NICE: additive coupling x_b = z_b + t(z_a). Volume preserving: ln|det J| = 0.
pub type AdditiveCoupling = Coupling<Translate>;

/// RealNVP: affine coupling x_b = z_b · exp(s(z_a)) + t(z_a). The network returns the unconstrained
/// log-scales of all transformed variables, then the shifts.
pub type AffineCoupling = Coupling<Rescale>;

/// Neural spline flows: spline coupling, where x_b is a monotone spline of z_b with knots that depend on z_a.
pub type SplineCoupling = Coupling<Spline>;

impl AdditiveCoupling {
    /// Builds the layer; the input of `network` is the identity part of `halves`.
    pub fn new(halves: Halves, network: Network) -> AdditiveCoupling {
        Coupling::with(halves, network, Translate)
    }
}

impl AffineCoupling {
    /// Builds the layer with [`LogScale::Bounded`]; the input of `network` is the identity part of `halves`.
    pub fn new(halves: Halves, network: Network) -> AffineCoupling {
        Coupling::with(halves, network, Rescale { log_scale: LogScale::Bounded })
    }

    /// Sets the scale map; defaults to [`LogScale::Bounded`].
    ///
    /// # Panics
    /// When the slope of [`LogScale::SoftClipped`] is not above 0, or is 1.
    pub fn with_log_scale(self, log_scale: LogScale) -> AffineCoupling {
        if let LogScale::SoftClipped { slope } = log_scale {
            let sound = slope > 0.0 && slope.is_finite() && slope != 1.0;
            assert!(sound, "the smallest scale is above 0 and other than 1, not {slope}");
        }
        AffineCoupling { transformer: Rescale { log_scale }, ..self }
    }
}

impl SplineCoupling {
    /// Builds the layer; the input of `network` is the identity part of `halves`, and `spline` builds knots
    /// from its outputs.
    pub fn new(halves: Halves, network: Network, spline: Spline) -> SplineCoupling {
        Coupling::with(halves, network, spline)
    }
}

impl<T: Transformer> Coupling<T> {
    /// Builds a coupling layer with any transformer.
    pub fn with(halves: Halves, network: Network, transformer: T) -> Coupling<T> {
        Coupling { halves, network, transformer }
    }

    /// Records the element parameters from the network.
    fn numbers<'t>(&self, passing: Var<'t>) -> Var<'t> {
        self.network.apply(passing, self.transformer.numbers().saturating_mul(self.halves.moved.len()))
    }
}

impl<T: Transformer> Bijection for Coupling<T> {
    fn dim(&self) -> usize {
        self.halves.dim()
    }

    fn structure(&self) -> Structure {
        self.halves.structure()
    }

    /// The identity part keeps its domain.
    fn image(&self, part: &Domain) -> Domain {
        let mut each = vec![Domain::Reals; self.dim()];
        self.halves.passing.iter().for_each(|i| each[*i] = part.of(*i));
        Domain::each(each)
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            let (passing, moved) = self.halves.split(z);
            self.halves.join(passing, self.transformer.forward(moved, self.numbers(passing)))
        })
    }

    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || {
            let (passing, moved) = self.halves.split(x);
            Some(self.halves.join(passing, self.transformer.inverse(moved, self.numbers(passing))?))
        })
    }

    fn name(&self) -> String {
        self.transformer.name() + "Coupling"
    }
}
