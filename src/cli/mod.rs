//! What `pushforward` does with its arguments.

mod book;
mod exercises;
mod find;
mod fit;
mod lessons;
mod progress;
mod table;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Write a bijection, get its density.
///
/// Without a command: the lessons, how far you are, and what to do next.
#[derive(Parser)]
#[command(
    name = "pushforward",
    version,
    after_help = "Examples:\n  pushforward                 the lessons, and what is next\n  \
                  pushforward run 7           lesson 7\n  pushforward run all         every lesson\n  \
                  pushforward check 7         is the answer to exercise 7 right?\n  \
                  pushforward hint 7          a hint, one more each time\n  \
                  pushforward reset 7         exercise 7 as it was given\n  \
                  pushforward book            the lessons as web pages, in out/book\n  \
                  pushforward fit table.csv   an exact density for a table of numbers\n\n\
                  From a clone, `pushforward` is `cargo run --release --`."
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// List the lessons, and how far you are.
    List {
        /// For machines.
        #[arg(long)]
        json: bool,
    },
    /// Run a lesson by its number or name, or `all`.
    Run {
        /// The number (7), the name (07_triangular_is_cheap), or `all`.
        lesson: String,
    },
    /// Judge the answer to an exercise: proven, or not yet and why.
    Check {
        /// The number, the name, or `all`; the next exercise unless said.
        lesson: Option<String>,
    },
    /// Show a hint for an exercise; one more at each request.
    Hint {
        /// The number or the name of its lesson; the next exercise unless said.
        lesson: Option<String>,
    },
    /// Put an exercise's file back as it was given; what is there is kept.
    Reset {
        /// The number or the name of its lesson.
        lesson: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Run every lesson and write them as a book of HTML pages.
    Book {
        /// Where to; out/book unless said.
        #[arg(default_value = "out/book")]
        folder: std::path::PathBuf,
    },
    /// Fit a flow to the columns of a CSV file: how likely are held-out rows?
    Fit(fit::Arguments),
}

pub fn main() -> ExitCode {
    match Arguments::parse().command {
        None => lessons::front_page(),
        Some(Command::List { json }) => lessons::list(json),
        Some(Command::Run { lesson }) => lessons::run(&lesson),
        Some(Command::Check { lesson }) => exercises::check(lesson.as_deref()),
        Some(Command::Hint { lesson }) => exercises::hint(lesson.as_deref()),
        Some(Command::Reset { lesson, yes }) => exercises::reset(&lesson, yes),
        Some(Command::Book { folder }) => book::write(&folder),
        Some(Command::Fit(arguments)) => match fit::run(&arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("pushforward fit: {error}");
                ExitCode::FAILURE
            }
        },
    }
}

/// Prints; a reader who closes the pipe has read enough.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Words in lines of at most 80 columns, the ones after the first indented further.
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
