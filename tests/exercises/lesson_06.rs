//! Exercise 6.

use pushforward::prelude::*;

use super::Told;

#[path = "../../lessons/judges/06_chain_rule_of_determinants.rs"]
mod judge;
#[path = "../../lessons/solutions/06_chain_rule_of_determinants.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../lessons/starts/06_chain_rule_of_determinants.rs"]
mod start;

pub use judge::EXERCISE;

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
    Told::of(EXERCISE)
        .wrong("the starting file", || judge::judge(start::terms))
        .wrong("a slope for its logarithm", || judge::judge(slopes))
        .wrong("the last at the wrong layer", || judge::judge(third_at_y))
        .wrong("the first is forgotten", || judge::judge(one_in_all))
        .solved(|| judge::judge(solution::terms));
}
