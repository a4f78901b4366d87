//! Exercise 12.

use super::Told;

#[path = "../../lessons/judges/12_autoregressive.rs"]
mod judge;
#[path = "../../lessons/solutions/12_autoregressive.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../lessons/starts/12_autoregressive.rs"]
mod start;

pub use judge::EXERCISE;

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

#[test]
fn exercise_12() {
    Told::of(EXERCISE)
        .wrong("the starting file", || judge::judge(start::masks))
        .wrong("an output sees its own input", || judge::judge(own))
        .wrong("both are strict", || judge::judge(strict))
        .wrong("other numbers", || judge::judge(halves))
        .solved(|| judge::judge(solution::masks));
}
