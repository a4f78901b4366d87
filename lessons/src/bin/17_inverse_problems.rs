//! Lesson 17 as a program of its own.

fn main() -> std::process::ExitCode {
    pushforward_course::lessons::inverse_problems::LESSON.run()
}
