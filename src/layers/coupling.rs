//! Coupling layers: NICE and RealNVP.
//!
//! x_a = z_a,  x_b = z_b · exp(s(z_a)) + t(z_a)
//!
//! Some of the variables pass through and choose how the others are moved. The Jacobian is triangular
//! whatever s and t are, so they can be any network: nothing is inverted or differentiated by hand.
//!
//! Sources: Dinh, Krueger, Bengio, "NICE" (2015), eq. 9; Dinh, Sohl-Dickstein, Bengio, "Density estimation
//! using Real NVP" (2017), eqs. 4-7.

use super::network::Network;
use crate::bijection::Bijection;
use crate::jacobian::{Order, Structure};
use crate::tape::{Init, Shape, Var, concat};

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

/// NICE: x_b = z_b + t(z_a). It preserves volume: ln|det J| = 0.
#[derive(Clone, Debug)]
pub struct AdditiveCoupling {
    halves: Halves,
    network: Network,
}

impl AdditiveCoupling {
    /// The variables of `halves` that pass are what `network` sees.
    pub fn new(halves: Halves, network: Network) -> AdditiveCoupling {
        AdditiveCoupling { halves, network }
    }

    fn shift<'t>(&self, passing: Var<'t>) -> Var<'t> {
        self.network.apply(passing, self.halves.moved.len())
    }
}

impl Bijection for AdditiveCoupling {
    fn dim(&self) -> usize {
        self.halves.dim()
    }

    fn structure(&self) -> Structure {
        self.halves.structure()
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (passing, moved) = (z.gather(&self.halves.passing), z.gather(&self.halves.moved));
        self.halves.join(passing, moved + self.shift(passing))
    }
}

/// How a coupling layer makes the log-scale s of its network's raw r.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LogScale {
    /// s = α·tanh(r/α), with α = exp(`log_bound`) of its own for each moved variable: scales can grow where the data
    /// ask for it, a single bad step cannot blow up exp(s), and α is never 0.
    Bounded,
    /// s = tanh r.
    Tanh,
    /// s = r.
    Raw,
    /// s = r/(1 + |r/ln slope|): scales stay between slope and 1/slope.
    SoftClipped {
        /// The smallest scale, above 0 and other than 1.
        slope: f64,
    },
}

/// RealNVP: x_b = z_b · exp(s(z_a)) + t(z_a).
#[derive(Clone, Debug)]
pub struct AffineCoupling {
    halves: Halves,
    network: Network,
    log_scale: LogScale,
}

impl AffineCoupling {
    /// The variables of `halves` that pass are what `network` sees.
    pub fn new(halves: Halves, network: Network) -> AffineCoupling {
        AffineCoupling { halves, network, log_scale: LogScale::Bounded }
    }

    /// The same with another way from the network to the log-scale; [`LogScale::Bounded`] unless said.
    pub fn with_log_scale(self, log_scale: LogScale) -> AffineCoupling {
        AffineCoupling { log_scale, ..self }
    }

    /// s and t.
    fn scale_and_shift<'t>(&self, passing: Var<'t>) -> (Var<'t>, Var<'t>) {
        let count = self.halves.moved.len();
        let raw = self.network.apply(passing, 2 * count);
        let (r, t) = (raw.slice(0..count), raw.slice(count..2 * count));
        let s = match self.log_scale {
            LogScale::Bounded => {
                let log_bound = Init::Constant(2f64.ln());
                let bound = r.tape().parameter("log_bound", Shape::Vector(count), log_bound).exp();
                bound * (r / bound).tanh()
            }
            LogScale::Tanh => r.tanh(),
            LogScale::Raw => r,
            LogScale::SoftClipped { slope } => r / (1.0 + (r / slope.ln()).abs()),
        };
        (s, t)
    }
}

impl Bijection for AffineCoupling {
    fn dim(&self) -> usize {
        self.halves.dim()
    }

    fn structure(&self) -> Structure {
        self.halves.structure()
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (passing, moved) = (z.gather(&self.halves.passing), z.gather(&self.halves.moved));
        let (s, t) = self.scale_and_shift(passing);
        self.halves.join(passing, moved * s.exp() + t)
    }
}
