//! Exercise 22: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../22_linear_layers.rs"]
mod answer;

use pushforward_course::lessons::linear_layers::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(&answer::Mix))
}
