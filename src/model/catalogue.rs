//! The names of the library's own layers, transformers, vector fields and bases: one row each.

use serde::Deserialize;

use super::error::ModelError;
use super::registry::{Build, Registry, read};
use crate::base::{
    Base, Beta, Dirichlet, GaussianMixture, Gumbel, Laplace, Logistic, Mixture, MultivariateStudentT,
    StandardNormal, StudentT, Uniform, VonMises, VonMisesFisher,
};
use crate::bijection::{Bijection, Chain, Checked, Description, Inverse, RecordedMap};
use crate::layers::{
    ActNorm, Affine, AffineTransformer, Autoregressive, BatchNorm, BernsteinTransformer,
    BlockNeuralAutoregressive, Blockwise, Cayley, CentredSoftmax, CircularSpline, Conditional, Continuous,
    CorrelationCholesky, Coupling, CouplingMask, CovarianceFromCholesky, DeepDenseSigmoidalTransformer,
    DeepSigmoidalTransformer, Diffusion, Divergence, Elementwise, ElementwiseTransformer, Field, Householder,
    Linear, LogisticMixtureTransformer, MaskedNetwork, MatrixExponential, MonotoneNetworkTransformer,
    Network, NetworkField, Ordered, Permutation, Planar, PointwiseConvolution, Polar,
    PolynomialSplineTransformer, ProbabilityFlow, Radial, RationalQuadraticSpline, Residual,
    ShiftTransformer, SinhArcsinhTransformer, Solver, Spherical, SplineTransformer, StickBreaking,
    SumOfSquaresTransformer, Sylvester, Transformer, Triangular, Unconditional, YeoJohnsonTransformer,
};
use crate::tape::Gradient;

/// A row of a type that is its own settings, whatever they are.
macro_rules! plain {
    ($name:literal, $type:ty) => {
        ($name, |settings, _| Ok(Box::new(read::<$type>(settings)?)))
    };
}

/// A row of a type that is its own settings, which have to fulfil what its constructors ask for.
macro_rules! checked {
    ($name:literal, $type:ty) => {
        ($name, |settings, _| Ok(Box::new(sound(read::<$type>(settings)?)?)))
    };
}

/// Returns an error for settings that a constructor would refuse; the registry fills in the name.
fn sound<T: Checked>(value: T) -> Result<T, ModelError> {
    match value.fault() {
        Some(problem) => Err(ModelError::Settings { name: String::new(), problem }),
        None => Ok(value),
    }
}

impl Registry {
    /// Returns a registry of everything in the library.
    pub fn catalogue() -> Registry {
        Registry::of(layers(), transformers(), fields(), bases())
    }
}

fn layers() -> Vec<(&'static str, Build<dyn Bijection>)> {
    vec![
        checked!("act_norm", ActNorm),
        checked!("affine", Affine),
        ("autoregressive", |settings, registry| {
            let AutoregressiveSettings { network, transformer } = read(settings)?;
            Ok(Box::new(Autoregressive::with(sound(network)?, registry.transformer(&transformer)?)))
        }),
        checked!("batch_norm", BatchNorm),
        checked!("block_neural_autoregressive", BlockNeuralAutoregressive),
        ("blockwise", |settings, registry| {
            let parts: Vec<(Vec<usize>, Description)> = read(settings)?;
            let parts: Vec<_> = parts
                .into_iter()
                .map(|(variables, layer)| Ok((variables, registry.layer(&layer)?)))
                .collect::<Result<_, ModelError>>()?;
            Ok(Box::new(sound(Blockwise::unchecked(parts))?))
        }),
        checked!("cayley", Cayley),
        checked!("centred_softmax", CentredSoftmax),
        ("chain", |settings, registry| {
            let layers: Vec<Description> = read(settings)?;
            let layers: Vec<_> =
                layers.iter().map(|layer| registry.layer(layer)).collect::<Result<_, _>>()?;
            if layers.is_empty() {
                let problem = "a chain needs at least one layer".to_string();
                return Err(ModelError::Settings { name: String::new(), problem });
            }
            Ok(Box::new(Chain::new(layers)))
        }),
        checked!("circular_spline", CircularSpline),
        ("conditional", |settings, registry| {
            let ConditionalSettings { d, network, transformer } = read(settings)?;
            let transformer = registry.transformer(&transformer)?;
            Ok(Box::new(sound(Conditional::of(d, network, transformer))?))
        }),
        ("continuous", |settings, registry| {
            let ContinuousSettings { field, solver, steps, span, divergence, gradient, tolerance } =
                read(settings)?;
            let field = registry.field(&field)?;
            let layer = Continuous::of(field, (solver, steps, span), (divergence, gradient), tolerance);
            Ok(Box::new(sound(layer)?))
        }),
        checked!("correlation_cholesky", CorrelationCholesky),
        ("coupling", |settings, registry| {
            let CouplingSettings { mask, network, transformer } = read(settings)?;
            Ok(Box::new(Coupling::with(sound(mask)?, network, registry.transformer(&transformer)?)))
        }),
        checked!("covariance_from_cholesky", CovarianceFromCholesky),
        checked!("elementwise", Elementwise),
        checked!("householder", Householder),
        ("inverse", |settings, registry| Ok(Box::new(Inverse::new(registry.layer(&read(settings)?)?)))),
        checked!("linear", Linear),
        checked!("matrix_exponential", MatrixExponential),
        checked!("ordered", Ordered),
        checked!("permutation", Permutation),
        checked!("planar", Planar),
        checked!("pointwise_convolution", PointwiseConvolution),
        plain!("polar", Polar),
        checked!("radial", Radial),
        checked!("rational_quadratic_spline", RationalQuadraticSpline),
        checked!("recorded_map", RecordedMap),
        checked!("residual", Residual),
        ("spherical", |settings, _| {
            let d: usize = read(settings)?;
            if d < 2 {
                let problem = format!("spherical coordinates have at least 2 variables, not {d}");
                return Err(ModelError::Settings { name: String::new(), problem });
            }
            Ok(Box::new(Spherical::new(d)))
        }),
        checked!("stick_breaking", StickBreaking),
        checked!("sylvester", Sylvester),
        checked!("triangular", Triangular),
        ("unconditional", |settings, registry| {
            let UnconditionalSettings { d, transformer } = read(settings)?;
            Ok(Box::new(Unconditional::new(d, registry.transformer(&transformer)?)))
        }),
    ]
}

