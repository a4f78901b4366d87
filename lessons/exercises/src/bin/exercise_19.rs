//! Exercise 19: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../19_reparameterisation.rs"]
mod answer;

use pushforward_course::lessons::reparameterisation::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(answer::f))
}
