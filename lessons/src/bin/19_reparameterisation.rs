//! Lesson 19 as a program of its own.

fn main() -> std::process::ExitCode {
    pushforward_course::lessons::reparameterisation::LESSON.run()
}
