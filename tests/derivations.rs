//! The log-determinants that must come out of `forward` alone, beside what the books write by hand, and the
//! documents that derive them.

use pushforward::audit::Topic;
use pushforward::bijection::{derived_inverse, push_forward};
use pushforward::layers::plu;
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::tape::Cut;

macro_rules! snapshot {
    ($name:expr, $text:expr) => {{
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!($name, $text));
    }};
}

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

/// Each layer, its log-determinant by hand, and how many more nodes the derived one may have.
fn table() -> Vec<(Box<dyn Bijection>, Formula, f64)> {
    let net = || Network::new([8]);
    vec![
        (
            boxed(Affine::identity(4)),
            |z| z.tape().parameter("scale", Shape::Vector(4), Init::Values(vec![1.0; 4])).abs().ln().sum(),
            1.1,
        ),
        (boxed(AdditiveCoupling::new(Halves::first(4), net())), |z| z.tape().constant(0.0), 1.1),
        (
            boxed(AffineCoupling::new(Halves::alternating(4, true), net())),
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
            // ln|u_ii| is l_i whatever the signs are; the bias has no share, its scale is 1.
            |z| {
                let l = z.tape().parameter("layers.0.log_diagonal", Shape::Vector(3), Init::Constant(0.0));
                let scale = Init::Values(vec![1.0; 3]);
                let scale = z.tape().parameter("layers.3.scale", Shape::Vector(3), scale);
                l.sum() + 0.0 + 0.0 + scale.abs().ln().sum()
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
    for (bijection, by_hand, allowed) in table() {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(bijection.dim()));
        let pushed = push_forward(&bijection, z).unwrap();
        let hand = by_hand(z);
        tape.check().unwrap();
        let nodes = |of: Var<'_>| Cut::new(&tape, &[z.id()], &[of.id()]).nodes().len();
        let (derived, written) = (nodes(pushed.log_det), nodes(hand));
        println!("{:<22} {derived:>8} {written:>8}", bijection.name());
        assert!(
            derived as f64 <= allowed * written as f64,
            "{}: {derived} against {written}",
            bijection.name()
        );
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
}

#[test]
fn derivations_are_pinned() {
    for (bijection, _, _) in table() {
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
        snapshot!(format!("derivation_{}", bijection.name().to_lowercase()), masked);
    }
}

#[test]
fn a_derived_inverse_says_what_stands_in_its_way() {
    let error = |forward: Formula| {
        let bijection = layer("Odd", 2, Structure::LowerTriangular, forward);
        let tape = Tape::new();
        let x = tape.input(Shape::Vector(2));
        derived_inverse(&bijection, x).unwrap_err().to_string()
    };
    assert!(error(|z| z * z.sigmoid()).contains("uses its variable on both sides of mul"));
    assert!(error(|z| z.powi(2)).contains("even power"));
    assert!(error(|z| z.sin()).contains("periodic"));
    let text = error(|z| z * z.sigmoid());
    assert!(text.contains("tests/derivations.rs:") && text.contains("write `fn inverse`"), "{text}");
}

#[test]
fn a_masked_autoregressive_layer_is_inverted_in_order() {
    let (bijection, ..) = table().swap_remove(3);
    let report = audit(&bijection).unwrap();
    assert!(report.stands(), "{report}");
    for topic in [Topic::Inverse, Topic::Injective] {
        let word = report.claim(topic).unwrap().evidence.word();
        assert_eq!(word, "proven", "{report}");
    }
}
