//! Lesson 11 as a program of its own.

fn main() -> std::process::ExitCode {
    pushforward_course::lessons::coupling::LESSON.run()
}
