//! Exercise 6: the learner's answer, handed to its judge.

#[allow(clippy::all, dead_code, unused, reason = "it is not finished yet")]
#[path = "../../06_chain_rule_of_determinants.rs"]
mod answer;

use pushforward_course::lessons::chain_rule_of_determinants::judge;

fn main() -> std::process::ExitCode {
    judge::EXERCISE.check(|| judge::judge(answer::terms))
}
