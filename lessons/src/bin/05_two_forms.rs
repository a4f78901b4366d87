//! Lesson 05 as a program of its own.

fn main() -> std::process::ExitCode {
    pushforward_course::lessons::two_forms::LESSON.run()
}
