//! Exercise 11: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../11_coupling.rs"]
mod answer;

use pushforward_course::lessons::coupling::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(answer::layers))
}
