//! Exercise 17: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../17_inverse_problems.rs"]
mod answer;
#[path = "../../../judges/17_inverse_problems.rs"]
mod judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(&answer::Posterior))
}
