//! Exercise 6.

use pushforward::prelude::*;

use pushforward_course::lessons::chain_rule_of_determinants::judge;

use super::Told;

#[path = "../../../solutions/06_chain_rule_of_determinants.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/06_chain_rule_of_determinants.rs"]
mod start;

fn slopes(z: Var<'_>) -> [Var<'_>; 3] {
    let y = 3.0 * z;
    [z.tape().constant(3.0).ln(), 1.0 + 3.0 * y.powi(2), (y + y.powi(3)).cosh().ln()]
}

fn third_at_y(z: Var<'_>) -> [Var<'_>; 3] {
    let y = 3.0 * z;
    [z.tape().constant(3.0).ln(), (1.0 + 3.0 * y.powi(2)).ln(), y.cosh().ln()]
}

fn one_in_all(z: Var<'_>) -> [Var<'_>; 3] {
    [z.tape().constant(1.0).ln(), (1.0 + 27.0 * z.powi(2)).ln(), z.cosh().ln()]
}

#[test]
fn exercise_06() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(start::terms))
        .wrong("a slope for its logarithm", || judge::judge(slopes))
        .wrong("the last at the wrong layer", || judge::judge(third_at_y))
        .wrong("the first is forgotten", || judge::judge(one_in_all))
        .wrong("another term from 3 on", || {
            judge::judge(|z| {
                let [a, b, c] = solution::terms(z);
                [a, b + (z - 3.0).max(0.0), c]
            })
        })
        .wrong("a bump about 0", || {
            judge::judge(|z| {
                let [a, b, c] = solution::terms(z);
                [a, b, c + (1e-4 - z.abs()).max(0.0)]
            })
        })
        .wrong("right for what the parameter starts with", || {
            judge::judge(|z| {
                let [_, b, c] = solution::terms(z);
                [z.tape().parameter("three", Shape::Scalar, Init::Constant(3.0)).ln(), b, c]
            })
        })
        .right("cosh by sinh, which overflows sooner", || {
            judge::judge(|z| {
                let [a, b, _] = solution::terms(z);
                let w = 3.0 * z + (3.0 * z).powi(3);
                [a, b, 0.5 * (1.0 + w.sinh().powi(2)).ln()]
            })
        })
        .right("ln cosh as it never overflows", || {
            judge::judge(|z| {
                let [a, b, _] = solution::terms(z);
                let w = 3.0 * z * (1.0 + 9.0 * z.powi(2));
                [a, b, w + (-2.0 * w).softplus() - 2f64.ln()]
            })
        })
        .solved(|| judge::judge(solution::terms));
}
