//! Exercise 11.

use pushforward::prelude::*;

use super::Told;

#[path = "../../lessons/judges/11_coupling.rs"]
mod judge;
#[path = "../../lessons/solutions/11_coupling.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../lessons/starts/11_coupling.rs"]
mod start;

pub use judge::EXERCISE;

fn two() -> Vec<Box<dyn Bijection>> {
    vec![
        Box::new(AdditiveCoupling::new(Halves::first(4), Network::new([8]))),
        Box::new(AdditiveCoupling::new(Halves::second(4), Network::new([8]))),
    ]
}

fn scaling() -> Vec<Box<dyn Bijection>> {
    vec![
        Box::new(AffineCoupling::new(Halves::first(4), Network::new([8]))),
        Box::new(AffineCoupling::new(Halves::second(4), Network::new([8]))),
        Box::new(AffineCoupling::new(Halves::first(4), Network::new([8]))),
    ]
}

fn none() -> Vec<Box<dyn Bijection>> {
    Vec::new()
}

fn mixed() -> Vec<Box<dyn Bijection>> {
    vec![
        Box::new(AdditiveCoupling::new(Halves::first(4), Network::new([8]))),
        Box::new(Permutation::reverse(3)),
    ]
}

#[test]
fn exercise_11() {
    Told::of(EXERCISE)
        .wrong("the starting file", || judge::judge(start::layers))
        .wrong("two layers that take turns", || judge::judge(two))
        .wrong("layers that scale", || judge::judge(scaling))
        .wrong("no layers", || judge::judge(none))
        .wrong("layers of different dimensions", || judge::judge(mixed))
        .solved(|| judge::judge(solution::layers));
}
