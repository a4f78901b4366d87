//! Exercise 5: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../05_two_forms.rs"]
mod answer;

use pushforward_course::lessons::two_forms::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(answer::log_det_inverse))
}
