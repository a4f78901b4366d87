//! Autoregressive layers: IAF, and MAF, which is the same turned round.
//!
//! IAF: xᵢ = zᵢ·exp(αᵢ(z before i)) + μᵢ(z before i). Sampling is one pass, a density needs the inverse, one
//! variable after the other. MAF: xᵢ = zᵢ·exp(αᵢ(x before i)) + μᵢ(x before i), where a density is one pass and
//! sampling goes in order. Either way ln|det J| = Σ αᵢ.
//!
//! Sources: Kingma et al., "Improving Variational Inference with Inverse Autoregressive Flow" (2016), eqs. 10-12;
//! Papamakarios, Pavlakou, Murray, "Masked Autoregressive Flow for Density Estimation" (2017), eqs. 3-5.

use super::masked_network::MaskedNetwork;
use crate::bijection::{Bijection, Inverse};
use crate::jacobian::{Order, Structure};
use crate::tape::Var;

/// An affine autoregressive layer with a masked network.
#[derive(Clone, Debug)]
pub struct Autoregressive {
    network: MaskedNetwork,
    normalising: bool,
}

impl Autoregressive {
    /// IAF: zᵢ is scaled and shifted by what the z before it say.
    pub fn iaf(network: MaskedNetwork) -> Autoregressive {
        Autoregressive { network, normalising: false }
    }

    /// MAF: xᵢ is made of zᵢ by what the x before it say. What is written is zᵢ = (xᵢ - μᵢ)·exp(-αᵢ), which is
    /// one pass, and turned round.
    pub fn maf(network: MaskedNetwork) -> Inverse<Autoregressive> {
        Inverse::new(Autoregressive { network, normalising: true })
    }
}

impl Bijection for Autoregressive {
    fn dim(&self) -> usize {
        self.network.dim()
    }

    fn structure(&self) -> Structure {
        let order = self.network.order();
        match order.is_sorted() {
            true => Structure::LowerTriangular,
            false => Structure::Triangular { order: Order::of(order) },
        }
    }

    fn forward<'t>(&self, input: Var<'t>) -> Var<'t> {
        let parts = self.network.apply(input, 2);
        let (shift, scale) = (parts[0], parts[1]);
        match self.normalising {
            true => (input - shift) * (-scale).exp(),
            false => input * scale.exp() + shift,
        }
    }
}
