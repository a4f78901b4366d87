//! Exercise 10: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../10_invertibility_is_architecture.rs"]
mod answer;

use pushforward_course::lessons::invertibility_is_architecture::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(&answer::Wave))
}
