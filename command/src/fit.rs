//! `pushforward fit`: an exact density for a table of numbers.

use std::error::Error;
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use pushforward::flow::{FittedFlow, Progress, Stop};
use pushforward::prelude::*;

/// Fit a flow to a table.
#[derive(Args)]
pub struct Arguments {
    /// A CSV file with a header line.
    file: PathBuf,
    /// The columns to use, separated by commas; defaults to all.
    #[arg(long, value_delimiter = ',')]
    columns: Vec<String>,
    /// Maximum number of passes over the training rows.
    #[arg(long, default_value_t = 60, value_parser = between::<1, 1_000_000>)]
    epochs: usize,
    /// Coupling layers; with 0 the flow is one linear layer.
    #[arg(long, default_value_t = 6, value_parser = between::<0, 1000>)]
    layers: usize,
    /// Hidden units in each of the two hidden layers of a conditioner.
    #[arg(long, default_value_t = 32, value_parser = between::<1, 16_384>)]
    hidden: usize,
    /// Seed of all random numbers.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Write ln p of every row, in the units of the file, to this CSV file.
    #[arg(long)]
    scores: Option<PathBuf>,
}

/// Parses an integer from LEAST to MOST.
fn between<const LEAST: usize, const MOST: usize>(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(number) if (LEAST..=MOST).contains(&number) => Ok(number),
        _ => Err(format!("expected an integer from {LEAST} to {MOST}")),
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let columns: Vec<&str> = arguments.columns.iter().map(String::as_str).collect();
    let table = Table::read(&arguments.file, &columns, |_| true)?;
    let d = table.width();
    if d < 2 && arguments.layers > 0 {
        return Err(
            "coupling layers need at least two columns; name more of them with --columns, or fit a linear \
                    flow to one with --layers 0"
                .into(),
        );
    }
    // Every tenth row is a test row; the fit holds out rows of its own for early stopping.
    let training = table.filter(|row| row % 10 != 9);
    let test = table.filter(|row| row % 10 == 9);
    let moments = training.moments();
    if let Some(column) = moments.1.iter().position(|deviation| *deviation == 0.0) {
        return Err(format!("column `{}` is constant: it has no density", table.columns()[column]).into());
    }
    println!("{} rows of {d} columns: {} to fit, {} to test", table.rows(), training.rows(), test.rows());

    let mut layers: Vec<Box<dyn Bijection>> = Vec::new();
    for k in 0..arguments.layers {
        let network = Network::new([arguments.hidden, arguments.hidden]);
        layers.push(Box::new(AffineCoupling::new(CouplingMask::alternating(d, k % 2 == 0), network)));
    }
    layers.push(Box::new(Linear::identity(d)));
    layers.push(Box::new(Affine::standardising(&moments)));
    let settings = FitOptions { seed: arguments.seed, epochs: arguments.epochs, ..FitOptions::default() };
    let terminal = std::io::stderr().is_terminal();
    let bar = if terminal { ProgressBar::new(arguments.epochs as u64) } else { ProgressBar::hidden() };
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} epochs, held out {msg}")?);
    let flow = Flow::new(StandardNormal::new(d), layers)?;
    let mut show = |told: Progress| {
        bar.set_position(told.epoch as u64);
        bar.set_message(format!("{:.4}", told.held_out));
    };
    let fitted = flow.fit(&training, FitOptions { progress: Some(&mut show), ..settings })?;
    bar.finish_and_clear();
    match &fitted.history().stop {
        Stop::NonFinite { epoch, row, origin } => {
            let row = row.map_or_else(String::new, |row| format!(" of row {row}"));
            let origin = origin.as_ref().map_or_else(String::new, |origin| format!(": {origin}"));
            println!(
                "stopped in epoch {epoch}: non-finite loss{row}{origin}; the best parameters so far are used"
            );
        }
        Stop::Outside { epoch, outside } => {
            println!("stopped in epoch {epoch}: {outside}; the best parameters so far are used");
        }
        Stop::Early => {
            println!("early stopping; using the parameters of epoch {}", fitted.history().best_epoch)
        }
        Stop::Epochs | Stop::NotFitted | Stop::Asked { .. } => {
            println!("using the parameters of epoch {}", fitted.history().best_epoch)
        }
    }
    // ln p of standardised columns is larger by this: the change of units.
    let units: f64 = moments.1.iter().map(|deviation| deviation.ln()).sum();
    let mean = |numbers: &[f64]| numbers.iter().sum::<f64>() / numbers.len() as f64;
    let gaussian = mean(&Gaussian::fit(&training).log_prob(&test));
    let flow = mean(&fitted.log_prob(test.values())?);
    println!("\nmean ln p of the test rows, in nats      standardised   in the file's units");
    println!("  one Gaussian, full covariance         {:>13.4} {gaussian:>21.4}", gaussian + units);
    println!("  the flow                              {:>13.4} {flow:>21.4}", flow + units);
    if let Some(path) = &arguments.scores {
        write_scores(path, &fitted, &table)?;
        println!("\nln p of all {} rows is in {}", table.rows(), path.display());
    }
    Ok(())
}

/// Writes one line for each row, in the order of the file; the file is written under another name first.
fn write_scores(path: &Path, fitted: &FittedFlow, table: &Table) -> Result<(), Box<dyn Error>> {
    let mut text = String::from("row,log_p\n");
    for (row, log_p) in fitted.log_prob(table.values())?.into_iter().enumerate() {
        text.push_str(&format!("{row},{log_p}\n"));
    }
    let partial = path.with_extension("part");
    fs::write(&partial, text).and_then(|()| fs::rename(&partial, path))?;
    Ok(())
}
