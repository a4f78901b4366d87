//! Exercise 8.

use pushforward::prelude::*;

use pushforward_course::lessons::first_flow::judge;

use super::{Told, Undone};

#[path = "../../../solutions/08_first_flow.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/08_first_flow.rs"]
mod start;

fn none() -> Vec<Box<dyn Bijection>> {
    Vec::new()
}

fn same() -> Vec<Box<dyn Bijection>> {
    vec![
        Box::new(AffineCoupling::new(CouplingMask::first_half(2), Network::new([16]))),
        Box::new(AffineCoupling::new(CouplingMask::first_half(2), Network::new([16]))),
        Box::new(AffineCoupling::new(CouplingMask::first_half(2), Network::new([16]))),
    ]
}

fn linear() -> Vec<Box<dyn Bijection>> {
    vec![Box::new(Linear::identity(2))]
}

/// Affine layers whose hand-written inverse takes every x halfway to 0, where the density is high.
fn undone() -> Vec<Box<dyn Bijection>> {
    let mut layers = solution::layers();
    layers.push(Box::new(Undone(Affine::new([1.0, 1.0], [0.0, 0.0]))));
    layers
}

fn positive() -> Vec<Box<dyn Bijection>> {
    let mut layers = solution::layers();
    layers.push(Box::new(Elementwise::new(Transform::Exp, 2)));
    layers
}

fn three() -> Vec<Box<dyn Bijection>> {
    vec![Box::new(AffineCoupling::new(CouplingMask::first_half(3), Network::new([8])))]
}

fn permuted() -> Vec<Box<dyn Bijection>> {
    let mut layers: Vec<Box<dyn Bijection>> = Vec::new();
    for _ in 0..6 {
        layers.push(Box::new(AffineCoupling::new(CouplingMask::first_half(2), Network::new([16]))));
        layers.push(Box::new(Permutation::reverse(2)));
    }
    layers
}

fn splines() -> Vec<Box<dyn Bijection>> {
    let halves = |k: usize| {
        if k.is_multiple_of(2) { CouplingMask::first_half(2) } else { CouplingMask::second_half(2) }
    };
    let spline = || SplineTransformer::new(6, 4.0);
    (0..4)
        .map(|k| Box::new(SplineCoupling::new(halves(k), Network::new([16]), spline())) as Box<dyn Bijection>)
        .collect()
}

#[test]
fn exercise_08() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(start::layers))
        .wrong("no layers", || judge::judge(none))
        .wrong("the same half in every layer", || judge::judge(same))
        .wrong("a linear layer, which is a Gaussian again", || judge::judge(linear))
        .wrong("an inverse that is none", || judge::judge(undone))
        .wrong("a last layer that ends above 0", || judge::judge(positive))
        .wrong("layers of three variables", || judge::judge(three))
        .right("one half, and permutations between", || judge::judge(permuted))
        .right("splines", || judge::judge(splines))
        .solved(|| judge::judge(solution::layers));
}
