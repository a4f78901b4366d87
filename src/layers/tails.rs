//! Transformers with learned skewness and tails: sinh-arcsinh and Yeo-Johnson, each with an affine map after it.
//!
//! Sources: Jones, Pewsey, "Sinh-arcsinh distributions" (2009), eq. 1; Yeo, Johnson, "A new family of power
//! transformations" (2000), eq. 2.1.

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::layers::transformer::{Transformer, rows};
use crate::tape::{Var, select};

/// Sinh-arcsinh transformer: x = sinh((asinh z + skew)·exp(tail))·exp(s) + t.
///
/// The element parameters of a variable are the skewness, the logarithm of the tail weight (above 0: tails that are heavier
/// than those of z), the log-scale s and the shift t. Where all are 0 it is the identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SinhArcsinhTransformer;

impl Transformer for SinhArcsinhTransformer {
    fn parameters_per_dimension(&self) -> usize {
        4
    }

    fn forward<'t>(&self, z: Var<'t>, parameters: Var<'t>) -> Var<'t> {
        let each = rows(parameters, parameters.len() / 4);
        ((z.asinh() + each[0]) * each[1].exp()).sinh() * each[2].exp() + each[3]
    }

    fn name(&self) -> String {
        "SinhArcsinh".to_string()
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("sinh_arcsinh", self)
    }
}

/// Yeo-Johnson transformer with a learned power: x = ψ_λ(z)·exp(s) + t with λ = 2σ(r).
///
/// ψ_λ is ((z + 1)^λ - 1)/λ where z ≥ 0 and -((1 - z)^(2-λ) - 1)/(2 - λ) elsewhere. Between the powers 0 and 2 it maps ℝ onto ℝ,
/// and r keeps it there. The element parameters of a variable are r, the log-scale s and the shift t. Where all are 0 it is the identity (λ = 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct YeoJohnsonTransformer;

impl YeoJohnsonTransformer {
    /// λ and 2 - λ, neither as a difference.
    fn powers<'t>(&self, parameters: Var<'t>) -> ([Var<'t>; 2], [Var<'t>; 2]) {
        let each = rows(parameters, parameters.len() / 3);
        ([2.0 * each[0].sigmoid(), 2.0 * (-each[0]).sigmoid()], [each[1], each[2]])
    }
}

impl Transformer for YeoJohnsonTransformer {
    fn parameters_per_dimension(&self) -> usize {
        3
    }

    fn forward<'t>(&self, z: Var<'t>, parameters: Var<'t>) -> Var<'t> {
        let ([power, other], [log_scale, shift]) = self.powers(parameters);
        let bent = select(z.lt(0.0), -box_cox((-z).ln_1p(), other), box_cox(z.ln_1p(), power));
        bent * log_scale.exp() + shift
    }

    /// Two formulas, one on each side of 0.
    fn inverse<'t>(&self, x: Var<'t>, parameters: Var<'t>) -> Option<Var<'t>> {
        let ([power, other], [log_scale, shift]) = self.powers(parameters);
        let bent = (x - shift) * (-log_scale).exp();
        let (below, above) = (box_cox_inverse(-bent, other), box_cox_inverse(bent, power));
        Some(select(bent.lt(0.0), -below.exp_m1(), above.exp_m1()))
    }

    fn name(&self) -> String {
        "YeoJohnson".to_string()
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("yeo_johnson", self)
    }
}

/// ((e^l)ᵖ - 1)/p
fn box_cox<'t>(log: Var<'t>, power: Var<'t>) -> Var<'t> {
    (power * log).exp_m1() / power
}

/// The l with (e^(p·l) - 1)/p = x.
fn box_cox_inverse<'t>(x: Var<'t>, power: Var<'t>) -> Var<'t> {
    (power * x).ln_1p() / power
}
