//! Exercise 3.

use pushforward::prelude::*;

use pushforward_course::lessons::jacobian_and_volume::judge;

use super::Told;

#[path = "../../../solutions/03_jacobian_and_volume.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/03_jacobian_and_volume.rs"]
mod start;

fn transposed(z: Var<'_>) -> Var<'_> {
    stack([z.at(0) + 2.0 * z.at(1), 2.0 * z.at(0) + z.at(1)])
}

fn larger(z: Var<'_>) -> Var<'_> {
    stack([2.0 * z.at(0) - z.at(1), z.at(0) + 2.0 * z.at(1)])
}

fn curved(z: Var<'_>) -> Var<'_> {
    stack([2.0 * z.at(0) + z.at(1).powi(3), z.at(0) + 2.0 * z.at(1)])
}

fn flat(z: Var<'_>) -> Var<'_> {
    stack([2.0 * z.at(0), z.at(0)])
}

#[test]
fn exercise_03() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(start::f))
        .wrong("rows for columns", || judge::judge(transposed))
        .wrong("another area", || judge::judge(larger))
        .wrong("a curved map", || judge::judge(curved))
        .wrong("onto a line", || judge::judge(flat))
        .wrong("a curved map of area 3", || {
            judge::judge(|z| {
                let (z1, z2) = (z.at(0) + z.at(1) * (1.0 - z.at(1)), z.at(1));
                stack([2.0 * z1 + z2, z1 + 2.0 * z2])
            })
        })
        .wrong("bent far out", || judge::judge(|z| solution::f(z) + (z - 40.0).max(0.0)))
        .wrong("bent in a narrow place", || {
            judge::judge(|z| solution::f(z) + z.at(1) * (1e-5 - (z.at(0) - 0.4).abs()).max(0.0))
        })
        .right("turned over", || judge::judge(|z| stack([2.0 * z.at(0) + z.at(1), z.at(0) - z.at(1)])))
        .right("as a matrix", || judge::judge(|z| z.tape().matrix(2, 2, &[2.0, -1.0, 1.0, 1.0]).matvec(z)))
        .solved(|| judge::judge(solution::f));
}
