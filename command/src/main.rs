//! The command `pushforward`: arguments in, text out.
//!
//! The lessons are run by [`pushforward_course::runner`]; audits, certificates and fits are calls of the library.

/// Prints a line, as [`say`] does.
macro_rules! tell {
    ($($text:tt)*) => {
        crate::say(&format!("{}\n", format_args!($($text)*)))
    };
}

mod audit;
mod catalogue;
mod compare;
mod describe;
mod export;
mod fit;
mod imported;
mod progress;
mod report;
mod sample;
mod score;
mod table;
mod verify;

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::{Parser, Subcommand};
use pushforward::table::OutputError;
use pushforward_course::runner;

/// Write a bijection, get its density.
///
/// Without a command: the lessons, your progress, and the next step.
#[derive(Parser)]
#[command(
    name = "pushforward",
    version,
    max_term_width = 80,
    after_help = "Examples, from a clone:\n  \
                  cargo run --release                       the lessons, and the next step\n  \
                  cargo run --release -- run 7              lesson 7\n  \
                  cargo run --release -- run all            every lesson\n  \
                  cargo run --release -- check 7            check the answer of exercise 7\n  \
                  cargo run --release -- hint 7             a hint, one more each time\n  \
                  cargo run --release -- reset 7            exercise 7 in its initial version\n  \
                  cargo run --release -- book               web pages, in out/book\n  \
                  cargo run --release -- fit table.csv -o table.model   a density, kept\n  \
                  cargo run --release -- score table.model new.csv      ln p of new rows\n  \
                  cargo run --release -- audit forward.onnx             a PyTorch flow"
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// List the lessons and your progress.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Run a lesson by its number or name, or `all`.
    Run {
        /// The number (7), the name (07_triangular_is_cheap), or `all`.
        lesson: String,
    },
    /// Check an answer: by proof where possible, otherwise at points.
    Check {
        /// The number, the name, or `all`; defaults to the next exercise.
        lesson: Option<String>,
    },
    /// Show a hint for an exercise; one more each time.
    Hint {
        /// The number or the name of its lesson; defaults to the next exercise.
        lesson: Option<String>,
    },
    /// Reset an exercise's file to its initial version; a backup is kept.
    Reset {
        /// The number or the name of its lesson.
        lesson: String,
        /// Do not ask for confirmation.
        #[arg(long)]
        yes: bool,
    },
    /// Run every lesson and write them as a book of HTML pages.
    Book {
        /// Output folder; defaults to out/book.
        #[arg(default_value = "out/book")]
        folder: std::path::PathBuf,
    },
    /// What you can do after the lessons.
    Afterwards,
    /// Every layer of the library: what is proven and derived of it.
    Catalogue(catalogue::Arguments),
    /// Audit a layer, model or ONNX file: what is proven or refuted.
    Audit(audit::Arguments),
    /// Check certificates with a second program.
    Verify(verify::Arguments),
    /// Fit a density to a table, and keep it.
    Fit(fit::Arguments),
    /// ln p of each row of a table.
    Score(score::Arguments),
    /// New rows from a model.
    Sample(sample::Arguments),
    /// Compare densities of a table by cross-validation.
    Compare(compare::Arguments),
    /// A page on a model and the rows of a table.
    Report(report::Arguments),
    /// A model as a file of another format: ONNX.
    Export(export::Arguments),
    /// Parameters that a JAX module saved, as a model.
    Import(export::ImportArguments),
    /// What a model is: columns, flows, how it was fitted.
    Describe(describe::Arguments),
    /// Formulas of a layer, model or ONNX file: J, ln|det J|, inverse.
    Derive(describe::DeriveArguments),
}

fn main() -> ExitCode {
    let code = run();
    // What was printed may still be in a buffer.
    noticed(std::io::stdout().flush());
    match FAILED.get() {
        Some(problem) => {
            eprintln!("pushforward: standard output cannot be written: {problem}");
            ExitCode::FAILURE
        }
        None => code,
    }
}

fn run() -> ExitCode {
    match Arguments::parse().command {
        None => runner::front_page(),
        Some(Command::List { json }) => runner::list(json),
        Some(Command::Run { lesson }) => runner::run(&lesson),
        Some(Command::Check { lesson }) => runner::check(lesson.as_deref()),
        Some(Command::Hint { lesson }) => runner::hint(lesson.as_deref()),
        Some(Command::Reset { lesson, yes }) => runner::reset(&lesson, yes),
        Some(Command::Book { folder }) => runner::write_book(&folder),
        Some(Command::Afterwards) => runner::afterwards(),
        Some(Command::Catalogue(arguments)) => end("catalogue", catalogue::run(&arguments)),
        Some(Command::Audit(arguments)) => audit::run(&arguments),
        Some(Command::Verify(arguments)) => verify::run(&arguments),
        Some(Command::Fit(arguments)) => end("fit", fit::run(&arguments)),
        Some(Command::Score(arguments)) => end("score", score::run(&arguments)),
        Some(Command::Sample(arguments)) => end("sample", sample::run(&arguments)),
        Some(Command::Compare(arguments)) => end("compare", compare::run(&arguments)),
        Some(Command::Report(arguments)) => end("report", report::run(&arguments)),
        Some(Command::Export(arguments)) => end("export", export::run(&arguments)),
        Some(Command::Import(arguments)) => end("import", export::import(&arguments)),
        Some(Command::Describe(arguments)) => end("describe", describe::run(&arguments)),
        Some(Command::Derive(arguments)) => end("derive", describe::derive(&arguments)),
    }
}

/// The exit code of a command; a reader of a pipe that is gone is no error.
fn end(command: &str, result: Result<(), Box<dyn Error>>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    if error.downcast_ref::<OutputError>().is_some_and(OutputError::is_broken_pipe) {
        return ExitCode::SUCCESS;
    }
    eprintln!("pushforward {command}: {error}");
    ExitCode::FAILURE
}

/// Prints. A closed pipe is no error, as after `| head`; of any other the program fails in the end, so that what is
/// written to files is written.
fn say(text: &str) {
    noticed(std::io::stdout().write_all(text.as_bytes()));
}

/// Why standard output could not be written.
static FAILED: OnceLock<String> = OnceLock::new();

fn noticed(written: std::io::Result<()>) {
    if let Err(error) = written
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        let _ = FAILED.set(error.to_string());
    }
}
