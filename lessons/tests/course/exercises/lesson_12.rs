//! Exercise 12.

use pushforward_course::lessons::autoregressive::judge;

use super::Told;

#[path = "../../../solutions/12_autoregressive.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/12_autoregressive.rs"]
mod start;

fn own() -> judge::Masks {
    let hidden = [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 0.0]];
    (hidden, [[1.0, 1.0, 0.0, 0.0], [1.0; 4], [1.0; 4]])
}

fn strict() -> judge::Masks {
    let hidden = [[0.0; 3], [0.0; 3], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]];
    (hidden, [[0.0; 4], [1.0, 1.0, 0.0, 0.0], [1.0; 4]])
}

fn halves() -> judge::Masks {
    ([[0.5; 3]; 4], [[0.0; 4]; 3])
}

const OUTPUTS: [[f64; 4]; 3] = [[0.0; 4], [1.0, 1.0, 0.0, 0.0], [1.0; 4]];
/// Unit 2, of degree 1, sees input 2.
const DEGREE_IGNORED: [[f64; 3]; 4] = [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 0.0]];
/// Unit 3, of degree 2, sees nothing.
const BLIND: [[f64; 3]; 4] = [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0; 3], [1.0, 1.0, 0.0]];

#[test]
fn exercise_12() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(start::masks))
        .wrong("an output sees its own input", || judge::judge(own))
        .wrong("both are strict", || judge::judge(strict))
        .wrong("other numbers", || judge::judge(halves))
        .wrong("a unit of degree 1 sees input 2", || {
            // Only output 3 reads that unit, so that nothing is seen that must not be.
            judge::judge(|| (DEGREE_IGNORED, [[0.0; 4], [1.0, 0.0, 0.0, 0.0], [1.0; 4]]))
        })
        .wrong("an output reads a unit of its own degree", || {
            judge::judge(|| (BLIND, [[0.0; 4], [1.0, 1.0, 1.0, 0.0], [1.0; 4]]))
        })
        .wrong("nothing is seen", || judge::judge(|| ([[0.0; 3]; 4], [[0.0; 4]; 3])))
        .right("each unit sees one input", || {
            judge::judge(|| {
                let (first, second) = ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]);
                ([first, first, second, second], OUTPUTS)
            })
        })
        .right("half of the units are not needed", || {
            judge::judge(|| {
                let (first, both, none) = ([1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0; 3]);
                ([first, none, both, none], [[0.0; 4], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
            })
        })
        .solved(|| judge::judge(solution::masks));
}
