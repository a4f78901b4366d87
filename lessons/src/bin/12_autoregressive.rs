//! Lesson 12 as a program of its own.

fn main() -> std::process::ExitCode {
    pushforward_course::lessons::autoregressive::LESSON.run()
}
