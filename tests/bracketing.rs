//! What is proven does not hang on how a formula is bracketed, or on which of two equal forms a user writes.

use pushforward::audit::Topic;
use pushforward::prelude::*;

use crate::written::{Formula, is_proven, line};

type Bounded = for<'t> fn(Weights<'t>) -> Var<'t>;

fn is_bijection(layer: &dyn Bijection) -> bool {
    let report = audit(layer).expect("a map");
    assert!(report.has_no_refutation(), "{report}");
    is_proven(&report, Topic::Injective) && report.claim(Topic::Codomain).is_none()
}

/// z, a matrix of parameters, its n = √(1 + Σw²), and a vector of parameters.
#[derive(Clone, Copy)]
struct Weights<'t> {
    z: Var<'t>,
    w: Var<'t>,
    n: Var<'t>,
    b: Var<'t>,
}

/// z + g(z) with a matrix whose norm is divided by more than it is.
struct Step(Bounded);

impl Bijection for Step {
    fn dim(&self) -> usize {
        2
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let w = z.tape().parameter("W", Shape::Matrix(2, 2), Init::Values(vec![0.5, 0.2, -0.3, 0.4]));
        let b = z.tape().parameter("b", Shape::Vector(2), Init::Constant(0.0));
        z + (self.0)(Weights { z, w, n: (1.0 + (w * w).sum()).sqrt(), b })
    }
}

#[test]
fn contractions_in_every_bracketing() {
    let ways: [(&str, Bounded); 13] = [
        ("W·(0.9/n)", |Weights { z, w, n, b }| ((w * (0.9 / n)).matvec(z) + b).tanh()),
        ("W·0.9/n", |Weights { z, w, n, b }| ((w * 0.9 / n).matvec(z) + b).tanh()),
        ("0.9·W/n", |Weights { z, w, n, b }| ((0.9 * w / n).matvec(z) + b).tanh()),
        ("0.9·(W/n)", |Weights { z, w, n, b }| ((0.9 * (w / n)).matvec(z) + b).tanh()),
        ("W/n·0.9", |Weights { z, w, n, b }| ((w / n * 0.9).matvec(z) + b).tanh()),
        ("W/(n/0.9)", |Weights { z, w, n, b }| ((w / (n / 0.9)).matvec(z) + b).tanh()),
        ("W/(n·1.2)", |Weights { z, w, n, b }| ((w / (n * 1.2)).matvec(z) + b).tanh()),
        ("W/n/1.2", |Weights { z, w, n, b }| ((w / n / 1.2).matvec(z) + b).tanh()),
        ("W/1.2/n", |Weights { z, w, n, b }| ((w / 1.2 / n).matvec(z) + b).tanh()),
        ("W·(1/n)·0.9", |Weights { z, w, n, b }| ((w * n.recip() * 0.9).matvec(z) + b).tanh()),
        ("0.9·tanh", |Weights { z, w, n, b }| 0.9 * ((w / n).matvec(z) + b).tanh()),
        ("(W·z)·0.9/n", |Weights { z, w, n, b }| (w.matvec(z) * 0.9 / n + b).tanh()),
        ("(W·(0.9·z))/n", |Weights { z, w, n, b }| (w.matvec(0.9 * z) / n + b).tanh()),
    ];
    let failed: Vec<&str> =
        ways.into_iter().filter(|(_, way)| !is_bijection(&Step(*way))).map(|(name, _)| name).collect();
    assert!(failed.is_empty(), "not proven: {failed:?}");
}

fn slope<'t>(z: Var<'t>, name: &str) -> Var<'t> {
    z.tape().parameter(name, Shape::Scalar, Init::Constant(0.0)).exp()
}

fn with_lines<'t>(z: Var<'t>, curve: impl Fn(Var<'t>, Var<'t>, Var<'t>) -> Var<'t>) -> Var<'t> {
    let z = z.at(0);
    let (d0, d1) = (slope(z, "d0"), slope(z, "d1"));
    let curve = curve(z, d0, d1);
    stack([select(z.lt(-1.0), -1.0 + d0 * (z + 1.0), select(z.lt(1.0), curve, 1.0 + d1 * (z - 1.0)))])
}

#[test]
fn a_bin_of_a_spline_in_every_form() {
    let ways: [(&str, Formula); 7] = [
        ("u = z + 1, v = 1 - z", |z| {
            with_lines(z, |z, d0, d1| {
                let (u, v) = (z + 1.0, 1.0 - z);
                let (n, m) = (u * (u + d0 * v), v * (v + d1 * u));
                -1.0 + 2.0 * n / (n + m)
            })
        }),
        ("u = (z + 1)/2, v = 1 - u", |z| {
            with_lines(z, |z, d0, d1| {
                let u = (z + 1.0) / 2.0;
                let v = 1.0 - u;
                let (n, m) = (u * (u + d0 * v), v * (v + d1 * u));
                -1.0 + 2.0 * n / (n + m)
            })
        }),
        ("u = 0.5·(z + 1), v = 0.5·(1 - z)", |z| {
            with_lines(z, |z, d0, d1| {
                let (u, v) = (0.5 * (z + 1.0), 0.5 * (1.0 - z));
                let (n, m) = (u * (u + d0 * v), v * (v + d1 * u));
                2.0 * (n / (n + m)) - 1.0
            })
        }),
        ("u = z + 1, v = 2 - u", |z| {
            with_lines(z, |z, d0, d1| {
                let u = z + 1.0;
                let v = 2.0 - u;
                let (n, m) = (u * (u + d0 * v), v * (v + d1 * u));
                2.0 * n / (n + m) - 1.0
            })
        }),
        ("1 - 2·m/(n + m)", |z| {
            with_lines(z, |z, d0, d1| {
                let (u, v) = (z + 1.0, 1.0 - z);
                let (n, m) = (u * (u + d0 * v), v * (v + d1 * u));
                1.0 - 2.0 * m / (n + m)
            })
        }),
        ("(n - m)/(n + m)", |z| {
            with_lines(z, |z, d0, d1| {
                let (u, v) = (z + 1.0, 1.0 - z);
                let (n, m) = (u * (u + d0 * v), v * (v + d1 * u));
                (n - m) / (n + m)
            })
        }),
        ("Durkan: ξ² + d0·ξ(1 - ξ) over 1 + (d0 + d1 - 2)·ξ(1 - ξ)", |z| {
            with_lines(z, |z, d0, d1| {
                let xi = (z + 1.0) / 2.0;
                let both = xi * (1.0 - xi);
                -1.0 + 2.0 * (xi * xi + d0 * both) / (1.0 + (d0 + d1 - 2.0) * both)
            })
        }),
    ];
    let failed: Vec<&str> = ways
        .into_iter()
        .filter(|(name, way)| !is_bijection(&line(name, *way)))
        .map(|(name, _)| name)
        .collect();
    assert!(failed.is_empty(), "not proven: {failed:?}");
}
