//! Bijections: write `forward` once.
//!
//! The convention everywhere: `f` maps the base variable to the data, x = f(z), and
//! log p_X(x) = log p_Z(z) - ln|det J_f(z)| with z = f⁻¹(x). A [`Bijection`] is what a user implements,
//! [`Chain`] composes several, [`record`] puts one on a tape of its own with its claims proven.

mod chain;
mod domain;
mod error;
mod image;
mod inverse;
mod motion;
mod record;

pub use chain::Chain;
pub use domain::{Domain, Product};
pub use error::BijectionError;
pub(crate) use image::bounded_image;
pub use inverse::Inverse;
pub(crate) use motion::Sealed;
pub use motion::{Ended, Motion};
pub(crate) use record::{Boundary, pull_back_within};
pub use record::{
    LayerRecord, Pulled, Pushed, Recording, derived_inverse, pull_back, pull_back_with_log_det, push_forward,
    record, record_forward, solve_in_order,
};

use crate::jacobian::Structure;
use crate::tape::Var;

/// An invertible map of ℝᵈ (or of a part of it) to itself, written as ordinary formulas.
///
/// `dim` and `forward` are all that must be written. The Jacobian, its proven structure and the
/// log-determinant come from the tape.
///
/// ```
/// use pushforward::prelude::*;
///
/// /// x₁ = z₁,  x₂ = z₂·exp(tanh z₁) + z₁²
/// struct Bend;
///
/// impl Bijection for Bend {
///     fn dim(&self) -> usize { 2 }
///     fn structure(&self) -> Structure { Structure::LowerTriangular }
///     fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
///         let (z1, z2) = (z.at(0), z.at(1));
///         stack([z1, z2 * z1.tanh().exp() + z1.powi(2)])
///     }
/// }
///
/// assert_eq!(record(&Bend)?.structure(), &Structure::LowerTriangular);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Bijection {
    /// How many variables it maps.
    fn dim(&self) -> usize;

    /// x = f(z), recorded: a vector of `dim` in, a vector of `dim` out.
    ///
    /// It must be a pure recording: called twice with the same `z` it gives the same node (that is checked).
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t>;

    /// The structure of the Jacobian that the layer stands for; what is declared is proven on recording.
    fn structure(&self) -> Structure {
        Structure::Dense
    }

    /// z = f⁻¹(x), if it is to be written by hand; unless it is, it is derived from `forward` where each output
    /// holds its variable once. The audit checks that a given one fits `forward`.
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        let _ = x;
        None
    }

    /// ln|det J_f(z)| by hand, as a scalar. Never used for a density: the audit compares it with the derived
    /// one, so that a formula from a paper or from other code can be put to the test.
    fn log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
        let _ = z;
        None
    }

    /// Where z may lie; all of ℝᵈ unless said.
    fn domain(&self) -> Domain {
        Domain::Reals
    }

    /// Where x lies when z lies in the domain; all of ℝᵈ unless said. Outside, the density is 0.
    fn codomain(&self) -> Domain {
        Domain::Reals
    }

    /// A set that x lies in when z lies in this part of the domain, for all parameters: all of the codomain unless said.
    ///
    /// Layers that keep some of their variables where they are say so here: a permutation of positive numbers gives
    /// positive numbers. A chain asks whether it lies in the domain of the next layer.
    fn image(&self, part: &Domain) -> Domain {
        let _ = part;
        self.codomain()
    }

    /// What messages call it; the name of the type unless said.
    fn name(&self) -> String {
        let full = std::any::type_name::<Self>();
        let plain = full.split('<').next().unwrap_or(full);
        plain.rsplit("::").next().unwrap_or(plain).to_string()
    }

    /// The bijection that this one is the inverse of, if it is written from the other side: log-determinants are
    /// then derived from that one's formulas.
    fn inverted(&self) -> Option<&dyn Bijection> {
        None
    }

    /// The steps by which it moves points along a differential equation, if it does: its log-determinant is then summed on
    /// the way.
    fn motion(&self) -> Option<&dyn Motion> {
        None
    }

    /// The layers of a composition, first to last; empty for a single layer.
    ///
    /// Where there are layers, f is their composition: what is recorded, audited and trained is made of them, and `forward`
    /// and `inverse` of the composition itself are not called.
    fn layers(&self) -> &[Box<dyn Bijection>] {
        &[]
    }
}

/// A pointer to a bijection is that bijection: whatever a method is given by default, the layer's own is called.
macro_rules! points_to_a_bijection {
    ($($pointer:ty),*) => {$(
        impl<B: Bijection + ?Sized> Bijection for $pointer {
            fn dim(&self) -> usize {
                (**self).dim()
            }
            #[track_caller]
            fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
                (**self).forward(z)
            }
            fn structure(&self) -> Structure {
                (**self).structure()
            }
            #[track_caller]
            fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
                (**self).inverse(x)
            }
            fn log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
                (**self).log_det(z)
            }
            fn domain(&self) -> Domain {
                (**self).domain()
            }
            fn codomain(&self) -> Domain {
                (**self).codomain()
            }
            fn image(&self, part: &Domain) -> Domain {
                (**self).image(part)
            }
            fn name(&self) -> String {
                (**self).name()
            }
            fn inverted(&self) -> Option<&dyn Bijection> {
                (**self).inverted()
            }
            fn motion(&self) -> Option<&dyn Motion> {
                (**self).motion()
            }
            fn layers(&self) -> &[Box<dyn Bijection>] {
                (**self).layers()
            }
        }
    )*};
}

points_to_a_bijection!(&B, Box<B>);
