//! Lesson 01 as a program of its own.

fn main() -> std::process::ExitCode {
    pushforward_course::lessons::change_of_variables::LESSON.run()
}
