//! Exercise 4: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../04_absolute_value.rs"]
mod answer;

use pushforward_course::lessons::absolute_value::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(&answer::Mirrored))
}
