//! Options that say how a table is written, for every command that reads one.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use pushforward::model::{Choice, Filled};
use pushforward::table::{
    Block, Cells, Delimiter, Encoding, Kind, Kinds, Look, Missing, ReadOptions, Reader, split_names,
};

/// How a table is written, where it is not found from its first rows.
#[derive(Args)]
pub struct TableArguments {
    /// What stands between cells: `,`, `;`, `tab`, `space`, ….
    #[arg(long, value_name = "CHARACTER", help_heading = "How the table is written")]
    delimiter: Option<Delimiter>,
    /// Numbers have a decimal comma.
    #[arg(long, help_heading = "How the table is written")]
    decimal_comma: bool,
    /// The encoding of the text: utf-8, latin1, utf-16.
    #[arg(long, help_heading = "How the table is written")]
    encoding: Option<Encoding>,
    /// The first line has the names of the columns.
    #[arg(long, conflicts_with = "no_header", help_heading = "How the table is written")]
    header: bool,
    /// The first line is a row; the columns are called column_1, column_2, ….
    #[arg(long, help_heading = "How the table is written")]
    no_header: bool,
    /// A cell that means a missing value, beside empty ones, NA, NaN, null, None and ?.
    #[arg(long, value_name = "TEXT", help_heading = "How the table is written")]
    missing_marker: Vec<String>,
}

impl TableArguments {
    /// Opens a table; `-` is standard input.
    pub fn open(&self, path: &Path) -> Result<Reader, Box<dyn Error>> {
        let mut options = ReadOptions {
            delimiter: self.delimiter,
            decimal_comma: self.decimal_comma.then_some(true),
            header: if self.header { Some(true) } else { self.no_header.then_some(false) },
            encoding: self.encoding,
            ..ReadOptions::default()
        };
        options.missing_markers.extend(self.missing_marker.iter().cloned());
        Ok(Reader::open(path, &options)?)
    }
}

/// A table to fit to, and what is done with its columns.
#[derive(Args)]
pub struct Fitted {
    /// A table: CSV, TSV or another delimiter, also compressed (gz); Parquet, if built with `--features parquet`; `-` is
    /// standard input.
    pub table: PathBuf,
    /// The columns to use, separated by commas; all by default.
    #[arg(long)]
    columns: Option<String>,
    /// Columns to condition on: the density of the others given these.
    #[arg(long)]
    given: Option<String>,
    /// Kinds of columns: real, positive, bounded:0..1, circular:360, rounded:0.5, integer, category, identifier, ….
    #[arg(long, value_name = "COLUMN=KIND,…", default_value = "")]
    kind: String,
    /// What is done with rows in which a value is missing.
    #[arg(long, value_enum, default_value = "drop")]
    missing: Rows,
    /// A column whose values say which rows belong together: they are all fitted to, or all kept apart.
    #[arg(long, value_name = "COLUMN")]
    groups: Option<String>,
    /// A column with the weight of each row.
    #[arg(long, value_name = "COLUMN")]
    weights: Option<String>,
    #[command(flatten)]
    written: TableArguments,
}

/// What is done with rows in which a value is missing.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Rows {
    /// They are left out, and counted.
    Drop,
    /// The first one is an error.
    Error,
    /// They are fitted to: what is missing is drawn, given what is there, from a mixture that is fitted in turns.
    Model,
}

/// Which densities are tried.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Densities {
    /// All, mixed by how well they predict rows that were held out.
    Auto,
    /// One Gaussian with full covariance.
    Gaussian,
    /// Mixtures of Gaussians.
    Mixture,
    /// Spline coupling flows.
    #[value(alias = "spline")]
    Coupling,
    /// Autoregressive spline flows.
    Autoregressive,
}

impl Densities {
    /// The library's name.
    pub fn choice(self) -> Choice {
        match self {
            Densities::Auto => Choice::Auto,
            Densities::Gaussian => Choice::Gaussian,
            Densities::Mixture => Choice::Mixture,
            Densities::Coupling => Choice::Coupling,
            Densities::Autoregressive => Choice::Autoregressive,
        }
    }
}

/// Whether Ctrl-C was pressed; pressed a second time, it ends the program at once.
pub fn stopping() -> Result<Arc<AtomicBool>, Box<dyn Error>> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = stop.clone();
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    })?;
    Ok(stop)
}

/// A table that was read and looked at.
pub struct Seen {
    /// The complete rows.
    pub block: Block,
    /// The look at them.
    pub look: Look,
    /// The kinds that were given.
    pub kinds: Kinds,
    /// The columns to condition on.
    pub given: Vec<String>,
    /// What was found about the file and about missing cells, line by line.
    pub said: Vec<String>,
    groups: Option<String>,
    weights: Option<String>,
    /// Whether missing cells are filled before a fit.
    fill: bool,
}

