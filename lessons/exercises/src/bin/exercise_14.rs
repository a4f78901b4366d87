//! Exercise 14: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../14_one_pass_sampling.rs"]
mod answer;

use pushforward_course::lessons::one_pass_sampling::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(&answer::Walk))
}
