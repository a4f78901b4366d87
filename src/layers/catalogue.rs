//! The catalogue: every layer once, by name and with a few variables.
//!
//! One row here is what a new layer needs: the command audits and derives it by its name, and the tests hold every law
//! against it (round trips, determinants against LU, accuracy in the tails, model files, derivations).

use super::{
    ActNorm, Activation, AdditiveCoupling, Affine, AffineCoupling, Autoregressive, BatchNorm,
    BernsteinTransformer, BlockNeuralAutoregressive, Blockwise, Cayley, CentredSoftmax, Conditional,
    ConditionalAffine, Continuous, CorrelationCholesky, Coupling, CouplingMask, CovarianceFromCholesky,
    DeepDenseSigmoidalTransformer, DeepSigmoidalTransformer, Elementwise, ElementwiseTransformer,
    Householder, Linear, LipschitzConstraint, LogisticMixtureTransformer, MaskedNetwork, MatrixExponential,
    MonotoneNetworkTransformer, Network, NetworkField, Ordered, Permutation, Planar, PointwiseConvolution,
    Polar, PolynomialSplineTransformer, Radial, RationalQuadraticSpline, Residual, ResidualActivation,
    ScaleMap, SinhArcsinhTransformer, Solver, Spherical, SplineCoupling, SplineTransformer, StickBreaking,
    SumOfSquaresTransformer, Sylvester, Transform, Triangular, Unconditional, YeoJohnsonTransformer,
    lower_triangular_positive, plu, qr,
};
use crate::bijection::Bijection;

/// A layer of the catalogue.
pub struct Example {
    /// Its name in the catalogue: lower case, with underscores.
    pub name: &'static str,
    /// The layer, with a few variables.
    pub layer: Box<dyn Bijection>,
    /// How far out tests try its variables.
    pub reach: f64,
}

