//! Lesson 15 as a program of its own.

fn main() -> std::process::ExitCode {
    pushforward_course::lessons::simple_bases::LESSON.run()
}
