//! Exercise 24: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../24_your_own_flow.rs"]
mod answer;

use pushforward_course::lessons::your_own_flow::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(answer::own))
}
