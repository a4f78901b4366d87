//! Autoregressive layers: IAF, and MAF (its inverse parameterisation), with affine or any other transformers.
//!
//! IAF: xᵢ = zᵢ·exp(αᵢ(z_{<i})) + μᵢ(z_{<i}). Sampling takes one pass; a density needs the inverse, which
//! solves for one variable after another. MAF: xᵢ = zᵢ·exp(αᵢ(x_{<i})) + μᵢ(x_{<i}). A density takes one
//! pass; sampling is sequential. In both cases ln|det J| = Σ αᵢ; with a general transformer τ it is Σ ln τ'.
//!
//! Sources: Kingma et al., "Improving Variational Inference with Inverse Autoregressive Flow" (2016), eqs. 10-12;
//! Papamakarios, Pavlakou, Murray, "Masked Autoregressive Flow for Density Estimation" (2017), eqs. 3-5; Durkan,
//! Bekasov, Murray, Papamakarios, "Neural Spline Flows" (2019), section 3.

use std::panic::Location;

use super::masked_network::MaskedNetwork;
use super::spline::SplineTransformer;
use super::transformer::{AffineTransformer, ScaleMap, Transformer};
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Domain, Inverse, solve_in_order};
use crate::jacobian::{Order, Structure};
use crate::tape::Var;

/// Autoregressive layer: a transformer for each variable, with element parameters from the variables before
/// it.
#[derive(Clone, Debug)]
pub struct Autoregressive<T = AffineTransformer> {
    network: MaskedNetwork,
    transformer: T,
}

impl Autoregressive {
    /// Builds an IAF layer: zᵢ is scaled and shifted by functions of z_{<i}.
    pub fn iaf(network: MaskedNetwork) -> Autoregressive {
        Autoregressive::with(network, AffineTransformer::new(ScaleMap::Identity))
    }

    /// Builds a MAF layer: xᵢ = zᵢ·exp(αᵢ) + μᵢ with αᵢ and μᵢ functions of x_{<i}. Recorded as the inverse
    /// of zᵢ = (xᵢ - μᵢ)·exp(-αᵢ), which is one pass.
    pub fn maf(network: MaskedNetwork) -> Inverse<Autoregressive> {
        Inverse::new(Autoregressive::with(network, AffineTransformer::normalising(ScaleMap::Identity)))
    }
}

impl Autoregressive<SplineTransformer> {
    /// Builds an autoregressive neural spline layer: zᵢ is a monotone spline of xᵢ with knots from x_{<i},
    /// recorded as the inverse of that map. A density takes one pass; a sample is computed variable by
    /// variable, also in one pass.
    pub fn spline(
        network: MaskedNetwork,
        spline: SplineTransformer,
    ) -> Inverse<Autoregressive<SplineTransformer>> {
        Inverse::new(Autoregressive::with(network, spline))
    }
}

impl<T: Transformer> Autoregressive<T> {
    /// Builds an autoregressive layer with any transformer.
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

    fn domain(&self) -> Domain {
        self.transformer.domain()
    }

    fn codomain(&self) -> Domain {
        self.transformer.codomain()
    }

    #[track_caller]
    fn forward<'t>(&self, input: Var<'t>) -> Var<'t> {
        input.tape().called_from(Location::caller(), || {
            self.transformer.forward(
                input,
                self.network.element_parameters(input, self.transformer.parameters_per_dimension()),
            )
        })
    }

    /// Records the inverse: solves for one variable after another by the transformer's inverse, with element
    /// parameters from the variables already solved.
    #[track_caller]
    fn inverse<'t>(&self, output: Var<'t>) -> Option<Var<'t>> {
        let (place, numbers) = (Location::caller(), self.transformer.parameters_per_dimension());
        output.tape().called_from(place, || {
            solve_in_order(output.tape(), &self.network.order(), |input| {
                self.transformer.inverse(output, self.network.element_parameters(input, numbers))
            })
        })
    }

    fn exact_log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
        let numbers = self.network.element_parameters(z, self.transformer.parameters_per_dimension());
        Some(self.transformer.exact_slope(z, numbers)?.ln().sum())
    }

    fn name(&self) -> String {
        // The affine one is the usual transformer, and not named.
        let transformer = self.transformer.name();
        let named = if transformer == "Affine" { "" } else { transformer.as_str() };
        format!("{named}Autoregressive")
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        let transformer = self.transformer.describe()?;
        Description::new(
            "autoregressive",
            &serde_json::json!({ "network": self.network, "transformer": transformer }),
        )
    }
}
