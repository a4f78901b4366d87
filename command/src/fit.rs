//! `pushforward fit`: a density for a table, kept in a model file.

use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;
use pushforward::model::{
    Choice, FitRecord, Model, ModelOptions, NETWORK_ROWS, Recipe, Trying, weighted_mean_and_error,
};
use pushforward::table::{Block, Cells, Look, Output};

use crate::describe::load;
use crate::progress::Shown;
use crate::table::{Densities, Fitted, stopping};

/// Fit a density to a table.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    pushforward fit table.csv -o table.model\n  \
    pushforward fit table.csv --columns a,b --given c --kind c=circular:360 -o c.model\n  \
    pushforward fit visits.csv --groups patient --weights w --test later.csv\n  \
    pushforward score table.model new.csv --top 20")]
pub struct Arguments {
    #[command(flatten)]
    fitted: Fitted,
    /// Write the model to this file.
    #[arg(short, long, value_name = "MODEL")]
    output: Option<PathBuf>,
    /// Which densities are tried.
    #[arg(long, value_enum, default_value = "auto")]
    model: Densities,
    /// About how long it may take: 30s, 5m, 1h. Short times mean fewer epochs.
    #[arg(long, default_value = "60s", value_parser = duration)]
    time: Duration,
    /// Seed of everything that is random.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The share of the rows that is kept apart and only used to say how good the model is; or a table of such rows.
    #[arg(long, value_name = "SHARE|TABLE", default_value = "0.1")]
    test: Test,
    /// Fit what another model was fitted as, whatever the time: its columns, kinds, given columns and markers of missing
    /// values, and its densities. To the same rows it is the same bit for bit.
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["model", "time"])]
    like: Option<PathBuf>,
    /// Go on with the fit that was writing this model when it was ended.
    #[arg(long, value_name = "MODEL", conflicts_with = "like")]
    resume: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Reads a duration: a number and `s`, `m` or `h`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.trim_end_matches(char::is_alphabetic).len());
    let seconds = match unit {
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        other => return Err(format!("`{other}` is no unit of time; write 30s, 5m or 1h")),
    };
    let number: f64 = number.parse().map_err(|_| format!("`{number}` is no number; write 30s, 5m or 1h"))?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| "a time is 0 or more: 30s, 5m, 1h".to_string())
}

/// The rows that only say how good the model is.
#[derive(Clone)]
enum Test {
    Share(f64),
    Table(PathBuf),
}

impl std::str::FromStr for Test {
    type Err = String;