impl Seen {
    /// Looks at some of the rows; those that belong together are in one group.
    pub fn look_at(&self, block: &Block) -> Result<Look, Box<dyn Error>> {
        self.with_groups(Look::of(block, &self.kinds)?, block)
    }

    /// Rows that belong together as one group of a look.
    fn with_groups(&self, mut look: Look, block: &Block) -> Result<Look, Box<dyn Error>> {
        if let Some(name) = &self.groups {
            match &block.column(name)?.cells {
                Cells::Numbers(values) => {
                    look.keep_together(&values.iter().map(|value| value.to_bits()).collect::<Vec<_>>());
                }
                Cells::Text(texts) => look.keep_together(texts),
            }
        }
        Ok(look)
    }

    /// The rows without missing cells among those that are modelled, if they were asked to be filled.
    pub fn filled(&self, block: Block, seed: u64) -> Result<(Block, Option<String>), Box<dyn Error>> {
        if !self.fill {
            return Ok((block, None));
        }
        let filled = Filled::of(&block, &self.look_at(&block)?, &self.given, seed)?;
        let told = (filled.cells > 0).then(|| {
            format!(
                "{} missing cells of {} rows are drawn given the others of their row",
                filled.cells, filled.rows
            )
        });
        Ok((filled.block, told))
    }

    /// The weights of rows, if they have any.
    pub fn weights_of(&self, block: &Block) -> Result<Option<Vec<f64>>, Box<dyn Error>> {
        let Some(name) = &self.weights else { return Ok(None) };
        let Cells::Numbers(values) = &block.column(name)?.cells else {
            return Err(format!("the weights in `{name}` are no numbers").into());
        };
        match values.iter().position(|weight| !(*weight >= 0.0 && weight.is_finite())) {
            Some(row) => {
                let (line, weight) = (block.lines()[row], values[row]);
                Err(format!("line {line}: the weight `{name}` is {weight}; weights are 0 or more").into())
            }
            None => Ok(Some(values.clone())),
        }
    }
}

impl Fitted {
    /// Reads the table and looks at it.
    pub fn read(&self) -> Result<Seen, Box<dyn Error>> {
        self.read_table(&self.table)
    }

    /// Reads another table of the same columns.
    pub fn read_table(&self, path: &Path) -> Result<Seen, Box<dyn Error>> {
        let mut reader = self.written.open(path)?;
        let mut said = Vec::new();
        let found = reader.found().to_string();
        if !found.is_empty() {
            said.push(found);
        }
        let given = self.given.as_deref().map(split_names).unwrap_or_default();
        let mut kinds: Kinds = self.kind.parse()?;
        let beside: Vec<&String> = self.groups.iter().chain(&self.weights).collect();
        let mut own = given.clone();
        if let Some(columns) = &self.columns {
            let mut names = split_names(columns);
            let chosen = names.clone();
            names.extend(given.iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>());
            names.extend(
                beside
                    .iter()
                    .filter(|name| !names.contains(name))
                    .map(|name| (*name).clone())
                    .collect::<Vec<_>>(),
            );
            reader.select(&names)?;
            own.extend(chosen);
        }
        reader.read_as(&kinds)?;
        if let Some(weights) = &self.weights {
            reader.read_as_numbers(&[weights])?;
        }
        let path = reader.path().to_string();
        let named = |error: pushforward::table::TableError| format!("{path}: {error}");
        // What says which rows belong together, or how much they count, is fitted only where it was chosen.
        for name in beside.iter().filter(|name| !own.contains(name)) {
            kinds = kinds.with(name, Kind::Identifier)?;
        }
        let block = reader.read_all()?;
        for name in &given {
            block.column(name).map_err(named)?;
        }
        let missing = match self.missing {
            Rows::Drop => Missing::Drop,
            Rows::Error => Missing::Error,
            Rows::Model => Missing::Model,
        };
        let (block, dropped) = missing.apply(&block).map_err(named)?;
        if dropped.rows > 0 || !dropped.columns.is_empty() {
            said.push(dropped.to_string());
        }
        let (groups, weights) = (self.groups.clone(), self.weights.clone());
        let fill = matches!(self.missing, Rows::Model);
        let look = Look::of(&block, &kinds).map_err(named)?;
        let mut seen = Seen { block, look, kinds, given, said, groups, weights, fill };
        seen.look = seen.with_groups(seen.look.clone(), &seen.block)?;
        Ok(seen)
    }
}
