//! Exercise 5.

use pushforward::prelude::*;

use pushforward_course::lessons::two_forms::judge;

use super::Told;

#[path = "../../../solutions/05_two_forms.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/05_two_forms.rs"]
mod start;

fn of_f(x: Var<'_>) -> Var<'_> {
    2.0 * x.at(0).ln()
}

fn at_x(x: Var<'_>) -> Var<'_> {
    -2.0 * x.at(0)
}

fn half(x: Var<'_>) -> Var<'_> {
    -x.at(0).ln()
}

fn two(x: Var<'_>) -> Var<'_> {
    -x.ln()
}

#[test]
fn exercise_05() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(start::log_det_inverse))
        .wrong("the other form", || judge::judge(of_f))
        .wrong("the Jacobian of f, taken at x", || judge::judge(at_x))
        .wrong("a term is missing", || judge::judge(half))
        .wrong("two numbers", || judge::judge(two))
        .wrong("a bound far out", || judge::judge(|x| -2.0 * x.at(0).min(20.0).ln()))
        .wrong("wrong where x₂ is below 0", || judge::judge(|x| -2.0 * x.at(0).ln() + (-x.at(1)).max(0.0)))
        .wrong("wrong near 0", || judge::judge(|x| -2.0 * x.at(0).max(1e-5).ln()))
        .wrong("a variable of its own", || {
            judge::judge(|x| -2.0 * x.at(0).ln() + 0.0 * x.tape().input(Shape::Scalar))
        })
        .right("the logarithm of a square", || judge::judge(|x| -x.at(0).powi(2).ln()))
        .right("of 1/x", || judge::judge(|x| x.at(0).recip().ln() + (1.0 / x.at(0)).ln()))
        .solved(|| judge::judge(solution::log_det_inverse));
}
