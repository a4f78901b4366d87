//! The command line: the front page, the lessons, and a flow for a table of numbers.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
