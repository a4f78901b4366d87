//! Lesson 07 as a program of its own.

fn main() -> std::process::ExitCode {
    pushforward_course::lessons::triangular_is_cheap::LESSON.run()
}
