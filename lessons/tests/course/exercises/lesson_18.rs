//! Exercise 18.

use pushforward::prelude::*;

use pushforward_course::lessons::five_paradigms::judge;

use super::Told;

#[path = "../../../solutions/18_five_paradigms.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/18_five_paradigms.rs"]
mod start;

/// ln(z/(1 - z)).
fn logit(z: Var<'_>) -> Var<'_> {
    (z / (1.0 - z)).ln()
}

/// x of two standard logistic numbers.
fn moved<'t>(x1: Var<'t>, y2: Var<'t>) -> Var<'t> {
    stack([x1, x1.powi(2) + x1.tanh().exp() * y2])
}

fn wrong_way(z: Var<'_>) -> Var<'_> {
    let y = z.sigmoid();
    moved(y.at(0), y.at(1))
}

fn normal_instead(z: Var<'_>) -> Var<'_> {
    // Nearly the quantile of a normal variable.
    let y = logit(z) / 1.702;
    moved(y.at(0), y.at(1))
}

fn independent(z: Var<'_>) -> Var<'_> {
    logit(z)
}

fn no_location(z: Var<'_>) -> Var<'_> {
    let y = logit(z);
    stack([y.at(0), y.at(0).tanh().exp() * y.at(1)])
}

fn no_scale(z: Var<'_>) -> Var<'_> {
    let y = logit(z);
    stack([y.at(0), y.at(0).powi(2) + y.at(1)])
}

fn divided(z: Var<'_>) -> Var<'_> {
    let y = logit(z);
    stack([y.at(0), y.at(0).powi(2) + y.at(1) / y.at(0).tanh().exp()])
}

fn scaled_last(z: Var<'_>) -> Var<'_> {
    let y = logit(z);
    stack([y.at(0), y.at(0).tanh().exp() * (y.at(0).powi(2) + y.at(1))])
}

fn by_tanh(z: Var<'_>) -> Var<'_> {
    let y = logit(z);
    stack([y.at(0), y.at(0).powi(2) + y.at(0).tanh() * y.at(1)])
}

fn by_u(z: Var<'_>) -> Var<'_> {
    let y = logit(z);
    stack([y.at(0), z.at(0).powi(2) + z.at(0).tanh().exp() * y.at(1)])
}

fn one_draw(z: Var<'_>) -> Var<'_> {
    let y = logit(z).at(0);
    moved(y, y)
}

fn other_order(z: Var<'_>) -> Var<'_> {
    let y = logit(z);
    moved(y.at(1), y.at(0))
}

fn cut_off(z: Var<'_>) -> Var<'_> {
    let y = logit(z.max(1e-6).min(1.0 - 1e-6));
    moved(y.at(0), y.at(1))
}

fn far_scale(z: Var<'_>) -> Var<'_> {
    let y = logit(z);
    let x1 = y.at(0);
    stack([x1, x1.powi(2) + x1.tanh().exp() * y.at(1) + (x1 - 12.0).max(0.0)])
}

fn no_number(z: Var<'_>) -> Var<'_> {
    let y = (z / (z - 1.0)).ln();
    moved(y.at(0), y.at(1))
}

fn second_no_number(z: Var<'_>) -> Var<'_> {
    moved(logit(z).at(0), (z / (z - 1.0)).ln().at(1))
}

fn falling(z: Var<'_>) -> Var<'_> {
    let y = (1.0 / z - 1.0).ln();
    moved(y.at(0), y.at(1))
}

fn one_falls(z: Var<'_>) -> Var<'_> {
    let (z1, z2) = (z.at(0), z.at(1));
    moved(z1.ln() - (1.0 - z1).ln(), -logit(z2))
}

#[test]
fn exercise_18() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(start::x))
        .wrong("σ for its inverse", || judge::judge(wrong_way))
        .wrong("another scale", || judge::judge(normal_instead))
        .wrong("x₂ whatever x₁ is", || judge::judge(independent))
        .wrong("without the location", || judge::judge(no_location))
        .wrong("without the scale", || judge::judge(no_scale))
        .wrong("divided by the scale", || judge::judge(divided))
        .wrong("the location scaled as well", || judge::judge(scaled_last))
        .wrong("tanh for its exponential", || judge::judge(by_tanh))
        .wrong("z₁ in the place of x₁", || judge::judge(by_u))
        .wrong("z₁ twice", || judge::judge(one_draw))
        .wrong("z₂ for x₁", || judge::judge(other_order))
        .wrong("tails cut off", || judge::judge(cut_off))
        .wrong("another x₂ from x₁ = 12 on", || judge::judge(far_scale))
        .wrong("ln of numbers below 0", || judge::judge(no_number))
        .wrong("ln of numbers below 0 in x₂", || judge::judge(second_no_number))
        .right("falling in both", || judge::judge(falling))
        .right("a difference of logarithms, and x₂ falling", || judge::judge(one_falls))
        .solved(|| judge::judge(solution::x));
}
