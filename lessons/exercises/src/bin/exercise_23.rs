//! Exercise 23: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../23_residual_flows.rs"]
mod answer;

use pushforward_course::lessons::residual_flows::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(&answer::Step))
}
