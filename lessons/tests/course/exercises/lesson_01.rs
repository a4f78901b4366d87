//! Exercise 1.

use pushforward::prelude::*;

use pushforward_course::lessons::change_of_variables::judge;

use super::Told;

#[path = "../../../solutions/01_change_of_variables.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/01_change_of_variables.rs"]
mod start;

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
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(start::f))
        .wrong("the way back", || judge::judge(squared))
        .wrong("a straight line", || judge::judge(doubled))
        .wrong("nothing is done", || judge::judge(unchanged))
        .wrong("only a part of (0, 1)", || judge::judge(narrow))
        .wrong("the right slope, and two z for one x", || judge::judge(|z| ((z - 0.5).abs() + 0.25).sqrt()))
        .wrong("right for what the parameter starts with", || {
            judge::judge(|z| z.pow(z.tape().parameter("p", Shape::Scalar, Init::Constant(0.5))))
        })
        .wrong("flat in a narrow place", || judge::judge(|z| z.sqrt().min(0.99999)))
        .wrong("with an end in the middle", || {
            judge::judge(|z| select(z.lt(0.3), z.sqrt(), (z - 0.1).sqrt()))
        })
        .right("in two pieces that change places", || {
            judge::judge(|z| select(z.lt(0.5), (z + 0.5).sqrt(), (z - 0.5).sqrt()))
        })
        .right("from 1 down to 0", || judge::judge(|z| (1.0 - z).sqrt()))
        .right("by the logarithm", || judge::judge(|z| (0.5 * z.ln()).exp()))
        .solved(|| judge::judge(solution::f));
}
