//! Exercise 2: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../02_the_tape.rs"]
mod answer;

use pushforward_course::lessons::the_tape::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(answer::gradient))
}
