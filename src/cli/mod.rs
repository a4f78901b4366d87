//! What `pushforward` does with its arguments.

mod fit;
mod lessons;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Write a bijection, get its density.
///
/// Without a command: the list of lessons, and then the first one.
#[derive(Parser)]
#[command(
    name = "pushforward",
    version,
    after_help = "Examples:\n  pushforward                 the lessons, and the first one\n  \
                  pushforward run 7           lesson 7\n  pushforward run all         every lesson\n  \
                  pushforward fit table.csv   an exact density for a table of numbers"
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// List the lessons.
    List,
    /// Run a lesson by its number or name, or `all`.
    Run {
        /// The number (7), the name (07_triangular_is_cheap), or `all`.
        lesson: String,
    },
    /// Fit a flow to the columns of a CSV file and say how likely held-out rows are.
    Fit(fit::Arguments),
}

pub fn main() -> ExitCode {
    match Arguments::parse().command {
        None => lessons::front_page(),
        Some(Command::List) => lessons::list(),
        Some(Command::Run { lesson }) => lessons::run(&lesson),
        Some(Command::Fit(arguments)) => match fit::run(&arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("pushforward fit: {error}");
                ExitCode::FAILURE
            }
        },
    }
}