/// Every layer, in the order of the list that the command prints.
pub fn catalogue() -> Vec<Example> {
    [
        elementwise(),
        splines_and_monotone_maps(),
        linear(),
        couplings(),
        autoregressive(),
        conditional(),
        constraints(),
        dense(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn example(name: &'static str, layer: impl Bijection + 'static) -> Example {
    Example { name, layer: Box::new(layer), reach: 30.0 }
}

fn network() -> Network {
    Network::new([5, 4])
}

fn elementwise() -> Vec<Example> {
    let map = |name: &'static str, transform: Transform| example(name, Elementwise::new(transform, 2));
    vec![
        example("affine", Affine::new([2.0, -0.5, 1.0], [0.1, 0.0, -3.0])),
        example("affine_fixed", Affine::fixed([0.7, -2.0, 1.0], [5.0, 0.0, -0.1])),
        example("act_norm", ActNorm::from_batch(&[0.0, 1.0, 2.0, 5.0, 1.0, -3.0], 2)),
        example("batch_norm", BatchNorm::new([0.8, -0.5], [2.2, 1.3], 1e-5)),
        map("exp", Transform::Exp),
        map("ln", Transform::Ln),
        map("softplus", Transform::Softplus { sharpness: 2.5 }),
        map("sigmoid", Transform::Sigmoid { lower: -1.0, upper: 3.0 }),
        map("logit", Transform::Logit),
        map("squeezed_logit", Transform::SqueezedLogit { alpha: 0.05 }),
        map("tanh", Transform::Tanh),
        map("softsign", Transform::Softsign),
        map("arctangent", Transform::Arctangent),
        map("normal_cdf", Transform::NormalCdf),
        map("normal_quantile", Transform::NormalQuantile),
        map("sinh", Transform::Sinh),
        map("asinh", Transform::Asinh),
        map("sinh_arcsinh", Transform::SinhArcsinh { skew: 0.4, tail: 1.3, normalise: true }),
        map("cubic", Transform::Cubic { coefficient: 0.2 }),
        map("power", Transform::Power { exponent: 1.7 }),
        map("negative_power", Transform::Power { exponent: -2.0 }),
        map("signed_power", Transform::SignedPower { exponent: 1.5 }),
        map("box_cox", Transform::BoxCox { power: 0.5 }),
        map("yeo_johnson", Transform::YeoJohnson { power: 0.5 }),
        map("leaky_relu", Transform::LeakyRelu { slope: 0.1 }),
        map("gumbel_cdf", Transform::GumbelCdf { location: 0.3, scale: 2.0 }),
        map("kumaraswamy_cdf", Transform::KumaraswamyCdf { a: 2.0, b: 3.0 }),
        map("weibull_cdf", Transform::WeibullCdf { scale: 2.0, shape: 1.5 }),
        example(
            "each_its_own",
            Elementwise::each([
                Transform::Exp,
                Transform::Identity,
                Transform::Sigmoid { lower: -1.0, upper: 3.0 },
                Transform::Exp,
            ]),
        ),
    ]
}

fn splines_and_monotone_maps() -> Vec<Example> {
    let (x, y, slopes) = ([-2.0, 0.5, 1.0], [-1.0, 0.0, 3.0], [0.3, 2.0, 0.5]);
    vec![
        example("rational_quadratic_spline_fixed", RationalQuadraticSpline::fixed(3, x, y, slopes)),
        example("rational_quadratic_spline_learned", RationalQuadraticSpline::learned(3, x, y, slopes)),
        example(
            "rational_quadratic_spline",
            RationalQuadraticSpline::bounded(3, SplineTransformer::new(5, 2.0)),
        ),
        example("linear_spline", Unconditional::new(2, PolynomialSplineTransformer::linear(4, 2.0))),
        example("quadratic_spline", Unconditional::new(2, PolynomialSplineTransformer::quadratic(4, 2.0))),
        example("cubic_spline", Unconditional::new(2, PolynomialSplineTransformer::cubic(4, 2.0))),
        example("bernstein", Unconditional::new(2, BernsteinTransformer::new(5, 3.0))),
        example("sum_of_squares", Unconditional::new(2, SumOfSquaresTransformer::new(2, 2))),
        example("logistic_mixture", Unconditional::new(2, LogisticMixtureTransformer::new(3))),
        example("deep_sigmoidal", Unconditional::new(2, DeepSigmoidalTransformer::new(3, 2))),
        example("deep_dense_sigmoidal", Unconditional::new(2, DeepDenseSigmoidalTransformer::new(2, 2))),
        Example {
            reach: 3.0,
            ..example("monotone_network", Unconditional::new(2, MonotoneNetworkTransformer::new([4], 2, 32)))
        },
        example("sinh_arcsinh_learned", Unconditional::new(2, SinhArcsinhTransformer)),
        example("yeo_johnson_learned", Unconditional::new(2, YeoJohnsonTransformer)),
    ]
}

fn linear() -> Vec<Example> {
    vec![
        example("linear", Linear::new([2.0, 0.3, 0.0, -1.0, 0.5, 0.2, 0.4, 0.0, 1.5], [0.0, 1.0, 2.0])),
        example("permutation", Permutation::new([2, 0, 1])),
        example("triangular", Triangular::lower(3)),
        example("upper_triangular", Triangular::upper(3).with_signs([1.0, -1.0, -1.0])),
        example("plu", plu([2, 0, 1], [1.0, -1.0, 1.0])),
        example("qr", qr(3, 2)),
        example("squeeze", Permutation::squeeze(2, 2, 1)),
        example("householder", Householder::new(3, 2)),
        example("cayley", Cayley::new(3)),
        example("matrix_exponential", MatrixExponential::new(3)),
        example("pointwise_convolution", PointwiseConvolution::new(2, 2)),
        example("pointwise_convolution_unconstrained", PointwiseConvolution::unconstrained(2, 2)),
    ]
}

fn couplings() -> Vec<Example> {
    let affine = |name: &'static str, mask: CouplingMask, log_scale: ScaleMap| {
        example(name, AffineCoupling::new(mask, network()).with_log_scale(log_scale))
    };
    vec![
        example("additive_coupling", AdditiveCoupling::new(CouplingMask::first_half(3), network())),
        affine("affine_coupling", CouplingMask::first_half(3), ScaleMap::Bounded),
        affine("affine_coupling_raw", CouplingMask::alternating(3, false), ScaleMap::Identity),
        affine("affine_coupling_tanh", CouplingMask::second_half(3), ScaleMap::Tanh),
        affine(
            "affine_coupling_clipped",
            CouplingMask::second_half(3),
            ScaleMap::SoftClipped { slope: 1e-3 },
        ),
        example(
            "affine_coupling_relu",
            AffineCoupling::new(CouplingMask::first_half(3), network().with_activation(Activation::Relu)),
        ),
        example(
            "spline_coupling",
            SplineCoupling::new(
                CouplingMask::alternating(3, true),
                network(),
                SplineTransformer::new(8, 3.0),
            ),
        ),
        example(
            "logistic_mixture_coupling",
            Coupling::with(CouplingMask::first_half(3), network(), LogisticMixtureTransformer::new(3)),
        ),
        example(
            "sigmoid_coupling",
            Coupling::with(
                CouplingMask::first_half(3),
                network(),
                ElementwiseTransformer::new(Transform::Sigmoid { lower: -1.0, upper: 3.0 }),
            ),
        ),
    ]
}

fn autoregressive() -> Vec<Example> {
    vec![
        example("iaf", Autoregressive::iaf(MaskedNetwork::new(3, [6, 5]))),
        example(
            "iaf_in_an_order",
            Autoregressive::iaf(MaskedNetwork::with_degrees(vec![2, 3, 1], vec![vec![1, 2, 2]])),
        ),
        example("maf", Autoregressive::maf(MaskedNetwork::new(3, [6]))),
        example(
            "maf_relu",
            Autoregressive::maf(MaskedNetwork::new(3, [6]).with_activation(Activation::Relu)),
        ),
        example(
            "autoregressive_spline",
            Autoregressive::spline(MaskedNetwork::new(3, [6]), SplineTransformer::new(4, 3.0)),
        ),
        example(
            "neural_autoregressive",
            Autoregressive::with(MaskedNetwork::new(3, [6]), DeepSigmoidalTransformer::new(3, 1)),
        ),
        example(
            "sinh_autoregressive",
            Autoregressive::with(MaskedNetwork::new(3, [6]), ElementwiseTransformer::new(Transform::Sinh)),
        ),
        example("block_neural_autoregressive", BlockNeuralAutoregressive::new(2, [2, 2])),
    ]
}

/// Layers whose parameters depend on the context alone.
fn conditional() -> Vec<Example> {
    vec![
        example("conditional_affine", ConditionalAffine::new(3, network().with_context(2))),
        example(
            "conditional_spline",
            Conditional::with(2, network().with_context(1), SplineTransformer::new(4, 3.0)),
        ),
        example(
            "affine_coupling_given_a_context",
            AffineCoupling::new(CouplingMask::first_half(3), network().with_context(2)),
        ),
    ]
}

fn constraints() -> Vec<Example> {
    // Of a share that is nearly 1 doubles do not keep what is left for the others.
    let near = |name: &'static str, layer: Box<dyn Bijection>| Example { name, layer, reach: 5.0 };
    vec![
        example("ordered", Ordered::new(3)),
        near("stick_breaking", Box::new(StickBreaking::new(3))),
        near("centred_softmax", Box::new(CentredSoftmax::new(3))),
        example("lower_triangular_positive", lower_triangular_positive(2, Transform::Exp)),
        near("covariance_from_cholesky", Box::new(CovarianceFromCholesky::new(2))),
        near("correlation_cholesky", Box::new(CorrelationCholesky::new(3))),
        example("polar", Polar),
        near("spherical", Box::new(Spherical::new(3))),
        example(
            "blockwise",
            Blockwise::new([
                Box::new(Affine::new([2.0], [0.1])) as Box<dyn Bijection>,
                Box::new(Elementwise::new(Transform::Exp, 1)),
                Box::new(Householder::new(2, 1)),
            ]),
        ),
    ]
}

fn dense() -> Vec<Example> {
    let (c, s) = (0.6, 0.8);
    // The laws are exact: steps that are short enough for them.
    let solver = Solver::DormandPrince { relative: 1e-12, absolute: 1e-12 };
    vec![
        example("planar", Planar::new(3)),
        example("radial", Radial::new(3)),
        example("residual", Residual::new(3, [4])),
        example(
            "residual_by_row_and_column_sums",
            Residual::new(2, [3, 3]).with_coefficient(0.5).with_constraint(LipschitzConstraint::OneInfinity),
        ),
        example("residual_softplus", Residual::new(2, [3]).with_activation(ResidualActivation::Softplus)),
        example("sylvester", Sylvester::new(4, [c, 0.0, s, 0.0, 0.0, 1.0, 0.0, 0.0])),
        example(
            "ffjord",
            Continuous::new(NetworkField::new(2, network()), solver, 5000).with_tolerance(1e-8),
        ),
    ]
}
