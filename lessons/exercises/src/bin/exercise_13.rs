//! Exercise 13: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../13_maximum_likelihood_is_forward_kl.rs"]
mod answer;

use pushforward_course::lessons::maximum_likelihood_is_forward_kl::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(answer::forward_kl))
}
