//! Lesson 06 as a program of its own.

fn main() -> std::process::ExitCode {
    pushforward_course::lessons::chain_rule_of_determinants::LESSON.run()
}
