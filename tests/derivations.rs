//! The log-determinants that must follow from `forward` alone, compared with those of the literature, and the
//! documents that derive them.

use crate::catalogue;
use crate::notation_reader;

use catalogue::catalogue;
use notation_reader::{equations_that_hold, parse};
use pushforward::audit::Topic;
use pushforward::bijection::{Composition, derived_inverse, forward_with_log_det};
use pushforward::layers::{plu, qr};
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::tape::Subgraph;

use crate::snapshot::snapshot;

type Formula = for<'t> fn(Var<'t>) -> Var<'t>;

/// A layer from a closure.
struct Layer {
    name: &'static str,
    d: usize,
    structure: Structure,
    forward: Formula,
}

impl Bijection for Layer {
    fn dim(&self) -> usize {
        self.d
    }
    fn structure(&self) -> Structure {
        self.structure.clone()
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        (self.forward)(z)
    }
    fn name(&self) -> String {
        self.name.to_string()
    }
}

fn boxed(bijection: impl Bijection + 'static) -> Box<dyn Bijection> {
    Box::new(bijection)
}

fn layer(name: &'static str, d: usize, structure: Structure, forward: Formula) -> Box<dyn Bijection> {
    boxed(Layer { name, d, structure, forward })
}

/// The bins of a rational-quadratic spline, one for each of two variables, with the knots as parameters.
fn bin<'t>(z: Var<'t>) -> [Var<'t>; 8] {
    let of = |name: &str, at: f64| z.tape().parameter(name, Shape::Vector(2), Init::Constant(at));
    let (start, base) = (of("start", -1.0), of("base", -2.0));
    let (w, h) = (of("w", 1.5), of("h", 0.7));
    let (d0, d1) = (of("d0", 1e-5), of("d1", 1e5));
    let a = (z - start) / w;
    [base, w, h, d0, d1, a, 1.0 - a, h / w]
}

/// s²·(d₁t² + 2st(1-t) + d₀(1-t)²)/(…)², as Durkan et al. (2019) print it, under a logarithm.
fn bin_by_hand<'t>(z: Var<'t>) -> Var<'t> {
    let [_, _, _, d0, d1, a, b, s] = bin(z);
    let over = s * s * (d1 * (a * a) + 2.0 * s * (a * b) + d0 * (b * b));
    let under = s + (d0 + d1 - 2.0 * s) * (a * b);
    (over / (under * under)).ln().sum()
}

const LEAST: SplineConstraint = SplineConstraint::Minimum { width: 1e-3, height: 2e-3, slope: 1e-3 };

/// ln of eq. 5 of Durkan et al. in the bin of z, of knots, widths, heights and slopes, and `outside` the knots.
fn spline_by_hand<'t>(
    z: Var<'t>,
    [knots, widths, heights, slopes]: [&[Var<'t>]; 4],
    (below, above): (Var<'t>, Var<'t>),
) -> Var<'t> {
    let bins = widths.len();
    let of_bin = |values: &[Var<'t>]| {
        let last = values[bins - 1];
        (1..bins).rev().fold(last, |later, k| select(z.lt(knots[k]), values[k - 1], later))
    };
    let (start, w, h) = (of_bin(&knots[..bins]), of_bin(widths), of_bin(heights));
    let (d0, d1) = (of_bin(&slopes[..bins]), of_bin(&slopes[1..]));
    let (s, a) = (h / w, (z - start) / w);
    let b = 1.0 - a;
    let over = s * s * (d1 * (a * a) + 2.0 * s * (a * b) + d0 * (b * b));
    let under = s + (d0 + d1 - 2.0 * s) * (a * b);
    let inside = (over / (under * under)).ln();
    select(z.lt(knots[0]), below, select(z.lt(knots[bins]), inside, above)).sum()
}

fn sums<'t>(first: Var<'t>, steps: &[Var<'t>]) -> Vec<Var<'t>> {
    let mut knots = vec![first];
    steps.iter().for_each(|step| knots.push(knots[knots.len() - 1] + *step));
    knots
}

/// The two moved variables of a coupling layer with 8 bins on [-3, 3], with the knots of Durkan et al., section 3.1.
fn spline_coupling_by_hand<'t>(z: Var<'t>) -> Var<'t> {
    let raw = Network::new([8]).apply(z.slice(0..2), 2 * 23);
    let rows = |all: Var<'t>| (0..all.len() / 2).map(|k| all.slice(2 * k..2 * k + 2)).collect::<Vec<_>>();
    let shares = |raw: Var<'t>, least: f64| {
        let raw = rows(raw);
        let largest = raw.iter().copied().reduce(Var::max).unwrap();
        let powers: Vec<Var<'t>> = raw.iter().map(|raw| (*raw - largest).exp()).collect();
        let each =
            6.0 * (1.0 - 8.0 * least) / powers.iter().copied().reduce(|sum, power| sum + power).unwrap();
        powers.iter().map(|power| 6.0 * least + *power * each).collect::<Vec<_>>()
    };
    let (widths, heights) = (shares(raw.slice(0..16), 1e-3), shares(raw.slice(16..32), 2e-3));
    let constant = |value: f64| z.tape().constant(value).broadcast(Shape::Vector(2));
    let one = constant(1.0);
    let slopes = [vec![one], rows(1e-3 + raw.slice(32..46).softplus()), vec![one]].concat();
    let outside = (constant(0.0), constant(0.0));
    spline_by_hand(z.slice(2..4), [&sums(constant(-3.0), &widths), &widths, &heights, &slopes], outside)
}

