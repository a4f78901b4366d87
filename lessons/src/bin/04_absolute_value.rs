//! Lesson 04 as a program of its own.

fn main() -> std::process::ExitCode {
    pushforward_course::lessons::absolute_value::LESSON.run()
}
