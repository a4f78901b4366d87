//! The catalogue of layers, one family a file. Each layer records `forward` and declares its structure. No
//! layer has a hand-written log-determinant; an inverse is written only where it cannot be derived.

mod affine;
mod autoregressive;
mod continuous;
mod coupling;
mod elementwise;
mod linear;
mod masked_network;
mod network;
mod permutation;
mod spline;
mod transformer;
mod triangular;

pub use affine::Affine;
pub use autoregressive::Autoregressive;
pub use continuous::{Continuous, Divergence, Field, NetworkField, Solver};
pub use coupling::{AdditiveCoupling, AffineCoupling, Coupling, CouplingMask, SplineCoupling};
pub use elementwise::{Elementwise, Transform};
pub use linear::Linear;
pub use masked_network::MaskedNetwork;
pub use network::Network;
pub use permutation::Permutation;
pub use spline::{
    CircularSpline, MonotoneSpline, RationalQuadraticSpline, SplineConstraint, SplineTransformer,
};
pub use transformer::{AffineTransformer, ScaleMap, ShiftTransformer, Transformer};
pub use triangular::{Triangular, plu};
