//! Exercise 19.

use pushforward::prelude::*;

use pushforward_course::lessons::reparameterisation::judge;

use super::Told;

#[path = "../../../solutions/19_reparameterisation.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/19_reparameterisation.rs"]
mod start;

#[test]
fn exercise_19() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(start::f))
        .wrong("the way back", || judge::judge(|noise| 1.0 - (-3.0 * noise).exp()))
        .wrong("the formula of the density", || judge::judge(|noise| 3.0 * (-3.0 * noise).exp()))
        .wrong("the sign is left out", || judge::judge(|noise| noise.ln() / 3.0))
        .wrong("the rate as a factor", || judge::judge(|noise| -3.0 * noise.ln()))
        .wrong("the rate is left out", || judge::judge(|noise| -(1.0 - noise).ln()))
        .wrong("another density on (0, ∞)", || judge::judge(|noise| noise / (1.0 - noise)))
        .wrong("it goes to ∞ and does not begin at 0", || judge::judge(|noise| -(0.5 * noise).ln() / 3.0))
        .wrong("a shift in place of the factor", || judge::judge(|noise| -noise.ln() - 3.0))
        .wrong("the right slope, and below 0", || judge::judge(|noise| -(2.0 - noise).ln() / 3.0))
        .wrong("the right slope, and two ε for one z", || {
            judge::judge(|noise| -((noise - 0.5).abs() + 0.25).ln() / 3.0)
        })
        .wrong("the right slope, and nothing for large z", || {
            judge::judge(|noise| select(noise.lt(0.5), -(1.0 - noise).ln() / 3.0, -noise.ln() / 3.0))
        })
        .wrong("no draw is larger than 2", || judge::judge(|noise| (-noise.ln() / 3.0).min(2.0)))
        .wrong("right for what the parameter starts with", || {
            judge::judge(|noise| {
                -noise.ln() / noise.tape().parameter("rate", Shape::Vector(1), Init::Constant(3.0))
            })
        })
        .right("from ∞ down to 0", || judge::judge(|noise| -noise.ln() / 3.0))
        .right("by ln(1 + a), exact near 0", || judge::judge(|noise| -(-noise).ln_1p() / 3.0))
        .right("by a power", || judge::judge(|noise| -noise.pow(1.0 / 3.0).ln()))
        .right("in two pieces that change places", || {
            judge::judge(|noise| select(noise.lt(0.5), -(noise + 0.5).ln() / 3.0, -(noise - 0.5).ln() / 3.0))
        })
        .solved(|| judge::judge(solution::f));
}
