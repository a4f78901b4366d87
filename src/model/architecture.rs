//! The flows that are fitted to tables.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::base::{Base, StandardNormal, StudentT};
use crate::bijection::Bijection;
use crate::layers::{
    Affine, Autoregressive, Coupling, CouplingMask, Linear, MaskedNetwork, Network, Permutation,
    RationalQuadraticSpline, SplineTransformer, Triangular,
};

/// Layers, widths and knots of a spline flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Architecture {
    /// How the parameters of the splines depend on other variables.
    pub conditioner: Conditioner,
    /// The number of coupling or autoregressive layers.
    pub layers: usize,
    /// The widths of the hidden layers of each conditioner.
    pub hidden: Vec<usize>,
    /// The number of bins of each spline.
    pub bins: usize,
    /// Splines bend [-bound, bound] and are the identity outside.
    pub bound: f64,
    /// Degrees of freedom of a Student's t base; `None` for a standard normal one.
    pub degrees: Option<f64>,
    /// Whether a learned linear layer follows the couplings, or a triangular one each autoregressive layer; they start as
    /// the identity.
    pub linear: bool,
}

/// How the parameters of a layer's splines depend on other variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conditioner {
    /// Half of the variables transform the other half (Durkan et al., "Neural Spline Flows", 2019).
    Coupling,
    /// Each variable is transformed by those before it, in one order for all layers, so that ln p(x) is a sum of densities
    /// of single variables given those before them ([`Conditionals`](crate::flow::Conditionals)).
    Autoregressive,
}

impl Architecture {
    /// The base for d variables.
    pub fn base(&self, d: usize) -> Box<dyn Base> {
        match self.degrees {
            Some(degrees) => Box::new(StudentT::new(d, degrees)),
            None => Box::new(StandardNormal::new(d)),
        }
    }

    /// The layers for d standardised variables and a context, first to last. The seed draws masks and orders.
    pub fn layers(&self, d: usize, context: usize, seed: u64) -> Vec<Box<dyn Bijection>> {
        let spline = SplineTransformer::new(self.bins, self.bound);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut layers: Vec<Box<dyn Bijection>> = Vec::new();
        let mut order: Vec<usize> = (0..d).collect();
        // Natural, reversed, then drawn: a mixture of several orders depends on none of them.
        match seed % MEMBERS {
            0 => {}
            1 => order.reverse(),
            _ => order.shuffle(&mut random),
        }
        for k in 0..self.layers {
            match self.conditioner {
                // One variable has nothing to depend on.
                Conditioner::Coupling if d > 1 => {
                    let mask = mask(d, k, &mut random);
                    let network = Network::new(self.hidden.clone()).with_context(context);
                    layers.push(Box::new(Coupling::with(mask, network, spline)));
                }
                _ if d == 1 && context == 0 => {
                    layers.push(Box::new(RationalQuadraticSpline::bounded(1, spline)));
                }
                _ => {
                    let network = MaskedNetwork::new(d, self.hidden.clone()).with_context(context);
                    layers.push(Box::new(Autoregressive::spline(network, spline)));
                    if self.linear && d > 1 {
                        layers.push(Box::new(Triangular::lower(d)));
                        layers.push(Box::new(Affine::identity(d)));
                    }
                }
            }
        }
        match self.conditioner {
            Conditioner::Coupling if self.linear && d > 1 => layers.push(Box::new(Linear::identity(d))),
            Conditioner::Autoregressive if d > 1 => {
                if !self.linear {
                    layers.push(Box::new(Affine::identity(d)));
                }
                layers.push(Box::new(Permutation::new(order)));
            }
            _ => layers.push(Box::new(Affine::identity(d))),
        }
        layers
    }
}

/// Seeds with the same remainder have orders of the same sort.
const MEMBERS: u64 = 1000;

/// Even and odd variables in turn; of four and more, halves that are drawn anew.
fn mask(d: usize, k: usize, random: &mut ChaCha8Rng) -> CouplingMask {
    if d < 4 {
        return CouplingMask::alternating(d, k.is_multiple_of(2));
    }
    let mut mask: Vec<bool> = (0..d).map(|i| i < d / 2).collect();
    mask.shuffle(random);
    CouplingMask::new(&mask)
}
