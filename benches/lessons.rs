//! The time of every lesson, with its limit on two cores.
//!
//! `cargo bench --bench lessons`

use std::process::ExitCode;
use std::time::Instant;

use pushforward_course::lessons::LESSONS;

/// Limit of all lessons together, in seconds.
const ALL: f64 = 120.0;

fn main() -> ExitCode {
    let (mut all, mut late) = (0.0, 0);
    println!("{:<40} {:>9} {:>9}", "lesson", "seconds", "at most");
    for lesson in LESSONS {
        let start = Instant::now();
        let page = lesson.page();
        let seconds = start.elapsed().as_secs_f64();
        match page {
            Ok(page) if page.failed().is_empty() => {}
            Ok(page) => {
                eprintln!("{}: these checks do not hold: {}", lesson.slug, page.failed().join("; "));
                return ExitCode::FAILURE;
            }
            Err(error) => {
                eprintln!("{}: {error}", lesson.slug);
                return ExitCode::FAILURE;
            }
        }
        all += seconds;
        late += usize::from(seconds > lesson.seconds);
        println!("{:<40} {seconds:>9.2} {:>9.0}", lesson.slug, lesson.seconds);
    }
    println!("{:<40} {all:>9.2} {ALL:>9.0}", "all");
    println!("{late} lessons took longer than they may");
    ExitCode::SUCCESS
}
