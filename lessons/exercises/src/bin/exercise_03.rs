//! Exercise 3: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../03_jacobian_and_volume.rs"]
mod answer;

use pushforward_course::lessons::jacobian_and_volume::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(answer::f))
}
