//! Exercise 20.

use pushforward::prelude::*;

use pushforward_course::lessons::continuous_flows::judge;

use super::Told;

#[path = "../../../solutions/20_continuous_flows.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/20_continuous_flows.rs"]
mod start;

/// z is at (z₁ - t, z₂) from the middle of the cloud.
fn off<'t>(z: Var<'t>, t: Var<'t>) -> [Var<'t>; 2] {
    [z.at(0) - t, z.at(1)]
}

#[test]
fn exercise_20() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(start::velocity))
        .wrong("the cloud drifts and keeps its size", || {
            judge::judge(|z, _| stack([z.at(0) * 0.0 + 1.0, z.at(1) * 0.0]))
        })
        .wrong("it spreads about 0", || judge::judge(|z, t| z / (1.0 + t)))
        .wrong("the drift is left out", || {
            judge::judge(|z, t| {
                let [a, b] = off(z, t);
                stack([a / (1.0 + t), b / (1.0 + t)])
            })
        })
        .wrong("where a point is to be, not how fast it moves", || {
            judge::judge(|z, t| stack([t + (1.0 + t) * z.at(0), (1.0 + t) * z.at(1)]))
        })
        .wrong("it shrinks", || {
            judge::judge(|z, t| {
                let [a, b] = off(z, t);
                stack([1.0 - a / (1.0 + t), -b / (1.0 + t)])
            })
        })
        .wrong("right at t = 0 only", || judge::judge(|z, t| stack([1.0 + z.at(0) - t, z.at(1)])))
        .wrong("the variance for the deviation", || {
            judge::judge(|z, t| {
                let [a, b] = off(z, t);
                stack([1.0 + 0.5 * a / (1.0 + t), 0.5 * b / (1.0 + t)])
            })
        })
        .wrong("another field from z₁ = 9 on", || {
            judge::judge(|z, t| solution::velocity(z, t) + stack([(z.at(0) - 9.0).max(0.0), z.at(1) * 0.0]))
        })
        .wrong("it spreads to the right only", || {
            judge::judge(|z, t| stack([1.0 + 2.0 * (z.at(0) - t) / (1.0 + t), z.at(1) * 0.0]))
        })
        .wrong("it is sheared", || {
            judge::judge(|z, t| solution::velocity(z, t) + stack([3.0 * z.at(1), z.at(1) * 0.0]))
        })
        .wrong("one number", || judge::judge(|z, t| z.at(0) / (1.0 + t)))
        .wrong("it is learned", || {
            judge::judge(|z, t| {
                let w = z.tape().parameter("w", Shape::Scalar, Init::Constant(1.0));
                w * solution::velocity(z, t)
            })
        })
        .right("with a rotation about the middle, which a round cloud does not show", || {
            judge::judge(|z, t| {
                let [a, b] = off(z, t);
                solution::velocity(z, t) + stack([-3.0 * b, 3.0 * a])
            })
        })
        .right("over one denominator", || {
            judge::judge(|z, t| stack([(1.0 + z.at(0)) / (1.0 + t), z.at(1) / (1.0 + t)]))
        })
        .right("by the score", || {
            judge::judge(|z, t| {
                let [a, b] = off(z, t);
                let variance = (1.0 + t).powi(2);
                let score = [-a / variance, -b / variance];
                stack([1.0 - (1.0 + t) * score[0], -(1.0 + t) * score[1]])
            })
        })
        .solved(|| judge::judge(solution::velocity));
}
