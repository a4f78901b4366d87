//! pushforward: write a bijection, get its density.
//!
//! A random variable z with a density p(z) is put through an invertible map, x = f(z). Then
//! log p(x) = log p(z) - ln|det J_f(z)| with z = f⁻¹(x). You write `forward`; the rest is derived:
//!
//! ```
//! use pushforward::audit::Topic;
//! use pushforward::derivation::formulas;
//! use pushforward::prelude::*;
//!
//! /// x₁ = z₁,  x₂ = z₂·exp(tanh z₁) + z₁²
//! struct Bend;
//!
//! impl Bijection for Bend {
//!     fn dim(&self) -> usize { 2 }
//!     fn structure(&self) -> Structure { Structure::LowerTriangular }
//!     fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
//!         let (z1, z2) = (z.at(0), z.at(1));
//!         stack([z1, z2 * z1.tanh().exp() + z1.powi(2)])
//!     }
//! }
//!
//! let recording = record(&Bend)?;              // the declared structure is proven here
//! assert_eq!(formulas(&recording).to_string(), "\
//! x₁ = z₁
//! x₂ = z₂·exp(tanh(z₁)) + z₁²
//! ln|det J| = tanh(z₁)");
//!
//! let derivation = derive(&Bend)?.to_string(); // the Jacobian, the proof, ln|det J|, the inverse: step by step
//! assert!(derivation.contains("z₂ = (x₂ - x₁²)·exp(-tanh(x₁))"));
//!
//! let report = audit(&Bend)?;                  // claim by claim: proven, checked, not proven, refuted
//! assert!(report.has_no_refutation());
//! assert_eq!(report.claim(Topic::Structure).unwrap().evidence.label(), "proven");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The one idea
//! **A tape is a program; a sweep is an interpretation of it.** [`tape`] is a hash-consed list of nodes;
//! everything else reads it: as numbers ([`sweep::value`]), as derivatives forwards ([`sweep::tangent`]) and
//! backwards ([`sweep::adjoint`]) that are nodes again, as dependences ([`sweep::reach`]), as intervals that hold
//! for all inputs ([`sweep::bound`]), as a smaller program ([`sweep::simplify`]), backwards
//! ([`sweep::invert`](fn@sweep::invert)), as formulas in text, LaTeX and
//! MathML ([`sweep::formulas`]).
//!
//! # Where to begin
//! | module | what it is |
//! |---|---|
//! | [`bijection`] | the trait that you implement; chains, inverses, recording |
//! | [`layers`], [`base`] | the catalogue |
//! | [`flow`] | layers over a base: `log_prob`, `sample`, `fit` |
//! | [`table`] | tables from files, and a look at them before a fit |
//! | [`audit`](mod@audit) | every claim with its evidence |
//! | [`derivation`] | everything that follows from `forward`, as a document |
//! | `model` | densities of tables, and model files (feature `serde`) |
//! | `report` | a page on a model and a table; its pictures are of `plot` (feature `report`) |
//! | [`train`] | any recorded loss, minimised by its derived gradient |
//!
//! # Below: for those who write tools on tapes
//! | module | what it is |
//! |---|---|
//! | [`tape`] | nodes, shapes, the handle [`Var`](tape::Var), parameters |
//! | [`sweep`] | the interpretations, one a file |
//! | [`jacobian`] | proofs of structure, diagonals in one sweep, ln\|det J\| by the cheapest proven route |
//! | [`program`] | a tape compiled, and run over batches |
//! | [`typeset`] | formulas as text, LaTeX and MathML |
//! | [`checker`] | a second program, which accepts or rejects what the audit claims; argued in `DESIGN.md` |
//! | [`numeric`], [`kernel`] | number types, LU; loops over lanes for the machine's vector instructions |
//!
//! The lessons in `lessons/` and the command in `command/` are packages of their own that use nothing but this.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod audit;
pub mod base;
pub mod bijection;
pub mod checker;
pub mod derivation;
pub mod flow;
pub mod jacobian;
#[cfg(feature = "jax")]
pub mod jax;
pub mod kernel;
pub mod layers;
#[cfg(feature = "serde")]
pub mod model;
pub mod numeric;
#[cfg(feature = "onnx")]
pub mod onnx;
#[cfg(feature = "report")]
pub mod plot;
pub mod program;
#[cfg(feature = "report")]
pub mod report;
pub mod sweep;
pub mod table;
pub mod tape;
pub mod train;
pub mod typeset;
#[cfg(feature = "serde")]
pub mod zuko;

/// What most programs use.
pub mod prelude {
    pub use crate::audit::{Evidence, Report, audit};
    pub use crate::base::{
        Base, Beta, Dirichlet, GaussianMixture, Gumbel, Laplace, Logistic, Mixture, MultivariateStudentT,
        StandardNormal, StudentT, Uniform, VonMises, VonMisesFisher,
    };
    pub use crate::bijection::{Bijection, BijectionError, Chain, Domain, Inverse, record};
    pub use crate::derivation::{Derivation, derive};
    pub use crate::flow::{
        FitOptions, FittedFlow, Flow, FlowError, Gaussian, ImportanceSample, TargetOptions,
    };
    pub use crate::jacobian::{Order, Structure};
    pub use crate::layers::{
        ActNorm, BatchNorm, Cayley, CentredSoftmax, CorrelationCholesky, CovarianceFromCholesky, Householder,
        MatrixExponential, Ordered, Planar, PointwiseConvolution, Polar, Radial, Residual, Spherical,
        StickBreaking, Sylvester, Unconditional,
    };
    pub use crate::layers::{
        AdditiveCoupling, Affine, AffineCoupling, Autoregressive, CircularSpline, Conditional,
        ConditionalAffine, Continuous, Coupling, Diffusion, Divergence, Field, NetworkField, ProbabilityFlow,
        Solver, Triangular,
    };
    pub use crate::layers::{
        BernsteinTransformer, BlockNeuralAutoregressive, Blockwise, DeepDenseSigmoidalTransformer,
        DeepSigmoidalTransformer, ElementwiseTransformer, LogisticMixtureTransformer,
        MonotoneNetworkTransformer, PolynomialSplineTransformer, SinhArcsinhTransformer,
        SumOfSquaresTransformer, YeoJohnsonTransformer,
    };
    pub use crate::layers::{
        CouplingMask, Elementwise, Linear, LipschitzConstraint, MaskedNetwork, Network, Permutation, ScaleMap,
    };
    pub use crate::layers::{
        RationalQuadraticSpline, SplineConstraint, SplineCoupling, SplineTransformer, Transform, Transformer,
    };
    #[cfg(feature = "serde")]
    pub use crate::model::{ModelError, Registry};
    pub use crate::table::Table;
    pub use crate::tape::{Condition, Init, Parameters, Shape, Tape, Var, concat, select, stack};
    pub use crate::train::Schedule;
}

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