/// Two bins with knots to learn.
fn learned_spline_by_hand<'t>(z: Var<'t>) -> Var<'t> {
    let rows = |all: Var<'t>| (0..all.len()).map(|k| all.slice(k..k + 1)).collect::<Vec<_>>();
    let parameter = |name: &str, start: Vec<f64>| {
        z.tape().parameter(name, Shape::Vector(start.len()), Init::Values(start))
    };
    let first = parameter("first_x", vec![0.0]);
    let widths = rows(parameter("log_widths", vec![0.5f64.ln(), 0.25f64.ln()]).exp());
    let heights = rows(parameter("log_heights", vec![0.25f64.ln(), 1.5f64.ln()]).exp());
    let log_slopes = parameter("log_slopes", vec![0.0, 2.0f64.ln(), 0.5f64.ln()]);
    let (slopes, ends) = (rows(log_slopes.exp()), rows(log_slopes));
    spline_by_hand(z, [&sums(first, &widths), &widths, &heights, &slopes], (ends[0], ends[2]))
}

/// Each layer, its log-determinant by hand, and how many more nodes the derived one may have.
fn table() -> Vec<(Box<dyn Bijection>, Formula, f64)> {
    let net = || Network::new([8]);
    let layers: Vec<(Box<dyn Bijection>, Formula, f64)> = vec![
        (
            boxed(Affine::identity(4)),
            |z| z.tape().parameter("scale", Shape::Vector(4), Init::Values(vec![1.0; 4])).abs().ln().sum(),
            1.1,
        ),
        (boxed(AdditiveCoupling::new(CouplingMask::first_half(4), net())), |z| z.tape().constant(0.0), 1.1),
        (
            boxed(AffineCoupling::new(CouplingMask::alternating(4, true), net())),
            |z| {
                let raw = Network::new([8]).apply(z.gather(&[0, 2]), 4);
                let log_bound = Init::Constant(2f64.ln());
                let bound = z.tape().parameter("log_bound", Shape::Vector(2), log_bound).exp();
                (bound * (raw.slice(0..2) / bound).tanh()).sum()
            },
            1.1,
        ),
        (
            layer("MaskedAutoregressive", 3, Structure::LowerTriangular, |z| {
                let (shift, alpha) = masked(z);
                z * alpha.exp() + shift
            }),
            |z| masked(z).1.sum(),
            1.1,
        ),
        (
            boxed(Triangular::lower(3)),
            |z| z.tape().parameter("log_diagonal", Shape::Vector(3), Init::Constant(0.0)).sum(),
            1.1,
        ),
        (
            boxed(plu([2, 0, 1], [1.0, -1.0, 1.0])),
            // ln|u_ii| is l_i whatever the signs are.
            |z| {
                let l = z.tape().parameter("layers.0.log_diagonal", Shape::Vector(3), Init::Constant(0.0));
                let scale = Init::Values(vec![0.0; 3]);
                l.sum() + 0.0 + 0.0 + z.tape().parameter("layers.3.log_scale", Shape::Vector(3), scale).sum()
            },
            1.1,
        ),
        (
            boxed(qr(3, 2)),
            |z| {
                let l = z.tape().parameter("layers.0.log_diagonal", Shape::Vector(3), Init::Constant(0.0));
                let scale = Init::Values(vec![0.0; 3]);
                l.sum() + z.tape().parameter("layers.2.log_scale", Shape::Vector(3), scale).sum()
            },
            1.1,
        ),
        (boxed(Elementwise::new(Transform::Exp, 3)), |z| z.sum(), 1.1),
        (boxed(Elementwise::new(Transform::Ln, 3)), |z| -z.ln().sum(), 1.1),
        (
            boxed(Elementwise::new(Transform::Sigmoid { lower: 0.0, upper: 1.0 }, 3)),
            |z| (-z.softplus() - (-z).softplus()).sum(),
            1.1,
        ),
        (boxed(Elementwise::new(Transform::Logit, 3)), |z| (-z.ln() - (-z).ln_1p()).sum(), 1.1),
        (
            boxed(Elementwise::new(Transform::Tanh, 3)),
            |z| (2.0 * (2.0f64.ln() - z - (-2.0 * z).softplus())).sum(),
            1.1,
        ),
        (
            boxed(Elementwise::new(Transform::SinhArcsinh { skew: 0.5, tail: 0.8, normalise: false }, 3)),
            |z| {
                // ln cosh v = v + softplus(-2v) - ln 2, and cosh(asinh z) = √(1 + z²).
                let y = z.asinh();
                let v = (y + 0.5) * 0.8;
                let log = z.tape().constant(0.8).ln();
                (log + v + (-2.0 * v).softplus() - y - (-2.0 * y).softplus()).sum()
            },
            1.1,
        ),
        (boxed(Elementwise::new(Transform::Softplus { sharpness: 1.0 }, 3)), |z| -(-z).softplus().sum(), 1.1),
        (
            layer("SplineBin", 2, Structure::Diagonal, |z| {
                let [base, _, h, d0, d1, a, b, s] = bin(z);
                base + h * (s * (a * a) + d0 * (a * b)) / (s * (a * a) + (d0 + d1) * (a * b) + s * (b * b))
            }),
            bin_by_hand,
            1.5,
        ),
        (
            boxed(SplineCoupling::new(
                CouplingMask::first_half(4),
                net(),
                SplineTransformer::new(8, 3.0).with_constraint(LEAST),
            )),
            spline_coupling_by_hand,
            1.5,
        ),
        (
            boxed(RationalQuadraticSpline::learned(1, [0.0, 0.5, 0.75], [0.0, 0.25, 1.75], [1.0, 2.0, 0.5])),
            learned_spline_by_hand,
            1.5,
        ),
    ];
    layers.into_iter().chain(maps()).chain(layers_of_several()).collect()
}

