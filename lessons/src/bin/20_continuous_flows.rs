//! Lesson 20 as a program of its own.

fn main() -> std::process::ExitCode {
    pushforward_course::lessons::continuous_flows::LESSON.run()
}
