//! The catalogue of layers, one family a file. Each layer records `forward` and declares its structure. No
//! layer has a hand-written log-determinant; an inverse is written only where it cannot be derived.

mod affine;
mod autoregressive;
mod bernstein;
mod catalogue;
mod cholesky;
mod conditional;
mod continuous;
mod convolution;
mod coupling;
mod elementwise;
mod linear;
mod logistic_mixture;
mod masked_network;
mod network;
mod normalisation;
mod ordered;
mod orthogonal;
mod permutation;
mod planar;
mod polar;
mod simplex;
mod spline;
mod sum_of_squares;
mod transformer;
mod triangular;
mod unconditional;

pub use affine::Affine;
pub use autoregressive::Autoregressive;
pub use bernstein::BernsteinTransformer;
pub use catalogue::{Example, catalogue};
pub use cholesky::{CorrelationCholesky, CovarianceFromCholesky, lower_triangular_positive};
pub use conditional::{Conditional, ConditionalAffine};
pub use continuous::{Continuous, Divergence, Field, NetworkField, Solver};
pub use convolution::PointwiseConvolution;
pub use coupling::{AdditiveCoupling, AffineCoupling, Coupling, CouplingMask, SplineCoupling};
pub use elementwise::{Elementwise, Transform};
pub use linear::Linear;
pub use logistic_mixture::{DeepSigmoidalTransformer, LogisticMixtureTransformer};
pub use masked_network::MaskedNetwork;
pub use network::Network;
pub use normalisation::{ActNorm, BatchNorm};
pub use ordered::Ordered;
pub use orthogonal::{Cayley, Householder};
pub use permutation::Permutation;
pub use planar::{Planar, Radial, Sylvester};
pub use polar::Polar;
pub use simplex::{CentredSoftmax, StickBreaking};
pub use spline::{
    CircularSpline, MonotoneSpline, PolynomialSplineTransformer, RationalQuadraticSpline, SplineConstraint,
    SplineTransformer,
};
pub use sum_of_squares::SumOfSquaresTransformer;
pub use transformer::{AffineTransformer, ScaleMap, ShiftTransformer, Transformer};
pub use triangular::{Triangular, plu};
pub use unconditional::Unconditional;
