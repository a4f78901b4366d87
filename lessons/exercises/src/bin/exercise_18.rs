//! Exercise 18: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../18_five_paradigms.rs"]
mod answer;

use pushforward_course::lessons::five_paradigms::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(answer::x))
}
