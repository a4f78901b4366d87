//! Piecewise maps: what is proven about them, and what must not be proven.

use pushforward::audit::{AuditOptions, Topic, audit_with};
use pushforward::prelude::*;
use pushforward::program::values;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

type Formula = for<'t> fn(Var<'t>) -> Var<'t>;

/// A map from a formula.
struct Map {
    d: usize,
    structure: Structure,
    forward: Formula,
}

impl Bijection for Map {
    fn dim(&self) -> usize {
        self.d
    }
    fn structure(&self) -> Structure {
        self.structure.clone()
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        (self.forward)(z)
    }
}

/// How it is known that no two points collide, and that det J has one sign.
fn words(bijection: &dyn Bijection) -> (&'static str, &'static str) {
    let report = audit_with(bijection, &AuditOptions { points: 8, ..AuditOptions::default() }).unwrap();
    let word = |topic| report.claim(topic).map_or("absent", |claim| claim.evidence.label());
    (word(Topic::Injective), word(Topic::Determinant))
}

const LEAST: SplineConstraint = SplineConstraint::Minimum { width: 1e-3, height: 1e-3, slope: 1e-3 };

#[test]
fn every_spline_is_proven_one_to_one_for_all_parameters() {
    let network = || Network::new([5]);
    let masked = || MaskedNetwork::new(3, [6]);
    let (x, y, slopes) = ([-2.0, 0.3, 1.1], [-1.3, 0.1, 3.7], [0.3, 2.1, 0.7]);
    let layers: [Box<dyn Bijection>; 7] = [
        Box::new(RationalQuadraticSpline::fixed(3, x, y, slopes)),
        Box::new(RationalQuadraticSpline::learned(3, x, y, slopes)),
        Box::new(RationalQuadraticSpline::bounded(3, SplineTransformer::new(5, 2.7))),
        Box::new(RationalQuadraticSpline::bounded(3, SplineTransformer::new(5, 2.7).with_constraint(LEAST))),
        Box::new(SplineCoupling::new(CouplingMask::first_half(4), network(), SplineTransformer::new(8, 3.0))),
        Box::new(SplineCoupling::new(
            CouplingMask::alternating(3, true),
            network(),
            SplineTransformer::new(16, 3.0).with_constraint(LEAST),
        )),
        Box::new(Autoregressive::with(masked(), SplineTransformer::new(4, 3.0))),
    ];
    for layer in &layers {
        assert_eq!(words(layer), ("proven", "proven"), "{}", layer.name());
    }
    // Turned round, forward is the inverse that was written by hand, a quadratic formula: that it is one is not proven.
    for spline in [SplineTransformer::new(8, 3.0), SplineTransformer::new(4, 3.3).with_constraint(LEAST)] {
        assert_eq!(words(&Autoregressive::spline(masked(), spline)), ("not proven", "checked"));
    }
}

#[test]
fn pieces_that_jump_fold_or_are_in_no_order_are_not_proven() {
    let known = |structure: Structure, d: usize, forward: Formula| words(&Map { d, structure, forward }).0;
    let diagonal = |forward: Formula| known(Structure::Diagonal, 1, forward);
    // Meeting and ascending: as a control.
    assert_eq!(diagonal(|z| select(z.lt(0.7), 2.0 * z, 3.0 * z - 0.7 * z.tape().constant(1.0))), "proven");
    assert_eq!(diagonal(|z| select(z.ge(-1.0), z, 2.0 * z + 1.0)), "proven");
    assert_eq!(diagonal(|z| select(z.lt(0.0), z, z + 1e-9)), "not proven");
    assert_ne!(diagonal(|z| select(z.lt(0.0), z, z - 5.0)), "proven");
    // At 0 the lower piece holds, so that only the limit from above jumps.
    assert_ne!(diagonal(|z| select(z.le(0.0), z, z - 5.0)), "proven");
    assert_ne!(diagonal(|z| select(z.lt(0.0), -z, z)), "proven");
    assert_ne!(diagonal(|z| select(z.le(1.0), z, 2.0 - z)), "proven");
    // The slope touches 0 at a threshold, and at no other point: one-to-one.
    assert_eq!(diagonal(|z| select(z.lt(0.0), z, z.powi(2))), "proven");
    assert_ne!(diagonal(|z| select(z.lt(0.0), -z, z.powi(2))), "proven");
    // Thresholds in an order that depends on parameters.
    let unordered: Formula = |z| {
        let at = |name: &str| z.tape().parameter(name, Shape::Vector(1), Init::Constant(0.0));
        let (p, q) = (at("p"), at("q"));
        select(z.lt(p), z, select(z.lt(q), 2.0 * z - p, 3.0 * z - p - q))
    };
    assert_ne!(diagonal(unordered), "proven");
    // A condition on one variable that turns the slope of another.
    let crossed: Formula = |z| stack([z.at(0), select(z.at(0).lt(0.0), -z.at(1), z.at(1))]);
    assert_ne!(known(Structure::LowerTriangular, 2, crossed), "proven");
    // What is known of one variable on its piece is used by another, whose pieces are others: 5 - |z₀ - 1| is not
    // positive everywhere, whatever piece z₁ is on.
    let borrowed: Formula = |z| {
        let u = z - 1.0;
        let first = u.gather(&[0, 0]);
        select(z.lt(1.0), u * (5.0 - first), u * (5.0 + first))
    };
    assert_ne!(known(Structure::LowerTriangular, 2, borrowed), "proven");
    // Pieces of one variable that meet only where another has a certain value.
    let meeting: Formula = |z| {
        let u = z - 1.0;
        select(z.lt(1.0), 3.0 * u, 3.0 * u + u.gather(&[0, 0]))
    };
    assert_ne!(known(Structure::LowerTriangular, 2, meeting), "proven");
    // A threshold that moves with its own variable.
    let moving: Formula = |z| {
        let at = z + 3.0 * z.sin();
        select(z.lt(at), z, 2.0 * z - at)
    };
    assert_ne!(diagonal(moving), "proven");
    assert_ne!(words(&Map { d: 1, structure: Structure::Diagonal, forward: moving }).1, "proven");
    // A threshold that is defined for p > 0 alone.
    let logarithm: Formula = |z| {
        let at = z.tape().parameter("p", Shape::Vector(1), Init::Constant(0.5)).ln();
        select(z.lt(at), 2.0 * z - at, 3.0 * z - 2.0 * at)
    };
    assert_ne!(diagonal(logarithm), "proven");
    let exponential: Formula = |z| {
        let at = z.tape().parameter("p", Shape::Vector(1), Init::Constant(0.5)).exp();
        select(z.lt(at), 2.0 * z - at, 3.0 * z - 2.0 * at)
    };
    assert_eq!(diagonal(exponential), "proven");
    // A condition that is made of others.
    assert_ne!(diagonal(|z| select(z.ge(0.0).and(z.lt(1.0)), z + 5.0, z)), "proven");
}

