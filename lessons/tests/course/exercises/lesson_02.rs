//! Exercise 2.

use pushforward::prelude::*;

use pushforward_course::lessons::the_tape::judge;

use super::Told;

#[path = "../../../solutions/02_the_tape.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/02_the_tape.rs"]
mod start;

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
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(start::gradient))
        .wrong("the inside of exp is forgotten", || judge::judge(one_factor))
        .wrong("the sign of a cosine", || judge::judge(sign))
        .wrong("one number", || judge::judge(one_number))
        .wrong("an entry that is not there", || judge::judge(out_of_range))
        .wrong("another formula from 3 on", || {
            judge::judge(|z| solution::gradient(z) + (z.at(0) - 3.0).max(0.0))
        })
        .wrong("a bump about 0", || judge::judge(|z| solution::gradient(z) + (1e-3 - z.at(1).abs()).max(0.0)))
        .wrong("a narrow bump elsewhere", || {
            judge::judge(|z| solution::gradient(z) + (-(1e4 * (z.at(0) - 0.777)).powi(2)).exp())
        })
        .wrong("right for what the parameter starts with", || {
            judge::judge(|z| {
                solution::gradient(z) * z.tape().parameter("s", Shape::Scalar, Init::Constant(1.0))
            })
        })
        .right("by sinh and cosh", || {
            judge::judge(|z| {
                let (z1, z2) = (z.at(0), z.at(1));
                let power = (z1 * z2).sinh() + (z1 * z2).cosh();
                stack([power * z2 + z2.sin(), power * z1 + z1 * z2.cos()])
            })
        })
        .right("factors taken out", || {
            judge::judge(|z| {
                let (z1, z2) = (z.at(0), z.at(1));
                let power = (z1 * z2).exp();
                stack([z2 * power - (-z2).sin(), z1 * (power + (z2 + std::f64::consts::FRAC_PI_2).sin())])
            })
        })
        .solved(|| judge::judge(solution::gradient));
}
