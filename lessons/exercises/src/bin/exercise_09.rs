//! Exercise 9: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../09_write_forward_get_the_rest.rs"]
mod answer;

use pushforward_course::lessons::write_forward_get_the_rest::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(&answer::Wanted))
}
