//! One instance of every layer of the catalogue, with the range of its variables that tests may use.

use pushforward::layers::plu;
use pushforward::prelude::*;

/// A layer, and how far out its z are tried.
pub struct Entry {
    pub layer: Box<dyn Bijection>,
    pub reach: f64,
}

/// Every layer: a new one is tested by adding one line.
pub fn catalogue() -> Vec<Entry> {
    let network = || Network::new([5, 4]);
    let entry = |layer: Box<dyn Bijection>, reach: f64| Entry { layer, reach };
    let map = |transform: Transform| entry(Box::new(Elementwise::new(transform, 2)), 30.0);
    let affine = |mask: CouplingMask, log_scale: ScaleMap| {
        entry(Box::new(AffineCoupling::new(mask, network()).with_log_scale(log_scale)), 30.0)
    };
    vec![
        entry(Box::new(Affine::new([2.0, -0.5, 1.0], [0.1, 0.0, -3.0])), 30.0),
        entry(Box::new(Affine::fixed([0.7, -2.0, 1.0], [5.0, 0.0, -0.1])), 30.0),
        entry(Box::new(Linear::new([2.0, 0.3, 0.0, -1.0, 0.5, 0.2, 0.4, 0.0, 1.5], [0.0, 1.0, 2.0])), 30.0),
        entry(Box::new(Permutation::new([2, 0, 1])), 30.0),
        entry(Box::new(Triangular::lower(3)), 30.0),
        entry(Box::new(Triangular::upper(3).with_signs([1.0, -1.0, -1.0])), 30.0),
        entry(Box::new(plu([2, 0, 1], [1.0, -1.0, 1.0])), 30.0),
        entry(Box::new(AdditiveCoupling::new(CouplingMask::first_half(3), network())), 30.0),
        affine(CouplingMask::first_half(3), ScaleMap::Bounded),
        affine(CouplingMask::alternating(3, false), ScaleMap::Identity),
        affine(CouplingMask::second_half(3), ScaleMap::Tanh),
        affine(CouplingMask::second_half(3), ScaleMap::SoftClipped { slope: 1e-3 }),
        entry(Box::new(Autoregressive::iaf(MaskedNetwork::new(3, [6, 5]))), 30.0),
        entry(
            Box::new(Autoregressive::iaf(MaskedNetwork::with_degrees(vec![2, 3, 1], vec![vec![1, 2, 2]]))),
            30.0,
        ),
        entry(Box::new(Autoregressive::maf(MaskedNetwork::new(3, [6]))), 30.0),
        entry(
            Box::new(RationalQuadraticSpline::fixed(3, [-2.0, 0.5, 1.0], [-1.0, 0.0, 3.0], [0.3, 2.0, 0.5])),
            30.0,
        ),
        entry(
            Box::new(RationalQuadraticSpline::learned(
                3,
                [-2.0, 0.5, 1.0],
                [-1.0, 0.0, 3.0],
                [0.3, 2.0, 0.5],
            )),
            30.0,
        ),
        entry(Box::new(RationalQuadraticSpline::bounded(3, SplineTransformer::new(5, 2.0))), 30.0),
        entry(
            Box::new(SplineCoupling::new(
                CouplingMask::alternating(3, true),
                network(),
                SplineTransformer::new(8, 3.0),
            )),
            30.0,
        ),
        entry(
            Box::new(Autoregressive::spline(MaskedNetwork::new(3, [6]), SplineTransformer::new(4, 3.0))),
            30.0,
        ),
        map(Transform::Exp),
        map(Transform::Ln),
        map(Transform::Softplus { sharpness: 2.5 }),
        map(Transform::Sigmoid { lower: -1.0, upper: 3.0 }),
        map(Transform::Logit),
        map(Transform::Tanh),
        map(Transform::LeakyRelu { slope: 0.1 }),
        map(Transform::Power { exponent: 1.7 }),
        map(Transform::Power { exponent: -2.0 }),
        map(Transform::GumbelCdf { location: 0.3, scale: 2.0 }),
        map(Transform::KumaraswamyCdf { a: 2.0, b: 3.0 }),
        map(Transform::SinhArcsinh { skew: 0.4, tail: 1.3, normalise: true }),
        map(Transform::SqueezedLogit { alpha: 0.05 }),
        entry(
            Box::new(Elementwise::each([
                Transform::Exp,
                Transform::Identity,
                Transform::Sigmoid { lower: -1.0, upper: 3.0 },
                Transform::Exp,
            ])),
            30.0,
        ),
    ]
}
