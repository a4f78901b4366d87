//! Bijections, defined by `forward` alone.
//!
//! Convention: `f` maps the base variable to the data, x = f(z), and log p_X(x) = log p_Z(z) - ln|det J_f(z)|
//! with z = f⁻¹(x). Users implement [`Bijection`], [`Chain`] composes several, and [`record`] records one on
//! a new tape and proves its claims.

mod bottleneck;
mod chain;
mod checked;
mod compared_once;
mod composition;
#[cfg(feature = "serde")]
mod description;
mod domain;
mod error;
mod image;
mod initial_value;
mod inverse;
mod motion;
mod record;
mod recorded_map;
mod recording;

pub use chain::Chain;
pub(crate) use checked::Checked;
pub use composition::{Composition, Leaf, Path, leaves};
#[cfg(feature = "serde")]
pub use description::Description;
pub use domain::{Domain, Product};
pub use error::BijectionError;
pub(crate) use image::bounded_image;
pub use initial_value::initial_value;
pub use inverse::Inverse;
pub(crate) use motion::Sealed;
pub use motion::{Motion, Trajectory};
pub(crate) use record::{InvertedLayer, inverse_by_layers, inverse_within_domains};
pub use record::{
    derived_inverse, forward_with_log_det, inverse_with_log_det, record, record_forward, record_inverse,
    solve_contraction, solve_in_order, solve_increasing,
};
pub use recorded_map::RecordedMap;
pub(crate) use recording::Boundary;
pub use recording::{ForwardWithLogDet, InverseWithLogDet, LayerRecord, Recording};

use std::sync::Arc;

use crate::jacobian::Structure;
use crate::tape::Var;

/// An invertible map from ℝᵈ (or a subset of it) to ℝᵈ (or a subset of it), written as formulas.
///
/// Only `dim` and `forward` are required. The Jacobian, its proven structure and the log-determinant come
/// from the tape. Several threads may use one bijection at once.
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
pub trait Bijection: Send + Sync {
    /// Number of variables.
    fn dim(&self) -> usize;

    /// Records x = f(z): takes a vector of `dim`, returns a vector of `dim`.
    ///
    /// It must be pure: called twice with the same `z` it must return the same node (this is checked).
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t>;

    /// The structure of the Jacobian; defaults to dense. A declared structure is proven on recording.
    fn structure(&self) -> Structure {
        Structure::Dense
    }

    /// Records z = f⁻¹(x), if written by hand. By default the inverse is derived from `forward`, where each
    /// output contains its variable once. The audit checks that a given inverse matches `forward`.
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        let _ = x;
        None
    }

    /// Records ln|det J_f(z)| by hand, as a scalar. Never used for a density: the audit compares it with the
    /// derived one, so that a formula from a paper or from other code can be tested.
    fn log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
        let _ = z;
        None
    }

    /// Records ln|det J| of the map that `forward` approximates, as a scalar, where `forward` is a quadrature; `None`, the
    /// default, where `forward` is the map itself. Never used for a density, which is that of `forward`: the audit states how
    /// far the two are apart.
    fn exact_log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
        let _ = z;
        None
    }

    /// The domain of z; defaults to ℝᵈ.
    fn domain(&self) -> Domain {
        Domain::Reals
    }

    /// The codomain, which contains x for every z in the domain; defaults to ℝᵈ. Outside, the density is 0.
    fn codomain(&self) -> Domain {
        Domain::Reals
    }

    /// Returns a set that contains x for every z in `part`, a subset of the domain, for all parameters;
    /// defaults to the codomain.
    ///
    /// Layers that leave some variables unchanged override it: a permutation of positive numbers gives
    /// positive numbers. A chain checks that the result lies in the domain of the next layer.
    fn image(&self, part: &Domain) -> Domain {
        let _ = part;
        self.codomain()
    }

    /// Display name; defaults to the type name.
    fn name(&self) -> String {
        let full = std::any::type_name::<Self>();
        let plain = full.split('<').next().unwrap_or(full);
        plain.rsplit("::").next().unwrap_or(plain).to_string()
    }

    /// How it is composed of other bijections; a single layer, which is recorded by `forward`, is the default.
    ///
    /// For anything else, recording, audits, derivations and training use the parts, and `forward`, `inverse` and
    /// `structure` of the composition itself are not called.
    fn composition(&self) -> Composition<'_> {
        Composition::Layer
    }

    /// What a model file keeps of it: a registered name, and settings. `None`, the default, for a layer that cannot be
    /// saved; a layer of your own is registered by [`Registry::with_layer`](crate::model::Registry::with_layer).
    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        None
    }
}

/// References and boxes forward every method, including those with defaults.
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
            fn exact_log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
                (**self).exact_log_det(z)
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
            fn composition(&self) -> Composition<'_> {
                (**self).composition()
            }
            #[cfg(feature = "serde")]
            fn describe(&self) -> Option<Description> {
                (**self).describe()
            }
        }
    )*};
}

points_to_a_bijection!(&B, Arc<B>, Box<B>);
