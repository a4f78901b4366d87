//! Exercise 16: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../16_anomalies.rs"]
mod answer;

use pushforward_course::lessons::anomalies::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(answer::score))
}
