//! `pushforward score`: the density of each row of a table under a model.

use std::collections::BinaryHeap;
use std::error::Error;
use std::path::PathBuf;

use clap::Args;
use pushforward::model::{Explanation, LevelReason, Model, Reason, Score};
use pushforward::table::{Block, Cells, Output};

use crate::describe::load;
use crate::sample::texts;
use crate::table::TableArguments;

/// ln p of each row of a table.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    pushforward score table.model new.csv -o scores.csv\n  \
    pushforward score table.model new.csv --top 20     the 20 least likely rows\n  \
    pushforward score table.model new.csv --explain    and why they are unlikely\n  \
    zcat big.csv.gz | pushforward score table.model - > scores.csv\n\n\
    Columns of the scores:\n  \
    line    the line of the row in the table\n  \
    log_p   ln p in nats, in the units of the table; -inf: the model excludes the row\n  \
    error   the standard error of log_p; 0 where it is exact\n  \
    rank    the share of the training rows that are less likely; empty where values\n          \
            of the row are missing\n  \
    because with --explain: the least likely values of the row, and what they would\n          \
            be expected to be")]
pub struct Arguments {
    /// A model that `pushforward fit -o` wrote.
    model: PathBuf,
    /// A table with the model's columns; `-` is standard input.
    table: PathBuf,
    /// Write the scores to this CSV file; `-`, the default, is standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the least likely rows instead.
    #[arg(long, value_name = "ROWS")]
    top: Option<usize>,
    /// Say for each row which columns make it unlikely, and what they would be expected to be; without -o of the 20 least
    /// likely rows.
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    written: TableArguments,
}

/// Rows that are scored at once.
const BLOCK: usize = 8192;

/// A row among the least likely ones.
struct Odd {
    line: u64,
    score: Score,
    /// The row.
    block: Block,
}

