//! Lesson 10 as a program of its own.

fn main() -> std::process::ExitCode {
    pushforward_course::lessons::invertibility_is_architecture::LESSON.run()
}
