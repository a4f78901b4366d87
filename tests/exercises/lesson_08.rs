//! Exercise 8.

use pushforward::prelude::*;

use super::Told;

#[path = "../../lessons/judges/08_first_flow.rs"]
mod judge;
#[path = "../../lessons/solutions/08_first_flow.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../lessons/starts/08_first_flow.rs"]
mod start;

pub use judge::EXERCISE;

fn none() -> Vec<Box<dyn Bijection>> {
    Vec::new()
}

fn same() -> Vec<Box<dyn Bijection>> {
    vec![
        Box::new(AffineCoupling::new(Halves::first(2), Network::new([16]))),
        Box::new(AffineCoupling::new(Halves::first(2), Network::new([16]))),
        Box::new(AffineCoupling::new(Halves::first(2), Network::new([16]))),
    ]
}

fn linear() -> Vec<Box<dyn Bijection>> {
    vec![Box::new(Linear::identity(2))]
}

#[test]
fn exercise_08() {
    Told::of(EXERCISE)
        .wrong("the starting file", || judge::judge(start::layers))
        .wrong("no layers", || judge::judge(none))
        .wrong("the same half in every layer", || judge::judge(same))
        .wrong("a linear layer, which is a Gaussian again", || judge::judge(linear))
        .solved(|| judge::judge(solution::layers));
}
