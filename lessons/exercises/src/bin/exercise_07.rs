//! Exercise 7: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../07_triangular_is_cheap.rs"]
mod answer;

use pushforward_course::lessons::triangular_is_cheap::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(&answer::Looking))
}
