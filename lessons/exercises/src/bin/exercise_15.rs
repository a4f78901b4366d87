//! Exercise 15: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../15_simple_bases.rs"]
mod answer;

use pushforward_course::lessons::simple_bases::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(&answer::Heavy))
}
