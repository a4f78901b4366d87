//! Autoregressive layers: IAF, and MAF, which is the same turned round; with affine transformers or any other.
//!
//! IAF: xᵢ = zᵢ·exp(αᵢ(z before i)) + μᵢ(z before i). Sampling is one pass, a density needs the inverse, one
//! variable after the other. MAF: xᵢ = zᵢ·exp(αᵢ(x before i)) + μᵢ(x before i), where a density is one pass and
//! sampling goes in order. Either way ln|det J| = Σ αᵢ. With a transformer τ in their place it is Σ ln τ'.
//!
//! Sources: Kingma et al., "Improving Variational Inference with Inverse Autoregressive Flow" (2016), eqs. 10-12;
//! Papamakarios, Pavlakou, Murray, "Masked Autoregressive Flow for Density Estimation" (2017), eqs. 3-5; Durkan,
//! Bekasov, Murray, Papamakarios, "Neural Spline Flows" (2019), section 3.

use std::panic::Location;

use super::masked_network::MaskedNetwork;
use super::spline::Spline;
use super::transformer::Transformer;
use crate::bijection::{Bijection, Inverse, solve_in_order};
use crate::jacobian::{Order, Structure};
use crate::tape::Var;

/// Each variable goes through a transformer, with numbers that the variables before it choose.
#[derive(Clone, Debug)]
pub struct Autoregressive<T = Standardise> {
    network: MaskedNetwork,
    transformer: T,
}

/// (x - μ)·exp(-α), or the same from the other side, z·exp(α) + μ; of the numbers μ and α.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standardise {
    normalising: bool,
}

impl Transformer for Standardise {
    fn numbers(&self) -> usize {
        2
    }

    fn forward<'t>(&self, input: Var<'t>, numbers: Var<'t>) -> Var<'t> {
        let m = input.len();
        let (shift, scale) = (numbers.slice(0..m), numbers.slice(m..2 * m));
        match self.normalising {
            true => (input - shift) * (-scale).exp(),
            false => input * scale.exp() + shift,
        }
    }

    fn name(&self) -> String {
        String::new()
    }
}

impl Autoregressive {
    /// IAF: zᵢ is scaled and shifted by what the z before it say.
    pub fn iaf(network: MaskedNetwork) -> Autoregressive {
        Autoregressive::with(network, Standardise { normalising: false })
    }

    /// MAF: xᵢ is made of zᵢ by what the x before it say. What is written is zᵢ = (xᵢ - μᵢ)·exp(-αᵢ), which is
    /// one pass, and turned round.
    pub fn maf(network: MaskedNetwork) -> Inverse<Autoregressive> {
        Inverse::new(Autoregressive::with(network, Standardise { normalising: true }))
    }
}

impl Autoregressive<Spline> {
    /// Neural spline flows: zᵢ is a monotone spline of xᵢ with knots that the x before it choose, turned round. A
    /// density is one pass, and so is a sample, variable after variable.
    pub fn spline(network: MaskedNetwork, spline: Spline) -> Inverse<Autoregressive<Spline>> {
        Inverse::new(Autoregressive::with(network, spline))
    }
}

impl<T: Transformer> Autoregressive<T> {
    /// An autoregressive layer of any transformer.
    pub fn with(network: MaskedNetwork, transformer: T) -> Autoregressive<T> {
        Autoregressive { network, transformer }
    }
}

impl<T: Transformer> Bijection for Autoregressive<T> {
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

    #[track_caller]
    fn forward<'t>(&self, input: Var<'t>) -> Var<'t> {
        input.tape().called_from(Location::caller(), || {
            self.transformer.forward(input, self.network.numbers(input, self.transformer.numbers()))
        })
    }

    /// One variable after the other, each by the transformer's own inverse with numbers that those before it choose.
    #[track_caller]
    fn inverse<'t>(&self, output: Var<'t>) -> Option<Var<'t>> {
        let (place, numbers) = (Location::caller(), self.transformer.numbers());
        output.tape().called_from(place, || {
            solve_in_order(output.tape(), &self.network.order(), |input| {
                self.transformer.inverse(output, self.network.numbers(input, numbers))
            })
        })
    }

    fn name(&self) -> String {
        self.transformer.name() + "Autoregressive"
    }
}
