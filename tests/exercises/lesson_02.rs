//! Exercise 2.

use pushforward::prelude::*;

use super::Told;

#[path = "../../lessons/judges/02_the_tape.rs"]
mod judge;
#[path = "../../lessons/solutions/02_the_tape.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../lessons/starts/02_the_tape.rs"]
mod start;

pub use judge::EXERCISE;

fn one_factor(z: Var<'_>) -> Var<'_> {
    let (z1, z2) = (z.at(0), z.at(1));
    stack([(z1 * z2).exp() + z2.sin(), (z1 * z2).exp() * z1 + z1 * z2.cos()])
}

fn sign(z: Var<'_>) -> Var<'_> {
    let (z1, z2) = (z.at(0), z.at(1));
    stack([(z1 * z2).exp() * z2 + z2.sin(), (z1 * z2).exp() * z1 - z1 * z2.cos()])
}

fn one_number(z: Var<'_>) -> Var<'_> {
    z.at(0).exp()
}

fn out_of_range(z: Var<'_>) -> Var<'_> {
    stack([z.at(0), z.at(2)])
}

#[test]
fn exercise_02() {
    Told::of(EXERCISE)
        .wrong("the starting file", || judge::judge(start::gradient))
        .wrong("the inside of exp is forgotten", || judge::judge(one_factor))
        .wrong("the sign of a cosine", || judge::judge(sign))
        .wrong("one number", || judge::judge(one_number))
        .wrong("an entry that is not there", || judge::judge(out_of_range))
        .solved(|| judge::judge(solution::gradient));
}