/// ½·ln 2π
const LN_SQRT_TAU: f64 = 0.918_938_533_204_672_7;

/// Maps of one variable.
fn maps() -> Vec<(Box<dyn Bijection>, Formula, f64)> {
    let map = |transform: Transform, by_hand: Formula| (boxed(Elementwise::new(transform, 2)), by_hand, 1.1);
    vec![
        map(Transform::NormalCdf, |z| (-0.5 * (z * z) - LN_SQRT_TAU).sum()),
        map(Transform::NormalQuantile, |z| {
            let y = z.normal_quantile();
            (0.5 * (y * y) + LN_SQRT_TAU).sum()
        }),
        map(Transform::Softsign, |z| (-2.0 * z.abs().ln_1p()).sum()),
        map(Transform::Sinh, |z| (z + (-2.0 * z).softplus() - 2.0f64.ln()).sum()),
        map(Transform::Asinh, |z| {
            let y = z.asinh();
            (2.0f64.ln() - y - (-2.0 * y).softplus()).sum()
        }),
        // 2/π·1/(1 + z²), by 1 + z² = cosh² asinh z.
        map(Transform::Arctangent, |z| {
            let y = z.asinh();
            ((2.0 / std::f64::consts::PI).ln() + 2.0 * (2.0f64.ln() - y - (-2.0 * y).softplus())).sum()
        }),
        map(Transform::Cubic { coefficient: 0.25 }, |z| (0.75 * (z * z)).ln_1p().sum()),
        map(Transform::SignedPower { exponent: 1.5 }, |z| {
            select(z.lt(0.0), 1.5f64.ln() + 0.5 * (-z).ln(), 1.5f64.ln() + 0.5 * z.ln()).sum()
        }),
        map(Transform::BoxCox { power: 0.5 }, |z| (-0.5 * z.ln()).sum()),
        map(Transform::YeoJohnson { power: 0.5 }, |z| {
            select(z.lt(0.0), 0.5 * (-z).ln_1p(), -0.5 * z.ln_1p()).sum()
        }),
        // k/λ is one number, and z/λ is computed anyway.
        map(Transform::WeibullCdf { scale: 2.0, shape: 1.5 }, |z| {
            let u = z / 2.0;
            (0.75f64.ln() + 0.5 * u.ln() - u.pow(1.5)).sum()
        }),
    ]
}

