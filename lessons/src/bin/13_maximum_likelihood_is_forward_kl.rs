//! Lesson 13 as a program of its own.

fn main() -> std::process::ExitCode {
    pushforward_course::lessons::maximum_likelihood_is_forward_kl::LESSON.run()
}