impl PartialEq for Odd {
    fn eq(&self, other: &Odd) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Odd {}

impl PartialOrd for Odd {
    fn partial_cmp(&self, other: &Odd) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Odd {
    fn cmp(&self, other: &Odd) -> std::cmp::Ordering {
        self.score.log_prob.total_cmp(&other.score.log_prob).then(self.line.cmp(&other.line))
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let model = load(&arguments.model)?;
    let mut reader = arguments.written.open(&arguments.table, Some(&model))?;
    let needs = model.needs();
    reader.select(&needs)?;
    reader.read_as_text(&texts(&model))?;
    let top = match arguments.explain && arguments.output.is_none() {
        true => Some(arguments.top.unwrap_or(20)),
        false => arguments.top,
    };
    let target = arguments.output.clone().unwrap_or_else(|| PathBuf::from("-"));
    let mut rows = match top {
        Some(_) if arguments.output.is_none() => None,
        _ => {
            let output = Output::check(&target, &[arguments.table.as_path(), arguments.model.as_path()])?;
            let names = ["line", "log_p", "error", "rank", "because"];
            Some(output.rows(if arguments.explain { &names } else { &names[..4] })?)
        }
    };
    let mut least: BinaryHeap<Odd> = BinaryHeap::new();
    let (mut count, mut missing, mut partial) = (0_u64, 0_u64, 0_u64);
    while let Some(block) = reader.next_block(BLOCK)? {
        let scores = model.score(&block).map_err(|error| format!("{}: {error}", reader.path()))?;
        let because = match arguments.explain && rows.is_some() {
            true => model.explain(&block, REASONS)?,
            false => Vec::new(),
        };
        for (row, score) in scores.iter().enumerate() {
            count += 1;
            let line = block.lines()[row];
            missing += u64::from(score.is_none());
            partial += u64::from(score.is_some_and(|score| score.rank.is_none()));
            if let Some(rows) = &mut rows {
                let mut cells = vec![line.to_string()];
                cells.extend([
                    score.map_or(String::new(), |score| score.log_prob.to_string()),
                    score.map_or(String::new(), |score| score.error.to_string()),
                    score.and_then(|score| score.rank).map_or(String::new(), |rank| rank.to_string()),
                ]);
                if arguments.explain {
                    cells.push(because[row].as_ref().map_or(String::new(), one_line));
                }
                rows.write(cells)?;
            }
            let (Some(top), Some(score)) = (top, score) else { continue };
            let odd = least.peek().is_none_or(|most| score.log_prob < most.score.log_prob);
            if least.len() < top || odd {
                least.push(Odd { line, score: *score, block: block.filter(|other| other == row) });
            }
            if least.len() > top {
                least.pop();
            }
        }
    }
    if let Some(rows) = rows {
        rows.finish()?;
    }
    if partial > 0 {
        eprintln!(
            "{partial} of {count} rows have missing values, which are integrated out: ln p of the others"
        );
    }
    if missing > 0 {
        eprintln!(
            "{missing} of {count} rows have no score: no value is there, or one is missing and the model has couplings"
        );
    }
    if top.is_some() {
        let least = least.into_sorted_vec();
        match arguments.explain {
            true => print_reasons(&model, &least)?,
            false => print_least(&needs, &least),
        }
    }
    Ok(())
}

fn cells(block: &Block, row: usize) -> Vec<String> {
    let cell = |cells: &Cells| match cells {
        Cells::Numbers(values) => six(values[row]),
        Cells::Text(texts) => texts[row].clone().unwrap_or_default(),
    };
    block.columns().iter().map(|column| cell(&column.cells)).collect()
}

/// The least likely rows with their cells; columns that do not fit 80 characters are left out.
fn print_least(names: &[String], rows: &[Odd]) {
    let rows: Vec<(&Odd, Vec<String>)> = rows.iter().map(|row| (row, cells(&row.block, 0))).collect();
    let width = |k: usize| {
        let cells = rows.iter().map(|(_, cells)| cells[k].chars().count());
        cells.max().unwrap_or(0).max(names[k].chars().count())
    };
    let mut shown = Vec::new();
    let mut left: usize = 80 - 8 - 12 - 12;
    for k in 0..names.len() {
        let needed = width(k) + 2;
        if needed > left {
            break;
        }
        left -= needed;
        shown.push((k, needed));
    }
    let line = |start: String, cell: &dyn Fn(usize) -> String| {
        let cells: String =
            shown.iter().map(|(k, width)| format!("{:>width$}", cell(*k), width = *width)).collect();
        tell!("{start}{cells}");
    };
    line(format!("{:>8}{:>12}{:>12}", "line", "ln p", "lower than"), &|k| names[k].clone());
    for (row, cells) in &rows {
        line(
            format!("{:>8}{:>12.3}{:>12}", row.line, row.score.log_prob, lower_than(row.score.rank)),
            &|k| cells[k].clone(),
        );
    }
    if shown.len() < names.len() {
        tell!("({} more columns do not fit)", names.len() - shown.len());
    }
}

/// `99.7%`: the share of the training rows that are more likely.
fn lower_than(rank: Option<f64>) -> String {
    match rank {
        None => String::new(),
        Some(0.0) => "all".to_string(),
        Some(rank) => format!("{:.1}%", 100.0 * (1.0 - rank)),
    }
}

/// Columns that are told of each row.
const REASONS: usize = 3;

/// The least likely rows, each with the columns that make it unlikely.
fn print_reasons(model: &Model, rows: &[Odd]) -> Result<(), Box<dyn Error>> {
    let Some(first) = rows.first() else { return Ok(()) };
    let mut block = first.block.clone();
    rows[1..].iter().try_for_each(|row| block.append(row.block.clone()))?;
    tell!("The least likely values of each row; what they would be expected to be, given");
    tell!("the other values of the row (half are below; 90% are between); how many are at");
    tell!("least as far out; and the share of the training rows with a likelier value.");
    let explained = model.explain(&block, REASONS)?;
    for (row, explanation) in rows.iter().zip(explained) {
        let rank = match row.score.rank {
            Some(_) => format!(", lower than {} of the training rows", lower_than(row.score.rank)),
            None => String::new(),
        };
        tell!("\nline {}: ln p = {:.3}{rank}", row.line, row.score.log_prob);
        let Some(explanation) = explanation else {
            tell!("  values are missing");
            continue;
        };
        for LevelReason { column, level, probability, expected, expected_probability, .. } in
            &explanation.levels
        {
            let (column, likely) =
                (clipped(column, 21), format!("({:.0}% likely)", 100.0 * expected_probability));
            let (level, expected) = (clipped(level, 14), clipped(expected, 14));
            tell!("  {column:<21} {level:>9} {expected:>9} {likely:>22} {:>5.1}%", 100.0 * probability);
        }
        for Reason { column, value, rank, expected, outside, .. } in &explanation.reasons {
            let [median, range, tail] = match expected {
                Some(expected) => [
                    short(expected.median),
                    format!("({} to {})", short(expected.lower), short(expected.upper)),
                    format!("{:.1}%", 100.0 * expected.tail),
                ],
                None => ["-", "", ""].map(str::to_string),
            };
            let (column, value, rank) = (clipped(column, 21), short(*value), lower_than(*rank));
            if let Some(outside) = outside {
                tell!("  {column:<21} {value:>9} {median:>9} {:>29}", format!("must be {outside}"));
                continue;
            }
            tell!("  {column:<21} {value:>9} {median:>9} {range:>22} {tail:>6} {rank:>6}");
        }
    }
    Ok(())
}

/// A name that is cut to a width.
fn clipped(name: &str, width: usize) -> String {
    match name.chars().count() > width {
        true => name.chars().take(width - 1).chain(['…']).collect(),
        false => name.to_string(),
    }
}

/// `depth = 33, expected 8.2 to 14.1`
fn told(reason: &Reason) -> String {
    let Reason { column, value, expected, outside, .. } = reason;
    if let Some(outside) = outside {
        return format!("{column} = {}, must be {outside}", short(*value));
    }
    let Some(expected) = expected else { return format!("{column} = {}", short(*value)) };
    format!("{column} = {}, expected {} to {}", short(*value), short(expected.lower), short(expected.upper))
}

fn one_line(explanation: &Explanation) -> String {
    let level = |reason: &LevelReason| {
        let LevelReason { column, level, expected, expected_probability, .. } = reason;
        format!("{column} = {level}, expected {expected} ({:.0}%)", 100.0 * expected_probability)
    };
    let levels = explanation.levels.iter().map(level);
    levels.chain(explanation.reasons.iter().map(told)).collect::<Vec<_>>().join("; ")
}

/// Six digits, and a whole number in full.
fn six(value: f64) -> String {
    const WHOLE: f64 = 1e12;
    if value.is_nan() {
        return String::new();
    }
    match value.fract() == 0.0 && value.abs() < WHOLE {
        true => value.to_string(),
        false => significant(value, 6),
    }
}

/// Four digits.
fn short(value: f64) -> String {
    significant(value, 4)
}

fn significant(value: f64, digits: usize) -> String {
    let magnitude = value.abs();
    if value == 0.0 || (1e-3..1e6).contains(&magnitude) {
        let least = digits as i32 + 2;
        let places =
            (digits as i32 - 1 - magnitude.max(1e-300).log10().floor() as i32).clamp(0, least) as usize;
        let text = format!("{value:.places$}");
        return match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
            false => text,
        };
    }
    format!("{value:.*e}", digits - 1)
}
