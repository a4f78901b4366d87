//! Lesson 18 as a program of its own.

fn main() -> std::process::ExitCode {
    pushforward_course::lessons::five_paradigms::LESSON.run()
}
