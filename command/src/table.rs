//! Options that say how a table is written, for every command that reads one.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use pushforward::model::{Choice, Filled, Model, Reading};
use pushforward::table::{
    Block, Cells, ColumnLook, Delimiter, Encoding, Kinds, Look, Missing, ReadOptions, Reader, Treatment,
    split_names,
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
    /// A cell that means a missing value, beside empty ones, NA, NaN, null, None and ?. A model keeps those of its fit.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, help_heading = "How the table is written")]
    missing_marker: Vec<String>,
}

impl TableArguments {
    /// Opens a table, for a model with the markers of its fit; `-` is standard input.
    pub fn open(&self, path: &Path, model: Option<&Model>) -> Result<Reader, Box<dyn Error>> {
        let mut options = ReadOptions {
            delimiter: self.delimiter,
            decimal_comma: self.decimal_comma.then_some(true),
            header: if self.header { Some(true) } else { self.no_header.then_some(false) },
            encoding: self.encoding,
            ..ReadOptions::default()
        };
        options.missing_markers.extend(self.markers(model));
        Ok(Reader::open(path, &options)?)
    }

    /// The cells that mean a missing value, beside those that always do.
    pub fn markers(&self, model: Option<&Model>) -> Vec<String> {
        let mut markers = model.map_or(Vec::new(), |model| model.reading().missing_markers.clone());
        markers.extend(
            self.missing_marker
                .iter()
                .filter(|marker| !markers.contains(marker))
                .cloned()
                .collect::<Vec<_>>(),
        );
        markers
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
    /// Kinds of columns: real, positive, bounded:0..1, circular:360, rounded:0.5, rounded:0.5:positive, integer,
    /// integer:1.., integer:0..10, category, identifier, ….
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
    /// Gaussian mixtures and, from 250 rows to fit to on, autoregressive spline flows in several orders (also of fewer
    /// rows where the density is conditional), mixed by how well they predict rows that were held out. Couplings are no
    /// part of it.
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
    /// How the table was read.
    pub reading: Reading,
    groups: Option<String>,
    weights: Option<String>,
    /// The columns that are looked at: not those of groups and weights, unless they were chosen.
    looked_at: Vec<String>,
    /// Whether missing cells are filled before a fit.
    fill: bool,
}

impl Seen {
    /// Looks at some of the rows; those that belong together are in one group. The columns that are fitted keep the kind
    /// that they have in all rows.
    pub fn look_at(&self, block: &Block) -> Result<Look, Box<dyn Error>> {
        let mut kinds = self.kinds.clone();
        let fitted =
            |column: &&ColumnLook| matches!(column.treatment, Treatment::Fitted | Treatment::Dequantised);
        for column in self.look.columns.iter().filter(fitted) {
            if kinds.get(&column.name).is_none() {
                kinds = kinds.with(&column.name, column.kind.clone())?;
            }
        }
        self.with_groups(Look::of(&block.select(&self.looked_at)?, &kinds)?, block)
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
        let told = filled.told();
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
    /// Reads the table and looks at it; with another model, its columns, as they were fitted to.
    pub fn read(&self, like: Option<&Model>) -> Result<Seen, Box<dyn Error>> {
        self.read_table(&self.table, like)
    }

    /// Reads another table of the same columns.
    pub fn read_table(&self, path: &Path, like: Option<&Model>) -> Result<Seen, Box<dyn Error>> {
        let mut reader = self.written.open(path, like)?;
        let mut said = Vec::new();
        let found = reader.found().to_string();
        if !found.is_empty() {
            said.push(found);
        }
        let of_model = |model: &Model| model.given().iter().map(|column| column.name.clone()).collect();
        let given: Vec<String> = match (&self.given, like) {
            (Some(names), _) => split_names(names),
            (None, Some(model)) => of_model(model),
            (None, None) => Vec::new(),
        };
        let mut kinds: Kinds = self.kind.parse()?;
        let chosen: Option<Vec<String>> = match (&self.columns, like) {
            (Some(columns), _) => Some(split_names(columns)),
            (None, Some(model)) => Some(model.needs()),
            (None, None) => None,
        };
        let beside: Vec<&String> = self.groups.iter().chain(&self.weights).collect();
        let mut looked_at: Vec<String> = match &chosen {
            Some(chosen) => chosen.clone(),
            // What says which rows belong together, or how much they count, is fitted only where it was chosen.
            None => reader.columns().iter().filter(|name| !beside.contains(name)).cloned().collect(),
        };
        looked_at.extend(given.iter().filter(|name| !looked_at.contains(name)).cloned().collect::<Vec<_>>());
        if let Some(model) = like {
            for (name, kind) in model.kinds().iter() {
                if kinds.get(name).is_none() && looked_at.iter().any(|other| other == name) {
                    kinds = kinds.with(name, kind.clone())?;
                }
            }
        }
        if chosen.is_some() {
            let mut names = looked_at.clone();
            // A row was left out of the other fit where any column had no value that was read.
            let read = like.filter(|_| self.columns.is_none()).map(|model| &model.reading().columns);
            let read = read.into_iter().flatten().filter(|name| reader.columns().contains(name));
            for name in beside.into_iter().chain(read) {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
            reader.select(&names)?;
        }
        reader.read_as(&kinds)?;
        if let Some(weights) = &self.weights {
            reader.read_as_numbers(&[weights])?;
        }
        let path = reader.path().to_string();
        let named = |error: pushforward::table::TableError| format!("{path}: {error}");
        let block = reader.read_all()?;
        for name in given.iter().chain(&self.groups) {
            block.column(name).map_err(named)?;
        }
        let missing = match self.missing {
            Rows::Drop => Missing::Drop,
            Rows::Error => Missing::Error,
            Rows::Model => Missing::Model,
        };
        let reading = Reading {
            missing_markers: self.written.markers(like),
            columns: block.columns().iter().map(|column| column.name.clone()).collect(),
        };
        if !reading.missing_markers.is_empty() {
            said.push(format!("missing where a cell is {}", reading.missing_markers.join(" or ")));
        }
        let (block, dropped) = missing.apply(&block).map_err(named)?;
        if dropped.rows > 0 || !dropped.columns.is_empty() {
            said.push(dropped.to_string());
        }
        if let Some(name) = &self.groups {
            said.push(format!("rows of one `{name}` stay together"));
        }
        if let Some(name) = &self.weights {
            said.push(format!("`{name}` is the weight of a row"));
        }
        let (groups, weights) = (self.groups.clone(), self.weights.clone());
        let fill = matches!(self.missing, Rows::Model);
        let look = Look::of(&block.select(&looked_at).map_err(named)?, &kinds).map_err(named)?;
        let mut seen = Seen { block, look, kinds, given, said, reading, groups, weights, looked_at, fill };
        seen.look = seen.with_groups(seen.look.clone(), &seen.block)?;
        Ok(seen)
    }
}
