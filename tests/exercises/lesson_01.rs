//! Exercise 1.

use pushforward::prelude::*;

use super::Told;

#[path = "../../lessons/judges/01_change_of_variables.rs"]
mod judge;
#[path = "../../lessons/solutions/01_change_of_variables.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../lessons/starts/01_change_of_variables.rs"]
mod start;

pub use judge::EXERCISE;

fn squared(z: Var<'_>) -> Var<'_> {
    z.powi(2)
}

fn doubled(z: Var<'_>) -> Var<'_> {
    2.0 * z
}

fn unchanged(z: Var<'_>) -> Var<'_> {
    z + 0.0
}

fn narrow(z: Var<'_>) -> Var<'_> {
    0.5 * z.sqrt()
}

#[test]
fn exercise_01() {
    Told::of(EXERCISE)
        .wrong("the starting file", || judge::judge(start::f))
        .wrong("the way back", || judge::judge(squared))
        .wrong("a straight line", || judge::judge(doubled))
        .wrong("nothing is done", || judge::judge(unchanged))
        .wrong("only a part of (0, 1)", || judge::judge(narrow))
        .solved(|| judge::judge(solution::f));
}
