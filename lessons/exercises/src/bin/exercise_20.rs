//! Exercise 20: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../20_continuous_flows.rs"]
mod answer;

use pushforward_course::lessons::continuous_flows::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(answer::velocity))
}
