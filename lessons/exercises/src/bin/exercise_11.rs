//! Exercise 11: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../11_coupling.rs"]
mod answer;
#[path = "../../../judges/11_coupling.rs"]
mod judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(answer::layers))
}
