//! What a reader sees of each lesson, as a snapshot: its output when piped. Read a changed snapshot line by line.

use std::panic::AssertUnwindSafe;
use std::process::Command;
use std::sync::Mutex;

use pushforward_course::Lesson;
use pushforward_course::lessons::LESSONS;

use crate::snapshot::{snapshot, without_rounding};

/// The output of a lesson, as it is when piped.
fn output_of(lesson: &Lesson) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_pushforward"))
        .args(["run", lesson.slug])
        .env("PUSHFORWARD_MASK", "1")
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .output()
        .expect("the lesson runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("lessons print UTF-8")
}

/// A trained flow differs a little wherever `exp` does: its digits, and the rows of pictures drawn from it, are left out.
fn without_training(text: &str) -> String {
    let drawn =
        |line: &&str| !line.chars().any(|c| ('\u{2800}'..='\u{28ff}').contains(&c) || "░▒▓█│┤".contains(c));
    let masked = text.lines().filter(drawn).map(|line| {
        line.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect::<String>() + "\n"
    });
    masked.collect()
}

/// Leaves out what training decides in the sections under these headings; the others hold numbers that are the same
/// everywhere.
fn without_training_under(headings: &[&str], text: &str) -> String {
    let mut trained = false;
    let mut masked = String::new();
    for line in without_rounding(text).split_inclusive('\n') {
        if let Some(heading) = line.strip_prefix("── ") {
            trained = headings.iter().any(|trained| heading.starts_with(trained));
        }
        masked.push_str(&if trained { without_training(line) } else { line.to_string() });
    }
    masked
}

/// All lessons are run first, two at a time, and then compared in order: one that fails does not hide the others.
#[test]
fn every_lesson_says_what_its_snapshot_says() {
    let next = Mutex::new(LESSONS.iter());
    let outputs = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(lesson) = { next.lock().unwrap().next() } {
                    let output = std::panic::catch_unwind(|| output_of(lesson));
                    outputs.lock().unwrap().push((lesson.slug, (lesson, output)));
                }
            });
        }
    });
    let mut outputs = outputs.into_inner().unwrap();
    outputs.sort_by_key(|(slug, _)| *slug);
    let mut wrong = Vec::new();
    for (slug, (lesson, output)) in outputs {
        let compared = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let output = output.expect("the lesson runs");
            let wide = output.lines().find(|line| line.chars().count() > 80);
            assert_eq!(wide, None, "a line is wider than 80 columns");
            assert!(!output.contains('\u{1b}'), "colour codes in a pipe");
            snapshot(&format!("lesson_{slug}"), &without_training_under(lesson.trained, &output));
        }));
        if compared.is_err() {
            wrong.push(slug);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
