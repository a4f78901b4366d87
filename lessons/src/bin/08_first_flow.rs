//! Lesson 08 as a program of its own.

fn main() -> std::process::ExitCode {
    pushforward_course::lessons::first_flow::LESSON.run()
}
