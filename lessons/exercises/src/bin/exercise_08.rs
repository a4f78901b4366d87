//! Exercise 8: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../08_first_flow.rs"]
mod answer;

use pushforward_course::lessons::first_flow::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(answer::layers))
}
