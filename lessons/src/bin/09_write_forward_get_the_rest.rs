//! Lesson 09 as a program of its own.

fn main() -> std::process::ExitCode {
    pushforward_course::lessons::write_forward_get_the_rest::LESSON.run()
}
