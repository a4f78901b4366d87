//! Exercise 21: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../21_splines.rs"]
mod answer;

use pushforward_course::lessons::splines::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(answer::spline))
}
