//! Exercise 12: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../12_autoregressive.rs"]
mod answer;

use pushforward_course::lessons::autoregressive::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(answer::masks))
}
