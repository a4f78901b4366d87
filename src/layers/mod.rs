//! The catalogue of layers, one family a file. Each layer records `forward` and declares its structure. No
//! layer has a hand-written log-determinant; an inverse is written only where it cannot be derived.

mod activation;
mod affine;
mod autoregressive;
mod bernstein;
mod block_autoregressive;
mod blockwise;
mod catalogue;
mod cholesky;
mod conditional;
mod continuous;
mod convolution;
mod coupling;
mod elementwise;
mod exponential;
mod linear;
mod logistic_mixture;
mod masked_network;
mod monotone_network;
mod network;
mod normalisation;
mod ordered;
mod orthogonal;
mod permutation;
mod planar;
mod polar;
mod residual;
mod simplex;
mod spline;
mod sum_of_squares;
mod sylvester;
mod tails;
mod transformer;
mod triangular;
mod unconditional;

pub use activation::Activation;
pub use affine::Affine;
pub use autoregressive::Autoregressive;
pub use bernstein::BernsteinTransformer;
pub use block_autoregressive::BlockNeuralAutoregressive;
pub use blockwise::Blockwise;
pub use catalogue::{Example, catalogue};
pub use cholesky::{CorrelationCholesky, CovarianceFromCholesky, lower_triangular_positive};
pub use conditional::{Conditional, ConditionalAffine};
pub use continuous::{Continuous, Diffusion, Divergence, Field, NetworkField, ProbabilityFlow, Solver};
pub use convolution::PointwiseConvolution;
pub use coupling::{AdditiveCoupling, AffineCoupling, Coupling, CouplingMask, SplineCoupling};
pub use elementwise::{Elementwise, ElementwiseTransformer, Transform};
pub use exponential::MatrixExponential;
pub use linear::Linear;
pub use logistic_mixture::{
    DeepDenseSigmoidalTransformer, DeepSigmoidalTransformer, LogisticMixtureTransformer,
};
pub use masked_network::MaskedNetwork;
pub use monotone_network::MonotoneNetworkTransformer;
pub use network::Network;
pub use normalisation::{ActNorm, BatchNorm};
pub use ordered::Ordered;
pub use orthogonal::{Cayley, Householder};
pub use permutation::Permutation;
pub use planar::{Planar, Radial};
pub use polar::{Polar, Spherical};
pub use residual::{LipschitzConstraint, Residual, ResidualActivation};
pub use simplex::{CentredSoftmax, StickBreaking};
pub use spline::{
    CircularSpline, MonotoneSpline, PolynomialSplineTransformer, RationalQuadraticSpline, SplineConstraint,
    SplineTransformer,
};
pub use sum_of_squares::SumOfSquaresTransformer;
pub use sylvester::Sylvester;
pub use tails::{SinhArcsinhTransformer, YeoJohnsonTransformer};
pub use transformer::{AffineTransformer, ScaleMap, ShiftTransformer, Transformer};
pub use triangular::{Triangular, plu, qr};
pub use unconditional::Unconditional;