/// ln sech² a
fn log_sech_squared(a: Var<'_>) -> Var<'_> {
    2.0 * (2.0f64.ln() - a - (-2.0 * a).softplus())
}

/// Of a map whose Jacobian is dense, and whose determinant is formed by an LU decomposition.
const BY_LU: f64 = 40.0;

fn layers_of_several() -> Vec<(Box<dyn Bijection>, Formula, f64)> {
    vec![
        (
            boxed(ActNorm::new(3)),
            |z| z.tape().parameter("log_scale", Shape::Vector(3), Init::Values(vec![0.0; 3])).sum(),
            1.1,
        ),
        (
            boxed(BatchNorm::new([0.5, -1.0], [3.0, 0.24], 1.0)),
            |z| {
                let log_scale = z.tape().parameter("log_scale", Shape::Vector(2), Init::Constant(0.0));
                (z.tape().vector(&[2.0, 1.24f64.sqrt()]).ln() - log_scale).sum()
            },
            1.1,
        ),
        // z₂ + z₃ of two elements, not the sum of a part.
        (boxed(Ordered::new(3)), |z| z.slice(1..3).sum(), 1.4),
        (
            boxed(StickBreaking::new(3)),
            |z| {
                let u = [0, 1, 2].map(|i| z.at(i) - (3.0 - i as f64).ln());
                let share = |i: usize| -u[i].softplus() - (-u[i]).softplus();
                let left = |i: usize| -u[i].softplus();
                share(0) + share(1) + share(2) + 2.0 * left(0) + left(1)
            },
            1.1,
        ),
        (
            boxed(CentredSoftmax::new(3)),
            |z| {
                let total = z.exp().sum().ln_1p();
                z.sum() - 4.0 * total
            },
            BY_LU,
        ),
        (
            boxed(CovarianceFromCholesky::new(2)),
            |z| 2.0 * 2.0f64.ln() + 2.0 * z.at(0).ln() + z.at(2).ln(),
            1.1,
        ),
        (
            boxed(CorrelationCholesky::new(3)),
            |z| {
                let [a, b, c] = [0, 1, 2].map(|i| log_sech_squared(z.at(i)));
                a + 1.5 * b + c
            },
            // One sum a row.
            1.3,
        ),
        (boxed(Polar), |z| z.at(0).ln(), 1.1),
        (boxed(Spherical::new(3)), |z| 2.0 * z.at(0).ln() + z.at(1).sin().ln(), 1.3),
        (
            boxed(Blockwise::of([
                (vec![1], boxed(Elementwise::new(Transform::Exp, 1))),
                (vec![2, 0], boxed(Polar)),
            ])),
            |z| z.at(1) + z.at(2).ln(),
            1.1,
        ),
        (
            boxed(BlockNeuralAutoregressive::new(2, [2])),
            |z| {
                let tape = z.tape();
                let of =
                    |name: &str, shape: Shape, init: f64| tape.parameter(name, shape, Init::Constant(init));
                let first = of("net.0.log_diagonal", Shape::Vector(4), 0.0);
                let bias = tape.parameter(
                    "net.0.bias",
                    Shape::Vector(4),
                    Init::Values(vec![-0.75, 0.75, -0.75, 0.75]),
                );
                let below = tape.parameter("net.0.weight", Shape::Matrix(4, 2), Init::glorot(2, 4));
                let second = of("net.1.log_diagonal", Shape::Vector(4), -(2f64.ln()));
                let scale = of("log_scale", Shape::Vector(2), -2.0);
                let slope = |i: usize| {
                    let unit = |k: usize| {
                        let u = 2 * i + k;
                        let own = first.at(u).exp() * z.at(i);
                        let others = if i == 1 { below.row(u).at(0) * z.at(0) } else { 0.0 * z.at(0) };
                        let inside = own + others + bias.at(u);
                        (first.at(u) + second.at(u)).exp() * (1.0 - inside.tanh().powi(2))
                    };
                    scale.at(i).exp() + unit(0) + unit(1)
                };
                slope(0).ln() + slope(1).ln()
            },
            1.1,
        ),
        (
            boxed(Unconditional::new(2, SinhArcsinhTransformer)),
            |z| {
                let all = z.tape().parameter("element_parameters", Shape::Vector(8), Init::Constant(0.0));
                let part = |k: usize| all.slice(2 * k..2 * k + 2);
                let inside = (z.asinh() + part(0)) * part(1).exp();
                (inside.cosh().ln() + part(1) - 0.5 * (1.0 + z * z).ln() + part(2)).sum()
            },
            1.3,
        ),
        (
            boxed(Unconditional::new(2, YeoJohnsonTransformer)),
            |z| {
                let all = z.tape().parameter("element_parameters", Shape::Vector(6), Init::Constant(0.0));
                let part = |k: usize| all.slice(2 * k..2 * k + 2);
                let (power, other) = (2.0 * part(0).sigmoid(), 2.0 * (-part(0)).sigmoid());
                let above = (power - 1.0) * z.ln_1p();
                let below = (other - 1.0) * (-z).ln_1p();
                (select(z.lt(0.0), below, above) + part(1)).sum()
            },
            1.3,
        ),
        (
            boxed(Unconditional::new(2, ElementwiseTransformer::new(Transform::Sinh))),
            |z| {
                let all = z.tape().parameter("element_parameters", Shape::Vector(4), Init::Constant(0.0));
                let (log_scale, shift) = (all.slice(0..2), all.slice(2..4));
                // ln cosh a = |a| + softplus(-2|a|) - ln 2.
                let size = (z * log_scale.exp() + shift).abs();
                (size + (-2.0 * size).softplus() - 2f64.ln() + log_scale).sum()
            },
            1.3,
        ),
        (
            boxed(ConditionalAffine::new(2, Network::new([3]).with_context(1))),
            |z| Network::new([3]).apply(z.tape().context(1), 4).slice(0..2).sum(),
            1.1,
        ),
        (boxed(Householder::new(3, 2)), |z| z.tape().constant(0.0), 1.1),
        (boxed(Cayley::new(3)), |z| z.tape().constant(0.0), 1.1),
        (
            boxed(MatrixExponential::new(3)),
            |z| z.tape().parameter("weight", Shape::Matrix(3, 3), Init::Constant(0.0)).diagonal().sum(),
            1.1,
        ),
        (
            boxed(PointwiseConvolution::new(2, 2)),
            |z| {
                2.0 * z
                    .tape()
                    .scope("upper", || {
                        z.tape().parameter("log_diagonal", Shape::Vector(2), Init::Constant(0.0))
                    })
                    .sum()
            },
            1.1,
        ),
        (
            boxed(PointwiseConvolution::unconstrained(2, 2)),
            |z| {
                let start = Init::Values(vec![1.0, 0.0, 0.0, 1.0]);
                let w = z.tape().parameter("weight", Shape::Matrix(2, 2), start);
                let entry = |i: usize, j: usize| w.row(i).at(j);
                2.0 * (entry(0, 0) * entry(1, 1) - entry(0, 1) * entry(1, 0)).abs().ln()
            },
            1.1,
        ),
        (
            boxed(Planar::new(3)),
            |z| {
                let of = |name: &str, start: f64| {
                    z.tape().parameter(name, Shape::Vector(3), Init::Values(vec![start; 3]))
                };
                let (w, u) = (
                    of("w", 3f64.sqrt().recip()),
                    z.tape().parameter("u", Shape::Vector(3), Init::Constant(0.0)),
                );
                let b = z.tape().parameter("b", Shape::Scalar, Init::Constant(0.0));
                let along = w.dot(u);
                let hat = u + ((along.softplus() - 1.0 - along) / w.dot(w)) * w;
                ((w.dot(z) + b).sech_squared() * w.dot(hat)).ln_1p()
            },
            BY_LU,
        ),
        (
            boxed(Radial::new(2)),
            |z| {
                let of = |name: &str| z.tape().parameter(name, Shape::Scalar, Init::Constant(1.0));
                let centre = z.tape().parameter("centre", Shape::Vector(2), Init::Constant(0.0));
                let alpha = of("alpha").softplus();
                let beta = of("beta").softplus() - alpha;
                let r = (z - centre).norm();
                let h = (alpha + r).recip();
                (1.0 + beta * h).ln() + (1.0 + beta * h - beta * (h * h) * r).ln()
            },
            BY_LU,
        ),
        (
            boxed(Residual::new(2, [1])),
            |z| {
                let of = |name: &str, shape: Shape, init: Init| z.tape().parameter(name, shape, init);
                let first = of("net.0.weight", Shape::Matrix(1, 2), Init::glorot(2, 1));
                let last = of("net.1.weight", Shape::Matrix(2, 1), Init::Constant(0.0));
                let bias = of("net.0.bias", Shape::Vector(1), Init::Constant(0.0)).at(0);
                let most = 0.9f64.sqrt();
                let [w, v] = [first.row(0), last.column(0)].map(|v| v * (most / v.norm().max(most)));
                (1.0 + (w.dot(z) + bias).sech_squared() * w.dot(v)).ln()
            },
            BY_LU,
        ),
        (
            boxed(Sylvester::new(2, [0.6, 0.8])),
            |z| {
                let of = |name: &str| {
                    z.tape().parameter(name, Shape::Matrix(1, 1), Init::Constant(0.0)).row(0).at(0)
                };
                let b = z.tape().parameter("b", Shape::Vector(1), Init::Constant(0.0)).at(0);
                let (r, other) = (of("r").tanh(), of("r_tilde").tanh());
                let y = 0.6 * z.at(0) + 0.8 * z.at(1);
                (1.0 + r * other * (other * y + b).sech_squared()).abs().ln()
            },
            BY_LU,
        ),
        (
            boxed(Unconditional::new(2, SumOfSquaresTransformer::new(1, 1))),
            |z| {
                let all = z.tape().parameter("element_parameters", Shape::Vector(6), Init::Constant(0.0));
                let root = (1.0 + all.slice(0..2)) + all.slice(2..4) * z;
                (1e-3 + root * root).ln().sum()
            },
            3.0,
        ),
    ]
}

/// Shift and log-scale of a linear masked network: output i sees the inputs before i.
fn masked<'t>(z: Var<'t>) -> (Var<'t>, Var<'t>) {
    let strictly = z.tape().matrix(3, 3, &[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
    let part = |name: &str| {
        let weight = z.tape().parameter(name, Shape::Matrix(3, 3), Init::Constant(0.3));
        (weight * strictly).matvec(z).tanh()
    };
    (part("shift"), part("scale"))
}

#[test]
fn derived_log_determinants_are_those_of_the_books() {
    println!("{:<22} {:>8} {:>8}", "nodes", "derived", "by hand");
    let mut long = Vec::new();
    for (bijection, by_hand, allowed) in table() {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(bijection.dim()));
        let pushed = forward_with_log_det(&bijection, z).unwrap();
        let hand = by_hand(z);
        tape.check().unwrap();
        let nodes = |of: Var<'_>| Subgraph::new(&tape, &[z.id()], &[of.id()]).nodes().len();
        let (derived, written) = (nodes(pushed.log_det), nodes(hand));
        println!("{:<22} {derived:>8} {written:>8}", bijection.name());
        if derived as f64 > allowed * written as f64 {
            long.push(format!("{}: {derived} against {written}", bijection.name()));
        }
        let outputs = [pushed.log_det, hand].map(|var| Output::Each(var.id()));
        let mut program = Program::<f64>::compile(&tape, &[z.id()], &outputs);
        program.load(&Parameters::initialise(&tape, 3)).unwrap();
        // Inside the domain of each: (0, 1).
        for k in 1..20 {
            let point: Vec<f64> =
                (0..bijection.dim()).map(|i| ((k + 3 * i) % 19 + 1) as f64 / 21.0).collect();
            let both = program.run(&[&point], 1).unwrap();
            let off = (both[0][0] - both[1][0]).abs() / both[1][0].abs().max(1.0);
            assert!(off < 1e-12, "{}: {} against {}", bijection.name(), both[0][0], both[1][0]);
        }
    }
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn derivations_are_pinned() {
    // A spline of eight bins says what one of two bins says, on three pages more.
    let mut names = Vec::new();
    for (bijection, _, _) in table().into_iter().filter(|(layer, ..)| layer.name() != "SplineCoupling") {
        let text = derive(&bijection).unwrap().to_string();
        assert_eq!(text, derive(&bijection).unwrap().to_string(), "it differs from run to run");
        let wide = text.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None, "a line is wider than 80 columns");
        // Source lines move when this file is edited.
        let mut parts = text.split("tests/derivations.rs:");
        let first = parts.next().unwrap_or_default().to_string();
        let masked = parts.fold(first, |text, part| {
            text + "tests/derivations.rs:<line>" + part.trim_start_matches(|c: char| c.is_ascii_digit())
        });
        let mut name = format!("derivation_{}", bijection.name().to_lowercase());
        names.push(name.clone());
        match names.iter().filter(|other| **other == name).count() {
            1 => {}
            again => name += &format!("_{again}"),
        }
        snapshot(&name, &masked);
    }
}

fn bend() -> Box<dyn Bijection> {
    layer("Bend", 2, Structure::LowerTriangular, |z| {
        let (z1, z2) = (z.at(0), z.at(1));
        stack([z1, z2 * z1.tanh().exp() + z1.powi(2)])
    })
}

#[test]
fn a_derivation_is_pinned_in_every_notation() {
    let bend = derive(&bend()).unwrap();
    snapshot("derivation_bend", &bend.to_string());
    snapshot("derivation_bend_latex", &bend.latex());
    snapshot("derivation_bend_html", &bend.html());
    let (coupling, ..) = table().swap_remove(2);
    let coupling = derive(&coupling).unwrap();
    snapshot("derivation_affinecoupling_latex", &coupling.latex());
    snapshot("derivation_affinecoupling_html", &coupling.html());
}

#[test]
fn a_derived_inverse_says_what_stands_in_its_way() {
    let error = |forward: Formula| {
        let bijection = layer("Odd", 2, Structure::LowerTriangular, forward);
        let tape = Tape::new();
        let x = tape.input(Shape::Vector(2));
        derived_inverse(&bijection, x).unwrap_err().to_string()
    };
    assert!(error(|z| z * z.sigmoid()).contains("uses its variable in both operands of mul"));
    assert!(error(|z| z.powi(2)).contains("even power"));
    assert!(error(|z| z.sin()).contains("periodic"));
    let text = error(|z| z * z.sigmoid());
    assert!(text.contains("tests/derivations.rs:") && text.contains("write an `inverse`"), "{text}");
}

#[test]
fn a_masked_autoregressive_layer_is_inverted_in_order() {
    let (bijection, ..) = table().swap_remove(3);
    let report = audit(&bijection).unwrap();
    assert!(report.has_no_refutation(), "{report}");
    for topic in [Topic::Inverse, Topic::Injective] {
        let word = report.claim(topic).unwrap().evidence.label();
        assert_eq!(word, "proven", "{report}");
    }
}

#[test]
fn what_a_derivation_says_is_true() {
    let more: Vec<Box<dyn Bijection>> = vec![
        boxed(AffineCoupling::new(CouplingMask::alternating(8, false), Network::new([5, 4]))),
        boxed(
            AffineCoupling::new(CouplingMask::first_half(2), Network::new([3]))
                .with_log_scale(ScaleMap::Identity),
        ),
        boxed(Autoregressive::iaf(MaskedNetwork::new(3, [6]))),
        boxed(Autoregressive::iaf(MaskedNetwork::new(6, [7]))),
        boxed(Permutation::new([2, 0, 3, 1])),
        boxed(Linear::new([2.0, 1.0, 0.5, -1.0], [0.1, 0.2])),
        boxed(Elementwise::new(Transform::KumaraswamyCdf { a: 2.0, b: 3.5 }, 1)),
        boxed(Elementwise::new(Transform::GumbelCdf { location: 0.5, scale: 2.0 }, 2)),
        boxed(Elementwise::new(Transform::LeakyRelu { slope: 0.1 }, 2)),
        boxed(Elementwise::new(Transform::Power { exponent: 2.5 }, 2)),
        boxed(Triangular::upper(4).with_signs([1.0, -1.0, -1.0, -1.0])),
        bend(),
        layer("Swirl", 2, Structure::Dense, |z| {
            let (z1, z2) = (z.at(0), z.at(1));
            stack([z1 + 0.5 * z2.powi(2), z2 * (0.5 * z1).exp()])
        }),
    ];
    let layers = table().into_iter().map(|(layer, ..)| layer);
    let catalogue = catalogue().into_iter().map(|entry| entry.layer);
    let layers = layers.chain(catalogue).chain(more);
    let single =
        layers.filter(|layer| matches!(layer.composition(), Composition::Layer | Composition::Continuous(_)));
    // What is not printed stands in all equations of these: nodes of a quadrature, masks within an equation that is solved, and
    // a velocity whose z and t no step gives.
    let unreadable = ["MonotoneNetwork", "DeepSigmoidalAutoregressive", "Continuous NetworkField"];
    let told: usize = single
        .filter(|layer| !unreadable.contains(&layer.name().as_str()))
        .map(|layer| equations_that_hold(&layer))
        .sum();
    println!("{told} equations hold");
    assert!(told > 1500, "{told}");
}

/// Chains, layers that are turned round, dense ones, some with many variables: documents of every form.
fn documents() -> Vec<Derivation> {
    let chain = Chain::new([
        boxed(Elementwise::new(Transform::Logit, 4)),
        boxed(AffineCoupling::new(CouplingMask::first_half(4), Network::new([8]))),
        boxed(plu([2, 0, 1, 3], [1.0, -1.0, 1.0, 1.0])),
        boxed(Autoregressive::maf(MaskedNetwork::new(4, [6]))),
    ]);
    let more = vec![
        boxed(chain),
        boxed(Autoregressive::maf(MaskedNetwork::new(3, [6]))),
        boxed(Autoregressive::iaf(MaskedNetwork::new(20, [30, 30]))),
        boxed(AffineCoupling::new(CouplingMask::second_half(64), Network::new([32]))),
        boxed(Linear::identity(6)),
        boxed(Permutation::reverse(40)),
        layer("Odd_name & <others>", 2, Structure::Diagonal, |z| {
            let names = ["a_b%", "c#d", "e<f>&", "ß"];
            let of = |name: &str| z.tape().parameter(name, Shape::Vector(2), Init::Constant(1.5));
            names.iter().fold(z, |x, name| x + of(name)).sinh()
        }),
    ];
    let catalogue = catalogue().into_iter().map(|entry| entry.layer);
    let layers = table().into_iter().map(|(layer, ..)| layer).chain(catalogue).chain(more);
    layers.map(|layer| derive(&layer).unwrap()).collect()
}

#[test]
fn every_latex_document_is_balanced_and_ascii() {
    for derivation in documents() {
        let latex = derivation.latex();
        assert!(latex.is_ascii(), "{:?}", latex.chars().find(|c| !c.is_ascii()));
        let (mut open, mut environments) = (Vec::new(), Vec::new());
        let mut rest = latex.as_str();
        while let Some(at) = rest.find(['{', '}', '\\', '$', '%']) {
            let (found, after) = (rest[at..].chars().next().unwrap(), &rest[at + 1..]);
            rest = after;
            match found {
                '{' => open.push('{'),
                '}' => assert_eq!(open.pop(), Some('{'), "before {:.60}", rest),
                // In an argument of a command a formula begins and ends.
                '$' if open.last() == Some(&'$') => {
                    open.pop();
                }
                '$' => open.push('$'),
                '%' => rest = rest.split_once('\n').map_or("", |(_, rest)| rest),
                _ => {
                    let name: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
                    let argument =
                        rest[name.len()..].strip_prefix('{').and_then(|rest| rest.split('}').next());
                    match name.as_str() {
                        "begin" => environments.push(argument.unwrap().to_string()),
                        "end" => assert_eq!(environments.pop().as_deref(), argument),
                        _ => {}
                    }
                    // An escaped sign is none.
                    rest = &rest[name.len().max(1)..];
                }
            }
        }
        assert!(
            open.is_empty() && environments.is_empty(),
            "{open:?} {environments:?} in {}",
            derivation.title
        );
        let count = |what: &str| latex.matches(what).count();
        assert_eq!(count("\\left"), count("\\right") + count("\\leftskip") - count("\\rightskip"));
    }
}

#[test]
fn every_page_is_well_formed_and_stands_alone() {
    for derivation in documents() {
        let html = derivation.html();
        let page = html.strip_prefix("<!DOCTYPE html>\n").unwrap();
        let page = parse(page.trim_end()).unwrap_or_else(|error| panic!("{}: {error}", derivation.title));
        assert_eq!(page.name, "html");
        for outside in ["<script", "http", "src=", "url(", "@import", "<link"] {
            assert!(!html.contains(outside), "{outside} in {}", derivation.title);
        }
        // An element of MathML that takes two or three parts has so many.
        let mut open = vec![&page];
        let mut formulas = 0;
        while let Some(element) = open.pop() {
            let parts = match element.name.as_str() {
                "mfrac" | "msup" | "msub" | "munder" => Some(2),
                "msubsup" => Some(3),
                _ => None,
            };
            assert!(parts.is_none_or(|parts| parts == element.children.len()), "{element:?}");
            let leaf = matches!(element.name.as_str(), "mi" | "mn" | "mo" | "mtext");
            assert!(!leaf || element.children.is_empty(), "{element:?}");
            assert!(leaf || !element.name.starts_with('m') || element.text.trim().is_empty(), "{element:?}");
            formulas += usize::from(element.name == "math");
            open.extend(&element.children);
        }
        assert!(formulas > 5, "{formulas} formulas in {}", derivation.title);
    }
}

/// The section of a derivation with this heading.
fn section(text: &str, heading: &str) -> String {
    let rest = text.split_once(&format!("\n{heading}\n")).expect("the section is there").1;
    rest.lines().take_while(|line| line.is_empty() || line.starts_with(' ')).collect::<Vec<_>>().join("\n")
}

#[test]
fn no_step_is_told_of_a_number() {
    let turned = layer("Turned", 1, Structure::Diagonal, |z| -5.0 * z);
    let told = section(&derive(&turned).unwrap().to_string(), "Log-determinant");
    let lines: Vec<&str> = told.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, ["ln|det J| = ln|-5|", "ln|det J| = ln(5)"], "{told}");
}