fn transformers() -> Vec<(&'static str, Build<dyn Transformer>)> {
    vec![
        checked!("affine", AffineTransformer),
        checked!("bernstein", BernsteinTransformer),
        checked!("deep_dense_sigmoidal", DeepDenseSigmoidalTransformer),
        checked!("deep_sigmoidal", DeepSigmoidalTransformer),
        checked!("elementwise", ElementwiseTransformer),
        checked!("logistic_mixture", LogisticMixtureTransformer),
        checked!("monotone_network", MonotoneNetworkTransformer),
        checked!("polynomial_spline", PolynomialSplineTransformer),
        plain!("shift", ShiftTransformer),
        plain!("sinh_arcsinh", SinhArcsinhTransformer),
        checked!("spline", SplineTransformer),
        checked!("sum_of_squares", SumOfSquaresTransformer),
        plain!("yeo_johnson", YeoJohnsonTransformer),
    ]
}

fn fields() -> Vec<(&'static str, Build<dyn Field>)> {
    vec![
        plain!("network", NetworkField),
        ("probability_flow", |settings, registry| {
            let ProbabilityFlowSettings { score, diffusion } = read(settings)?;
            Ok(Box::new(sound(ProbabilityFlow::of(registry.field(&score)?, diffusion))?))
        }),
    ]
}

fn bases() -> Vec<(&'static str, Build<dyn Base>)> {
    vec![
        checked!("beta", Beta),
        checked!("dirichlet", Dirichlet),
        checked!("gaussian_mixture", GaussianMixture),
        plain!("gumbel", Gumbel),
        plain!("laplace", Laplace),
        plain!("logistic", Logistic),
        ("mixture", |settings, registry| {
            let MixtureSettings { log_weights, components, learned } = read(settings)?;
            let components: Vec<_> =
                components.iter().map(|one| registry.base(one)).collect::<Result<_, _>>()?;
            Ok(Box::new(sound(Mixture::of(log_weights, components, learned))?))
        }),
        checked!("multivariate_student_t", MultivariateStudentT),
        plain!("standard_normal", StandardNormal),
        checked!("student_t", StudentT),
        plain!("uniform", Uniform),
        checked!("von_mises", VonMises),
        checked!("von_mises_fisher", VonMisesFisher),
    ]
}

#[derive(Deserialize)]
struct AutoregressiveSettings {
    network: MaskedNetwork,
    transformer: Description,
}

#[derive(Deserialize)]
struct ConditionalSettings {
    d: usize,
    network: Network,
    transformer: Description,
}

#[derive(Deserialize)]
struct UnconditionalSettings {
    d: usize,
    transformer: Description,
}

#[derive(Deserialize)]
struct CouplingSettings {
    mask: CouplingMask,
    network: Network,
    transformer: Description,
}

#[derive(Deserialize)]
struct MixtureSettings {
    log_weights: Vec<f64>,
    components: Vec<Description>,
    learned: bool,
}

#[derive(Deserialize)]
struct ProbabilityFlowSettings {
    score: Description,
    diffusion: Diffusion,
}

#[derive(Deserialize)]
struct ContinuousSettings {
    field: Description,
    solver: Solver,
    steps: usize,
    span: (f64, f64),
    divergence: Divergence,
    #[serde(default)]
    gradient: Gradient,
    tolerance: f64,
}
