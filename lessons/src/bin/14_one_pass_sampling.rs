//! Lesson 14 as a program of its own.

fn main() -> std::process::ExitCode {
    pushforward_course::lessons::one_pass_sampling::LESSON.run()
}
