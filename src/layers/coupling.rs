//! Coupling layers: NICE, RealNVP, and any other transformer of half of the variables.
//!
//! x_a = z_a,  x_b = τ(z_b; network(z_a))
//!
//! Some of the variables pass through and choose how the others are moved. The Jacobian is triangular
//! whatever they choose, so that the network can be any: nothing is inverted or differentiated by hand.
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

/// Which variables pass through a coupling layer, and which are moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halves {
    passing: Vec<usize>,
    moved: Vec<usize>,
}

impl Halves {
    /// `mask[i]` says that variable i passes through.
    ///
    /// # Panics
    /// When none passes or none is moved.
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

    /// The first half passes, the second is moved.
    pub fn first(d: usize) -> Halves {
        Halves::new(&(0..d).map(|i| i < d / 2).collect::<Vec<_>>())
    }

    /// The second half passes, the first is moved.
    pub fn second(d: usize) -> Halves {
        Halves::new(&(0..d).map(|i| i >= d / 2).collect::<Vec<_>>())
    }

    /// Every other variable passes, beginning with variable 0 if `even`.
    pub fn alternating(d: usize, even: bool) -> Halves {
        Halves::new(&(0..d).map(|i| (i % 2 == 0) == even).collect::<Vec<_>>())
    }

    fn dim(&self) -> usize {
        self.passing.len() + self.moved.len()
    }

    /// What passes, and what is moved.
    fn split<'t>(&self, whole: Var<'t>) -> (Var<'t>, Var<'t>) {
        (whole.gather(&self.passing), whole.gather(&self.moved))
    }

    /// First what passes, then what is moved.
    fn order(&self) -> Order {
        Order::of([self.passing.as_slice(), self.moved.as_slice()].concat())
    }

    /// The variables in their own places again.
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

/// x_a = z_a, x_b = τ(z_b; network(z_a)) with a transformer τ.
#[derive(Clone, Debug)]
pub struct Coupling<T> {
    halves: Halves,
    network: Network,
    transformer: T,
}

/// NICE: x_b = z_b + t(z_a). It preserves volume: ln|det J| = 0.
pub type AdditiveCoupling = Coupling<Translate>;

/// RealNVP: x_b = z_b · exp(s(z_a)) + t(z_a). The network gives the raw log-scales of all moved variables, then the
/// shifts.
pub type AffineCoupling = Coupling<Rescale>;

/// Neural spline flows: x_b is a monotone spline of z_b whose knots depend on z_a.
pub type SplineCoupling = Coupling<Spline>;

impl AdditiveCoupling {
    /// The variables of `halves` that pass are what `network` sees.
    pub fn new(halves: Halves, network: Network) -> AdditiveCoupling {
        Coupling::with(halves, network, Translate)
    }
}

impl AffineCoupling {
    /// The variables of `halves` that pass are what `network` sees.
    pub fn new(halves: Halves, network: Network) -> AffineCoupling {
        Coupling::with(halves, network, Rescale { log_scale: LogScale::Bounded })
    }

    /// The same with another way from the network to the log-scale; [`LogScale::Bounded`] unless said.
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
    /// The variables of `halves` that pass are what `network` sees; `spline` says what knots are made of its numbers.
    pub fn new(halves: Halves, network: Network, spline: Spline) -> SplineCoupling {
        Coupling::with(halves, network, spline)
    }
}

impl<T: Transformer> Coupling<T> {
    /// A coupling layer of any transformer.
    pub fn with(halves: Halves, network: Network, transformer: T) -> Coupling<T> {
        Coupling { halves, network, transformer }
    }

    /// What the network says to the transformer.
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

    /// What passes stays where it was.
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
