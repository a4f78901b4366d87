//! Lesson 02 as a program of its own.

fn main() -> std::process::ExitCode {
    pushforward_course::lessons::the_tape::LESSON.run()
}
