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
    pushforward sample table.model -n 1000 --columns a,b\n  \
    pushforward sample table.model --given rows.csv      one row for each row of given values\n  \
    pushforward sample table.model --given rows.csv --quantiles 0.05,0.5,0.95")]
pub struct Arguments {
    /// A model that `pushforward fit -o` wrote.
    model: PathBuf,
    /// The number of rows; for given rows the number of samples of each.
    #[arg(short = 'n', long, default_value_t = 1)]
    count: usize,
    /// Values to condition on, column=value,…; or a table of them. Columns that the model was fitted with --given need a
    /// value; any others may have one.
    #[arg(long, value_name = "VALUES|TABLE")]
    given: Option<String>,
    /// The columns to write. Those that a given table has too are drawn, and not taken from it.
    #[arg(long)]
    columns: Option<String>,
    /// Print quantiles of each column that is not given instead of samples.
    #[arg(long, value_name = "0.05,0.5,…", value_delimiter = ',', requires = "given")]
    quantiles: Option<Vec<f64>>,
    /// Write the rows to this CSV file; `-`, the default, is standard output.
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// Seed of the random numbers.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    written: TableArguments,
}

pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let model = load(&arguments.model)?;
    let categories = model.categories().into_iter().flat_map(|categories| &categories.columns);
    let mut names: Vec<String> = model
        .columns()
        .iter()
        .map(|column| column.name.clone())
        .chain(categories.map(|column| column.name.clone()))
        .collect();
    let drawn_names = names.clone();
    if let Some(columns) = &arguments.columns {
        let chosen = split_names(columns);
        if let Some(name) = chosen.iter().find(|name| !names.contains(name)) {
            let names = names.join(", ");
            return Err(format!("`{name}` is no column that this model draws; they are: {names}").into());
        }
        names = chosen;
    }
    let output = Output::check(&arguments.output, &[arguments.model.as_path()])?;
    let given = match &arguments.given {
        None => None,
        Some(text) => Some(given(&model, text, arguments)?),
    };
    for caution in given.iter().flat_map(|given| model.cautions(given)) {
        eprintln!("{caution}");
    }
    if let (Some(levels), Some(given)) = (&arguments.quantiles, &given) {
        let table = model.quantiles(given, levels, arguments.seed)?;
        let of_column = |name: &str| {
            let column =
                drawn_names.iter().find(|own| levels.iter().any(|level| name == format!("{own}_{level}")));
            column.is_none_or(|own| names.contains(own))
        };
        let kept: Vec<usize> =
            (0..table.columns().len()).filter(|k| of_column(&table.columns()[*k])).collect();
        let mut rows = output.rows(&kept.iter().map(|k| table.columns()[*k].as_str()).collect::<Vec<_>>())?;
        for row in 0..table.rows() {
            rows.write_numbers(&kept.iter().map(|k| table.row(row)[*k]).collect::<Vec<_>>())?;
        }
        return Ok(rows.finish()?);
    }
    // The file is begun with the first samples: without any there is no header either.
    let mut rows = None;
    for samples in model.sample_blocks(arguments.count, given.as_ref(), arguments.seed) {
        let samples = samples?.select(&names)?;
        let rows = match &mut rows {
            Some(rows) => rows,
            none => none.insert(output.rows(&names)?),
        };
        rows.write_block(&samples)?;
    }
    match rows {
        Some(rows) => rows.finish()?,
        None => output.rows(&names)?.finish()?,
    }
    Ok(())
}

/// The given values: `c=1.5,d=2`, or a table.
fn given(model: &Model, text: &str, arguments: &Arguments) -> Result<Block, Box<dyn Error>> {
    let names = model.needs();
    let text_columns = texts(model);
    let drawn = arguments.columns.as_deref().map(split_names).unwrap_or_default();
    let is_given = |name: &str| model.given().iter().any(|column| column.name == name);
    if !text.contains('=') {
        let mut reader = arguments.written.open(text.as_ref(), Some(model))?;
        let own = |name: &&String| reader.columns().contains(name) && !drawn.contains(name);
        let own: Vec<String> = names.iter().filter(own).cloned().collect();
        if names.iter().filter(|name| !is_given(name)).all(|name| own.contains(name)) {
            let problem = "has all columns of the model; say with --columns which are to be drawn";
            return Err(format!("{text} {problem}").into());
        }
        if own.is_empty() {
            return Err(format!("{text} has no column of this model: {}", names.join(", ")).into());
        }
        reader.select(&own)?;
        reader.read_as_text(
            &text_columns
                .into_iter()
                .filter(|name| own.iter().any(|other| other == name))
                .collect::<Vec<_>>(),
        )?;
        return Ok(reader.read_all()?);
    }
    let pairs: Vec<(String, String)> = split_names(text)
        .into_iter()
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => Ok((name.trim().to_string(), value.trim().to_string())),
            None => Err(format!("`{pair}` is no column=value")),
        })
        .collect::<Result<_, _>>()?;
    let columns = pairs.into_iter().map(|(name, value)| {
        if !names.contains(&name) {
            return Err(format!("`{name}` is no column of this model; they are: {}", names.join(", ")));
        }
        let cells = match text_columns.contains(&name.as_str()) {
            true => Cells::Text(vec![Some(value)]),
            false => match value.parse::<f64>() {
                Ok(number) if number.is_finite() => Cells::Numbers(vec![number]),
                _ => return Err(format!("`{value}` is no number for `{name}`")),
            },
        };
        Ok(Column { name, cells })
    });
    Ok(Block::new(columns.collect::<Result<_, _>>()?, vec![1])?)
}

/// The columns of a model that are read as text: categories.
pub fn texts(model: &Model) -> Vec<&str> {
    let given = model.given().iter().filter(|column| matches!(column.encoding, Encoding::OneHot { .. }));
    let own = model.categories().into_iter().flat_map(|categories| &categories.columns);
    given.map(|column| column.name.as_str()).chain(own.map(|column| column.name.as_str())).collect()
}
