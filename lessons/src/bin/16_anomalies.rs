//! Lesson 16 as a program of its own.

fn main() -> std::process::ExitCode {
    pushforward_course::lessons::anomalies::LESSON.run()
}
