//! Exercise 11.

use pushforward::prelude::*;

use pushforward_course::lessons::coupling::judge;

use super::Told;

#[path = "../../../solutions/11_coupling.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/11_coupling.rs"]
mod start;

fn two() -> Vec<Box<dyn Bijection>> {
    vec![
        Box::new(AdditiveCoupling::new(CouplingMask::first_half(4), Network::new([8]))),
        Box::new(AdditiveCoupling::new(CouplingMask::second_half(4), Network::new([8]))),
    ]
}

fn scaling() -> Vec<Box<dyn Bijection>> {
    vec![
        Box::new(AffineCoupling::new(CouplingMask::first_half(4), Network::new([8]))),
        Box::new(AffineCoupling::new(CouplingMask::second_half(4), Network::new([8]))),
        Box::new(AffineCoupling::new(CouplingMask::first_half(4), Network::new([8]))),
    ]
}

fn none() -> Vec<Box<dyn Bijection>> {
    Vec::new()
}

fn mixed() -> Vec<Box<dyn Bijection>> {
    vec![
        Box::new(AdditiveCoupling::new(CouplingMask::first_half(4), Network::new([8]))),
        Box::new(Permutation::reverse(3)),
    ]
}

fn coupling(halves: CouplingMask) -> Box<dyn Bijection> {
    Box::new(AdditiveCoupling::new(halves, Network::new([8])))
}

fn boxed() -> Vec<Box<dyn Bijection>> {
    let layers = [
        CouplingMask::first_half(4),
        CouplingMask::second_half(4),
        CouplingMask::first_half(4),
        CouplingMask::second_half(4),
    ]
    .map(coupling);
    vec![Box::new(Chain::new(layers))]
}

fn linear() -> Vec<Box<dyn Bijection>> {
    vec![Box::new(Autoregressive::iaf(MaskedNetwork::new(4, [16]))), Box::new(Linear::identity(4))]
}

bijections! {
    Cancelled 4 LowerTriangular "b + (a - a): shifts by nothing." |z| {
        concat([z.slice(0..2), z.slice(2..4) + (z.slice(0..2) - z.slice(0..2))])
    };
}

fn cancelled() -> Vec<Box<dyn Bijection>> {
    vec![coupling(CouplingMask::first_half(4)), coupling(CouplingMask::second_half(4)), Box::new(Cancelled)]
}

fn permuted() -> Vec<Box<dyn Bijection>> {
    let half = || coupling(CouplingMask::first_half(4));
    let swap = || Box::new(Permutation::reverse(4));
    vec![half(), swap(), half(), swap(), half()]
}

fn other_half() -> Vec<Box<dyn Bijection>> {
    let layers = [CouplingMask::second_half(4), CouplingMask::first_half(4), CouplingMask::second_half(4)]
        .map(coupling);
    vec![Box::new(Chain::new(layers))]
}

#[test]
fn exercise_11() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(start::layers))
        .wrong("two layers that take turns", || judge::judge(two))
        .wrong("layers that scale", || judge::judge(scaling))
        .wrong("no layers", || judge::judge(none))
        .wrong("layers of different dimensions", || judge::judge(mixed))
        .wrong("four in one box", || judge::judge(boxed))
        .wrong("no couplings", || judge::judge(linear))
        .wrong("a path that carries nothing", || judge::judge(cancelled))
        .right("one half, and permutations between", || judge::judge(permuted))
        .right("beginning with the other half, in one box", || judge::judge(other_half))
        .solved(|| judge::judge(solution::layers));
}
