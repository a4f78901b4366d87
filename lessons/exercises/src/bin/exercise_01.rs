//! Exercise 1: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../01_change_of_variables.rs"]
mod answer;

use pushforward_course::lessons::change_of_variables::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(answer::f))
}
