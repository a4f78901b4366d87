//! Lesson 03 as a program of its own.

fn main() -> std::process::ExitCode {
    pushforward_course::lessons::jacobian_and_volume::LESSON.run()
}