#[test]
fn a_slope_that_is_0_at_a_threshold_is_not_proven_to_have_a_sign() {
    let layer = |forward: Formula| words(&Map { d: 1, structure: Structure::Diagonal, forward }).1;
    // The point z = 1 belongs to the bent piece in the one and to the straight one in the other.
    assert_eq!(layer(|z| select(z.lt(1.0), z, 1.0 + (z - 1.0).powi(2))), "not proven");
    assert_eq!(layer(|z| select(z.le(1.0), z, 1.0 + (z - 1.0).powi(2))), "proven");
}

/// Straight and bent pieces one after the other; a wild one may descend, jump, or have its thresholds in another order.
struct RandomPieces(u64);

impl RandomPieces {
    fn record<'t>(&self, z: Var<'t>) -> Var<'t> {
        let mut random = ChaCha8Rng::seed_from_u64(self.0);
        let tape = z.tape();
        let vector = |value: f64| tape.constant(value).broadcast(z.shape());
        let wild = random.random::<f64>() < 0.4;
        let mut number = || 2.0 * random.random::<f64>() - 1.0;
        let count = if number() > 0.0 { 1 } else { 3 };
        let (mut at, mut base) = (vector(number()), vector(number()));
        let mut size = |name: String| match (number(), number()) {
            (kind, _) if kind > 0.4 => tape.parameter(&name, z.shape(), Init::Constant(-0.3)).exp(),
            (kind, value) if wild && kind > -0.5 => vector(value),
            (_, value) => vector(value.abs() + 0.05),
        };
        let mut pieces = vec![(at, base + size("first".to_string()) * (z - at))];
        for k in 0..count {
            let [slope, width] = ["slope", "width"].map(|name| size(format!("{name}.{k}")));
            let bend = if k == 1 { size(format!("bend.{k}")) } else { vector(0.0) };
            let u = z - at;
            pieces.push((at + width, base + slope * u + bend * (u * u)));
            base = base + slope * width + bend * (width * width);
            if wild && k == 2 {
                base = base + size("jump".to_string());
            }
            at = at + width;
        }
        let last = base + size("last".to_string()) * (z - at);
        pieces.into_iter().rev().fold(last, |later, (at, value)| select(z.lt(at), value, later))
    }
}

impl Bijection for RandomPieces {
    fn dim(&self) -> usize {
        3
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        self.record(z)
    }
}

#[test]
fn no_piecewise_map_is_falsely_proven_one_to_one() {
    let (mut proven, mut folded) = (0, 0);
    for seed in 0..300 {
        let map = RandomPieces(seed);
        let word = words(&map).0;
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(3));
        let x = map.record(z);
        let grid: Vec<f64> = (0..8001).flat_map(|k| [-8.0 + f64::from(k) / 500.0; 3]).collect();
        let x = values(&tape, z, &[x], &grid).swap_remove(0);
        let column: Vec<f64> = x.into_iter().step_by(3).collect();
        let rises = column.windows(2).filter(|pair| pair[1] > pair[0]).count();
        let falls = column.windows(2).filter(|pair| pair[1] < pair[0]).count();
        let monotone = (rises, falls) == (8000, 0) || (rises, falls) == (0, 8000);
        assert!(monotone || word != "proven", "seed {seed}: {rises} rises and {falls} falls");
        proven += usize::from(word == "proven");
        folded += usize::from(!monotone);
    }
    println!("of 300 maps {proven} are proven one-to-one, {folded} are not");
    assert!(proven > 100 && folded > 50, "{proven} proven, {folded} folded");
}
