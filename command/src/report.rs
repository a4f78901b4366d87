//! `pushforward report`: a page on a model and the rows of a table.

use std::error::Error;
use std::path::PathBuf;

use clap::Args;
use pushforward::report::{Report, ReportOptions};
use pushforward::table::Output;

use crate::describe::load;
use crate::progress::Stages;
use crate::sample::texts;
use crate::table::TableArguments;

/// A page on a model and the rows of a table.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    pushforward report table.model new.csv\n  \
    pushforward report table.model new.csv -o new.html --rows 5000\n  \
    pushforward report table.model new.csv --no-audit -o - > new.html\n\n\
    Make it of rows that the model was not fitted to: those that it was fitted to\n\
    look more like its samples than new rows do.")]
pub struct Arguments {
    /// A model that `pushforward fit -o` wrote.
    model: PathBuf,
    /// A table with the model's columns; `-` is standard input.
    table: PathBuf,
    /// Write the page to this file; `-` is standard output.
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    output: PathBuf,
    /// The most rows that are compared with samples; of a larger table so many are drawn.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rows: u32,
    /// Leave out what is proven of the layers, which takes long for many columns.
    #[arg(long)]
    no_audit: bool,
    /// Seed of everything that is random.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    written: TableArguments,
}

pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let model = load(&arguments.model)?;
    let output = Output::check(&arguments.output, &[arguments.table.as_path(), arguments.model.as_path()])?;
    let mut reader = arguments.written.open(&arguments.table, Some(&model))?;
    let (found, needs) = (reader.found().to_string(), model.needs());
    let others = reader.columns().iter().filter(|name| !needs.contains(name)).cloned().collect();
    reader.select(&needs)?;
    reader.read_as_text(&texts(&model))?;
    let path = reader.path().to_string();
    let block = reader.read_all()?;
    let mut stages = Stages::new();
    let mut progress = |stage: &str| stages.tell(stage);
    let options = ReportOptions {
        model: arguments.model.display().to_string(),
        table: path.clone(),
        said: found.lines().map(str::to_string).collect(),
        others,
        seed: arguments.seed,
        rows: arguments.rows as usize,
        audit: !arguments.no_audit,
        progress: Some(&mut progress),
        ..ReportOptions::default()
    };
    let report = Report::of(&model, &block, options).map_err(|error| format!("{path}: {error}"))?;
    stages.end();
    output.write(report.to_html().as_bytes())?;
    if arguments.output.as_os_str() != "-" {
        tell!("The report is in {}.", output.path());
    }
    Ok(())
}
