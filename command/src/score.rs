//! `pushforward score`: the density of each row of a table under a model.

use std::collections::BinaryHeap;
use std::error::Error;
use std::path::PathBuf;

use clap::Args;
use pushforward::model::{Encoding, Score};
use pushforward::table::{Block, Cells, Output};

use crate::describe::load;
use crate::table::TableArguments;

/// ln p of each row of a table.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    pushforward score table.model new.csv -o scores.csv\n  \
    pushforward score table.model new.csv --top 20     the 20 least likely rows\n  \
    zcat big.csv.gz | pushforward score table.model - > scores.csv")]
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
    #[command(flatten)]
    written: TableArguments,
}

/// Rows that are scored at once.
const BLOCK: usize = 8192;

/// A row among the least likely ones.
struct Odd {
    line: u64,
    score: Score,
    cells: Vec<String>,
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
    let mut reader = arguments.written.open(&arguments.table)?;
    let needs = model.needs();
    reader.select(&needs)?;
    let categories = model.given().iter().filter(|column| matches!(column.encoding, Encoding::OneHot { .. }));
    reader.read_as_text(&categories.map(|column| &column.name).collect::<Vec<_>>())?;
    let target = arguments.output.clone().unwrap_or_else(|| PathBuf::from("-"));
    let mut rows = match arguments.top {
        Some(_) if arguments.output.is_none() => None,
        _ => {
            let output = Output::check(&target, &[arguments.table.as_path(), arguments.model.as_path()])?;
            Some(output.rows(&["line", "log_p", "error", "rank"])?)
        }
    };
    let mut least: BinaryHeap<Odd> = BinaryHeap::new();
    let (mut count, mut missing) = (0_u64, 0_u64);
    while let Some(block) = reader.next_block(BLOCK)? {
        let scores = model.score(&block).map_err(|error| format!("{}: {error}", reader.path()))?;
        for (row, score) in scores.iter().enumerate() {
            count += 1;
            let line = block.lines()[row];
            let Some(score) = score else {
                missing += 1;
                if let Some(rows) = &mut rows {
                    rows.write([line.to_string(), String::new(), String::new(), String::new()])?;
                }
                continue;
            };
            if let Some(rows) = &mut rows {
                let Score { log_prob, error, rank } = score;
                rows.write([line.to_string(), log_prob.to_string(), error.to_string(), rank.to_string()])?;
            }
            if let Some(top) = arguments.top {
                let odd = least.peek().is_none_or(|most| score.log_prob < most.score.log_prob);
                if least.len() < top || odd {
                    least.push(Odd { line, score: *score, cells: cells(&block, row) });
                }
                if least.len() > top {
                    least.pop();
                }
            }
        }
    }
    if let Some(rows) = rows {
        rows.finish()?;
    }
    if missing > 0 {
        eprintln!("{missing} of {count} rows have a missing value and no score");
    }
    if arguments.top.is_some() {
        print_least(&needs, least.into_sorted_vec());
    }
    Ok(())
}

fn cells(block: &Block, row: usize) -> Vec<String> {
    let cell = |cells: &Cells| match cells {
        Cells::Numbers(values) => format!("{}", values[row]),
        Cells::Text(texts) => texts[row].clone().unwrap_or_default(),
    };
    block.columns().iter().map(|column| cell(&column.cells)).collect()
}

/// The least likely rows with their cells; columns that do not fit 80 characters are left out.
fn print_least(names: &[String], rows: Vec<Odd>) {
    let width = |k: usize| {
        let cells = rows.iter().map(|row| row.cells[k].chars().count());
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
        println!("{start}{cells}");
    };
    line(format!("{:>8}{:>12}{:>12}", "line", "ln p", "lower than"), &|k| names[k].clone());
    for row in &rows {
        let share = format!("{:.1}%", 100.0 * (1.0 - row.score.rank));
        line(format!("{:>8}{:>12.3}{share:>12}", row.line, row.score.log_prob), &|k| row.cells[k].clone());
    }
    if shown.len() < names.len() {
        println!("({} more columns do not fit)", names.len() - shown.len());
    }
}
