//! Exercise 7: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../07_triangular_is_cheap.rs"]
mod answer;
#[path = "../../../judges/07_triangular_is_cheap.rs"]
mod judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(&answer::Looking))
}
