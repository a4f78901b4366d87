//! Exercise 17: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../17_inverse_problems.rs"]
mod answer;

use pushforward_course::lessons::inverse_problems::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(&answer::Posterior))
}