    fn from_str(text: &str) -> Result<Test, String> {
        match text.parse::<f64>() {
            Ok(share) if (0.0..=0.9).contains(&share) => Ok(Test::Share(share)),
            Ok(_) => Err("expected a share of the rows from 0 to 0.9, or a table".to_string()),
            Err(_) => Ok(Test::Table(text.into())),
        }
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let input = arguments.fitted.table.as_path();
    let like = arguments.like.as_deref().map(load).transpose()?;
    let resume = arguments.resume.as_deref().map(load).transpose()?;
    let output = arguments.output.as_ref().map(|path| Output::check(path, &[input])).transpose()?;
    let seen = arguments.fitted.read(like.as_ref())?;
    let (block, look, given) = (&seen.block, &seen.look, &seen.given);
    if !arguments.json {
        seen.said.iter().for_each(|line| tell!("{line}"));
        tell!("{look}");
    }
    // A fit that is done again or gone on with draws the same rows.
    let seed = like.as_ref().or(resume.as_ref()).map_or(arguments.seed, |model| model.fit_record().seed);
    let (training, test) = match &arguments.test {
        Test::Share(share) => split(block, look, *share, seed),
        Test::Table(path) => {
            let other = arguments.fitted.read_table(path, like.as_ref())?;
            if !arguments.json {
                other.said.iter().for_each(|line| tell!("{}: {line}", path.display()));
            }
            (block.clone(), other.block)
        }
    };
    let (training, told) = seen.filled(training, seed)?;
    if let (Some(told), false) = (told, arguments.json) {
        tell!("{told}");
    }
    let training_look = seen.look_at(&training)?;
    let (weights, test_weights) = (seen.weights_of(&training)?, seen.weights_of(&test)?);

    let stop = stopping()?;
    let mut shown = Shown::new();
    let mut progress = |trying: Trying<'_>| shown.tell(trying.candidate, trying.progress);
    // After each candidate the file has what is there so far. If it cannot be written, that is told at the end.
    let mut keep = |model: &Model| {
        if let (Some(output), Ok(bytes)) = (&output, model.to_bytes())
            && output.is_file()
        {
            let _ = output.write(&bytes);
        }
    };
    let options = ModelOptions {
        given: given.clone(),
        choice: arguments.model.choice(),
        time: arguments.time,
        seed,
        weights: weights.as_deref(),
        like: like.as_ref().map(Model::fit_record),
        reading: seen.reading.clone(),
        resume,
        checkpoint: Some(&mut keep),
        progress: Some(&mut progress),
        stop: Some(&|| stop.load(Ordering::SeqCst)),
        ..ModelOptions::default()
    };
    let model = Model::fit(&training, &training_look, options)?;
    shown.end();
    // The baseline is fitted to the same rows.
    let options = ModelOptions {
        given: given.clone(),
        choice: Choice::Gaussian,
        seed,
        weights: weights.as_deref(),
        ..ModelOptions::default()
    };
    let gaussian = match model.given().is_empty() && model.categories().is_none() {
        true => Some(Model::fit(&training, &training_look, options)?),
        false => None,
    };
    let tested = Tested::of(&model, gaussian.as_ref(), &test, test_weights.as_deref())?;
    match arguments.json {
        true => {
            tell!("{}", serde_json::json!({ "look": look, "fit": model.fit_record(), "test": tested }))
        }
        false => {
            print_candidates(model.fit_record());
            let is_small = model.fit_record().rows < NETWORK_ROWS && has_no_network(&model);
            if arguments.model.choice() == Choice::Auto && like.is_none() && is_small {
                tell!(
                    "  {} rows: networks are not tried below {NETWORK_ROWS} rows (--model coupling or\n  \
                     autoregressive tries one).",
                    model.fit_record().rows
                );
            }
            print_test(&tested);
        }
    }
    if let Some(output) = output {
        output.write(&model.to_bytes()?)?;
        if !arguments.json {
            tell!("\nThe model is in {}.", output.path());
            tell!("  pushforward score {} TABLE      ln p of each row", output.path());
            tell!("  pushforward sample {} -n 1000   new rows", output.path());
        }
    } else if !arguments.json {
        tell!("\nThe model was not kept: add -o MODEL.");
    }
    Ok(())
}

/// Whether no candidate is a network.
fn has_no_network(model: &Model) -> bool {
    let is_flow = |recipe: &Recipe| matches!(recipe, Recipe::Flow { .. });
    !model.fit_record().candidates.iter().any(|candidate| candidate.recipe.as_ref().is_some_and(is_flow))
}

/// Draws the test rows; copies of a row are on one side.
fn split(block: &Block, look: &Look, share: f64, seed: u64) -> (Block, Block) {
    let mut taken = vec![false; block.rows()];
    pushforward::model::draw_groups(&look.groups, share, seed).into_iter().for_each(|row| taken[row] = true);
    (block.filter(|row| !taken[row]), block.filter(|row| taken[row]))
}

/// How good the model is on rows that were not used to fit it.
#[derive(serde::Serialize)]
struct Tested {
    rows: usize,
    mean: f64,
    error: f64,
    /// The mean of the Gaussian, the mean difference to it, and its standard error.
    gaussian: Option<(f64, f64, f64)>,
    /// Rows that the model gives no probability, by line.
    impossible: Vec<u64>,
    /// Why, where a value of theirs is none that its column can have.
    because: Vec<String>,
}

impl Tested {
    fn of(
        model: &Model,
        gaussian: Option<&Model>,
        test: &Block,
        weights: Option<&[f64]>,
    ) -> Result<Option<Tested>, Box<dyn Error>> {
        if test.rows() == 0 {
            return Ok(None);
        }
        let scores = |model: &Model| -> Result<Vec<f64>, Box<dyn Error>> {
            let scores = model.score(test)?.into_iter();
            Ok(scores.map(|score| score.map_or(f64::NAN, |score| score.log_prob)).collect())
        };
        let own = scores(model)?;
        let impossible =
            own.iter().zip(test.lines()).filter(|(log, _)| log.is_infinite()).map(|(_, line)| *line);
        let impossible: Vec<u64> = impossible.collect();
        let finite = |row: &usize| own[*row].is_finite();
        let rows: Vec<usize> = (0..own.len()).filter(finite).collect();
        let of = |value: &dyn Fn(usize) -> f64| {
            let values: Vec<f64> = rows.iter().map(|row| value(*row)).collect();
            let weights: Option<Vec<f64>> =
                weights.map(|weights| rows.iter().map(|row| weights[*row]).collect());
            weighted_mean_and_error(&values, weights.as_deref())
        };
        let (mean, error) = of(&|row| own[row]);
        let gaussian = gaussian
            .map(|gaussian| -> Result<_, Box<dyn Error>> {
                let others = scores(gaussian)?;
                let (difference, error) = of(&|row| own[row] - others[row]);
                Ok((of(&|row| others[row]).0, difference, error))
            })
            .transpose()?;
        let because = outside(model, test)?;
        Ok(Some(Tested { rows: test.rows(), mean, error, gaussian, impossible, because }))
    }
}

fn print_candidates(fit: &FitRecord) {
    tell!(
        "\nFitted to {} rows. Mean ln p, in nats, of {} others that were held out:",
        fit.rows,
        fit.held_out
    );
    tell!("  {:<46} {:>9} {:>6} {:>5} {:>5}", "", "ln p", "±", "time", "share");
    for candidate in &fit.candidates {
        let share =
            if candidate.weight > 0.0 { format!("{:.0}%", 100.0 * candidate.weight) } else { String::new() };
        tell!(
            "  {:<46} {:>9.3} {:>6.3} {:>4.0}s {share:>5}",
            candidate.name,
            candidate.held_out,
            candidate.error,
            candidate.seconds
        );
    }
    tell!("  {:<46} {:>9.3} {:>6.3}", "the model: their mixture by these shares", fit.score, fit.error);
}

fn print_test(tested: &Option<Tested>) {
    let Some(tested) = tested else {
        tell!("\nNo rows were kept apart (--test 0), so nothing says how good the model is on new rows.");
        return;
    };
    let Tested { rows, mean, error, gaussian, impossible, because } = tested;
    if *rows < 10 {
        let kept = if *rows == 1 { "1 row was".to_string() } else { format!("{rows} rows were") };
        tell!("\nOnly {kept} kept apart, which says little about new rows; the mean ln p is {mean:.3}.");
        return;
    }
    tell!("\nOn {rows} rows that were kept apart: mean ln p = {mean:.3} ± {error:.3} nats");
    if let Some((_, 0.0, 0.0)) = gaussian {
        tell!("  The model is one Gaussian.");
    } else if let Some((gaussian, difference, error)) = gaussian {
        tell!("  one Gaussian: {gaussian:.3}; the model is better by {difference:.3} ± {error:.3}");
        if *difference < 2.0 * error {
            tell!("  That is no clear gain: a Gaussian may do for this table (--model gaussian).");
        }
    }
    if !impossible.is_empty() {
        let lines: Vec<String> = impossible.iter().take(10).map(ToString::to_string).collect();
        tell!(
            "  {} rows have density 0 and are not in the mean: line {}",
            impossible.len(),
            lines.join(", ")
        );
        because.iter().take(3).for_each(|reason| tell!("    {reason}"));
    }
}

/// The values that their columns cannot have, by line.
fn outside(model: &Model, rows: &Block) -> Result<Vec<String>, Box<dyn Error>> {
    let mut told = Vec::new();
    for column in model.columns() {
        let Cells::Numbers(values) = &rows.column(&column.name)?.cells else { continue };
        for (value, line) in values.iter().zip(rows.lines()) {
            if let Some(allowed) = column.kind.outside(*value) {
                told.push((*line, format!("line {line}: {} = {value}, must be {allowed}", column.name)));
            }
        }
    }
    told.sort();
    Ok(told.into_iter().map(|(_, text)| text).collect())
}
