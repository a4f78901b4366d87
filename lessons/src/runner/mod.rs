//! The learner's loop in a terminal: lists, running a lesson, checking an answer, hints, the book.
//!
//! Each function prints and returns the exit code of its command.

mod book;
mod exercises;
mod find;
mod front;
mod judging;
mod progress;

pub use book::write as write_book;
pub use exercises::{check, hint, reset};
pub use front::{afterwards, front_page, list, run};

use std::io::Write;

/// Prints to standard output. A closed pipe is not an error.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Wraps words into lines of at most 80 columns; the lines after the first are indented further.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = vec![indent.to_string()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.trim().is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= 80 {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(format!("{indent}        {word}"));
        }
    }
    lines.join("\n") + "\n"
}
