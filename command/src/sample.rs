//! `pushforward sample`: new rows from a model.

use std::error::Error;
use std::path::PathBuf;

use clap::Args;
use pushforward::model::{Encoding, Model};
use pushforward::table::{Block, Cells, Column, Output, split_names};

use crate::describe::load;
use crate::table::TableArguments;

/// New rows from a model.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    pushforward sample table.model -n 1000 -o rows.csv\n  \
    pushforward sample table.model -n 1000 --given c=1.5,d=2\n  \
    pushforward sample table.model --given rows.csv      one row for each row of given values")]
pub struct Arguments {
    /// A model that `pushforward fit -o` wrote.
    model: PathBuf,
    /// The number of rows; for given rows the number of samples of each.
    #[arg(short = 'n', long, default_value_t = 1)]
    count: usize,
    /// Values to condition on, column=value,…; or a table of them.
    #[arg(long, value_name = "VALUES|TABLE")]
    given: Option<String>,
    /// Write the rows to this CSV file; `-`, the default, is standard output.
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// Seed of the random numbers.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    written: TableArguments,
}

/// Rows that are drawn at once.
const BLOCK: usize = 8192;

pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let model = load(&arguments.model)?;
    let names: Vec<&str> = model.columns().iter().map(|column| column.name.as_str()).collect();
    let output = Output::check(&arguments.output, &[arguments.model.as_path()])?;
    let given = match &arguments.given {
        None => None,
        Some(text) => Some(given(&model, text, arguments)?),
    };
    let mut rows = output.rows(&names)?;
    let mut drawn = 0;
    let mut write = |count: usize, given: Option<&Block>| -> Result<(), Box<dyn Error>> {
        let seed = arguments.seed.wrapping_add((drawn as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        drawn += 1;
        let samples = model.sample(count, given, seed)?;
        (0..samples.rows()).try_for_each(|row| rows.write_numbers(samples.row(row)))?;
        Ok(())
    };
    match given {
        Some(block) if block.rows() > 1 => {
            for row in 0..block.rows() {
                write(arguments.count, Some(&block.filter(|other| other == row)))?;
            }
        }
        given => {
            let mut left = arguments.count;
            while left > 0 {
                write(left.min(BLOCK), given.as_ref())?;
                left -= left.min(BLOCK);
            }
        }
    }
    rows.finish()?;
    Ok(())
}

/// The given values: `c=1.5,d=2`, or a table.
fn given(model: &Model, text: &str, arguments: &Arguments) -> Result<Block, Box<dyn Error>> {
    let names: Vec<&str> = model.given().iter().map(|column| column.name.as_str()).collect();
    if names.is_empty() {
        return Err("this model has no given columns; fit one with --given".into());
    }
    if !text.contains('=') {
        let mut reader = arguments.written.open(text.as_ref())?;
        reader.select(&names)?;
        let categories =
            model.given().iter().filter(|column| matches!(column.encoding, Encoding::OneHot { .. }));
        let categories: Vec<&str> = categories.map(|column| column.name.as_str()).collect();
        reader.read_as_text(&categories)?;
        return Ok(reader.read_all()?);
    }
    let pairs: Vec<(String, String)> = split_names(text)
        .into_iter()
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => Ok((name.trim().to_string(), value.trim().to_string())),
            None => Err(format!("`{pair}` is no column=value")),
        })
        .collect::<Result<_, _>>()?;
    if let Some((name, _)) = pairs.iter().find(|(name, _)| !names.contains(&name.as_str())) {
        return Err(
            format!("`{name}` is no given column of this model; they are: {}", names.join(", ")).into()
        );
    }
    let columns = model.given().iter().map(|column| {
        let Some((_, value)) = pairs.iter().find(|(name, _)| *name == column.name) else {
            return Err(format!(
                "no value for `{}`; give one for each of: {}",
                column.name,
                names.join(", ")
            ));
        };
        let cells = match &column.encoding {
            Encoding::OneHot { .. } => Cells::Text(vec![Some(value.clone())]),
            _ => match value.parse::<f64>() {
                Ok(number) if number.is_finite() => Cells::Numbers(vec![number]),
                _ => return Err(format!("`{value}` is no number for `{}`", column.name)),
            },
        };
        Ok(Column { name: column.name.clone(), cells })
    });
    Ok(Block::new(columns.collect::<Result<_, _>>()?, vec![1])?)
}
