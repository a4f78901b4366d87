//! Exercise 16.

use pushforward::prelude::*;

use pushforward_course::lessons::anomalies::judge;

use super::Told;

#[path = "../../../solutions/16_anomalies.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/16_anomalies.rs"]
mod start;

fn turned(log_p: Var<'_>) -> Var<'_> {
    log_p
}

/// The distance from the highest ln p, at 0.
fn from_the_top(log_p: Var<'_>) -> Var<'_> {
    (log_p + 50.0 * (2.0 * std::f64::consts::PI).ln()).abs()
}

/// H with a sign too many.
fn other_sign(log_p: Var<'_>) -> Var<'_> {
    (log_p - 141.9).abs()
}

fn same_for_all(log_p: Var<'_>) -> Var<'_> {
    0.0 * log_p
}

fn squared(log_p: Var<'_>) -> Var<'_> {
    (log_p + 141.9).powi(2)
}

#[test]
fn exercise_16() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(start::score))
        .wrong("ln p itself", || judge::judge(turned))
        .wrong("the distance from the top", || judge::judge(from_the_top))
        .wrong("the distance from H", || judge::judge(other_sign))
        .wrong("the same for all", || judge::judge(same_for_all))
        .wrong("no number for some", || judge::judge(|log_p| (log_p + 141.9).ln()))
        .wrong("right for what the parameter starts with", || {
            judge::judge(|log_p| {
                (log_p + log_p.tape().parameter("h", Shape::Scalar, Init::Constant(141.9))).abs()
            })
        })
        .wrong("rises before it falls", || judge::judge(|log_p| (log_p + 170.0).abs().min(-log_p - 100.0)))
        .right("the square of the distance", || judge::judge(squared))
        .right("what the wild and the tame are each more of", || {
            judge::judge(|log_p| (0.3 * (log_p + 141.9)).cosh().ln())
        })
        .solved(|| judge::judge(solution::score));
}
