//! `pushforward compare`: densities of a table, compared by cross-validation.

use std::error::Error;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;
use pushforward::model::{Choice, CompareOptions, Compared, Comparing, Comparison, NETWORK_ROWS};
use pushforward::table::{ColumnLook, Treatment};

use crate::fit::duration;
use crate::progress::Shown;
use crate::table::{Densities, Fitted, Seen, stopping};

/// Compare densities of a table by cross-validation.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    pushforward compare table.csv\n  \
    pushforward compare table.csv --models gaussian,mixture --folds 10\n  \
    pushforward compare survey.csv --weights w\n  \
    pushforward compare table.csv --given city --kind city=category --time 5m\n\n\
    Each density is fitted once for each fold, to the rows of the others, so that\n\
    it may take models × folds × time.")]
pub struct Arguments {
    #[command(flatten)]
    fitted: Fitted,
    /// The densities to compare; all by default that can be conditioned on what is given.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "MODEL,…")]
    models: Vec<Densities>,
    /// The number of folds: parts of the rows that are left out of a fit and scored by it.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(2..=1000))]
    folds: u16,
    /// About how long each fit may take: 30s, 5m, 1h. Short times mean fewer epochs.
    #[arg(long, default_value = "60s", value_parser = duration)]
    time: Duration,
    /// Seed of the folds and of the fits.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let seen = arguments.fitted.read(None)?;
    let weights = seen.weights_of(&seen.block)?;
    let Seen { block, look, given, said, .. } = seen;
    let mut choices: Vec<Choice> = Vec::new();
    let mut skipped = None;
    for model in &arguments.models {
        if choices.contains(&model.choice()) {
            return Err(format!("--models names {} twice", model.choice()).into());
        }
        choices.push(model.choice());
    }
    if choices.is_empty() {
        choices = CompareOptions::default().choices;
        // Gaussians and their mixtures are not conditioned on columns or categories.
        let is_part =
            |column: &ColumnLook| column.treatment == Treatment::Levels && !given.contains(&column.name);
        if !given.is_empty() || look.columns.iter().any(is_part) {
            let (kept, left): (Vec<Choice>, Vec<Choice>) =
                choices.into_iter().partition(|choice| choice.takes_given_columns());
            choices = kept;
            let names: Vec<String> = left.iter().map(ToString::to_string).collect();
            skipped = Some(format!(
                "Not compared: {}; they are not conditioned on columns or\ncategories.",
                names.join(" and ")
            ));
        }
    }
    if !arguments.json {
        said.iter().for_each(|line| tell!("{line}"));
        tell!("{look}");
        skipped.iter().for_each(|line| tell!("{line}"));
        // A tenth of the rows of a fit is held out.
        let fitted =
            block.rows() * (usize::from(arguments.folds) - 1) * 9 / usize::from(arguments.folds) / 10;
        let is_small = given.is_empty() && skipped.is_none() && fitted < NETWORK_ROWS;
        if choices.contains(&Choice::Auto) && is_small {
            tell!("Fits to about {fitted} rows: auto tries no networks below {NETWORK_ROWS} rows.");
        }
    }
    let stop = stopping()?;
    let mut shown = Shown::new();
    let mut progress = |at: Comparing<'_>| {
        let what = format!("{} of {}: {}, {}", at.done + 1, at.fits, at.choice, at.trying.candidate);
        shown.tell(&what, at.trying.progress);
    };
    let options = CompareOptions {
        given,
        choices,
        folds: usize::from(arguments.folds),
        time: arguments.time,
        seed: arguments.seed,
        weights: weights.as_deref(),
        progress: Some(&mut progress),
        stop: Some(&|| stop.load(Ordering::SeqCst)),
    };
    let comparison = Comparison::of(&block, &look, options)?;
    shown.end();
    match arguments.json {
        true => tell!("{}", serde_json::json!({ "look": look, "comparison": comparison })),
        false => print(&comparison, usize::from(arguments.folds), weights.is_some()),
    }
    Ok(())
}

fn print(comparison: &Comparison, folds: usize, weighted: bool) {
    let Comparison { rows, impossible, densities, best, .. } = comparison;
    let mean = if weighted { "Weighted mean" } else { "Mean" };
    tell!(
        "\n{mean} ln p, in nats, of {rows} rows, each by a fit to the other {} of {folds} folds:",
        folds - 1
    );
    tell!("  {:<16} {:>10} {:>7}   {:>12} {:>7} {:>8}", "", "ln p", "±", "to the best", "±", "a fit");
    for (k, density) in densities.iter().enumerate() {
        let Compared { choice, mean, error, difference, difference_error, seconds, impossible } = density;
        let name = choice.to_string();
        let (difference, difference_error) = match k == *best {
            true => ("the best".to_string(), String::new()),
            false => (format!("{difference:.3}"), format!("{difference_error:.3}")),
        };
        let seconds = if *seconds < 10.0 { format!("{seconds:.1}s") } else { format!("{seconds:.0}s") };
        tell!("  {name:<16} {mean:>10.3} {error:>7.3}   {difference:>12} {difference_error:>7} {seconds:>8}");
        if *impossible > 0 {
            tell!("  {:<16} gives {impossible} rows no probability", "");
        }
    }
    if comparison.folds < folds {
        tell!("It was stopped: only the {} completed folds are compared.", comparison.folds);
    }
    if *impossible > 0 {
        tell!("{impossible} rows to which one of them gives no probability are in no mean.");
    }
    let near = densities
        .iter()
        .enumerate()
        .filter(|(k, density)| *k != *best && density.difference.abs() <= 2.0 * density.difference_error);
    let near: Vec<String> = near.map(|(_, density)| density.choice.to_string()).collect();
    if !near.is_empty() {
        tell!("Within two standard errors of the best: {}.", near.join(", "));
    }
    tell!("Fit it to all rows: pushforward fit TABLE --model {} -o MODEL", densities[*best].choice);
}