#[test]
fn no_density_is_written_of_a_map_that_is_not_one_to_one() {
    // z + 1.1·sin z turns where cos z < -1/1.1; z² takes z and -z to one point.
    let maps: [Formula; 2] = [|z| z + 1.1 * z.sin(), |z| z.powi(2)];
    for map in maps {
        let layer = Layer { name: "Folded", d: 1, structure: Structure::Diagonal, forward: map };
        let text = derive(&layer).expect("it records").to_string();
        let (inverse, density) = (section(&text, "Inverse"), section(&text, "Density"));
        assert!(inverse.contains("Folded has no inverse, since it is not one-to-one"), "{text}");
        assert!(!text.contains("fn inverse"), "{text}");
        assert!(density.contains("No density") && !density.contains('='), "{text}");
    }
}

#[test]
fn no_density_is_written_of_a_chain_with_such_a_layer() {
    let folded: Box<dyn Bijection> = layer("Folded", 1, Structure::Diagonal, |z| z + 1.1 * z.sin());
    let chain = Chain::new([boxed(Affine::new([2.0], [0.0])), folded]);
    let text = derive(&chain).expect("it records").to_string();
    let whole = text.split_once("\nThe whole\n").expect("a chain has a whole").1;
    assert!(whole.contains("No density") && !whole.contains("ln p_X(x) ="), "{text}");
}

#[test]
fn an_inverse_by_an_equation_says_what_guarantees_it() {
    let wave = Layer { name: "Wave", d: 1, structure: Structure::Diagonal, forward: |z| z + 0.9 * z.sin() };
    let text = derive(&wave).expect("it records").to_string();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let inverse = words(&section(&text, "Inverse"));
    // The slope is 1 + 0.9·cos z.
    for said in ["the remaining equation is solved between brackets", "with the slope in [0.1, 1.9] (bounds)"]
    {
        assert!(inverse.contains(said), "{text}");
    }
    assert!(section(&text, "Density").contains("ln p_X(x) ="), "{text}");
}
