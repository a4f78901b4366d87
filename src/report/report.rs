//! A report: all that is shown, as data.

use super::calibration::Calibration;
use super::draws::Draws;
use super::marginal::Marginal;
use super::oddest::OddRow;
use super::options::ReportOptions;
use super::pairs::ColumnPair;
use super::proofs::FlowProof;
use super::read::ReadTable;
use crate::model::{FitRecord, Model, ModelError, Score, mean_and_error};
use crate::table::Block;

/// What a model says of the rows of a table, and they of the model.
#[derive(Clone, Debug)]
pub struct Report {
    /// The name of the model file.
    pub model: String,
    /// The name of the table.
    pub table: String,
    /// What was found about the file when it was read.
    pub said: Vec<String>,
    /// Columns of the file that are no part of the model.
    pub others: Vec<String>,
    /// The columns of the model in the table.
    pub read: ReadTable,
    /// The names of the modelled columns.
    pub columns: Vec<String>,
    /// The names of the categories that are part of the density.
    pub categories: Vec<String>,
    /// The names of the given columns.
    pub given: Vec<String>,
    /// How the model was fitted.
    pub fit: FitRecord,
    /// The likelihood of the rows.
    pub likelihood: Likelihood,
    /// Each column among rows and samples.
    pub marginals: Vec<Marginal>,
    /// The pairs of columns that depend on one another most.
    pub pairs: Vec<ColumnPair>,
    /// How rows compare with samples.
    pub calibration: Calibration,
    /// The least likely rows.
    pub oddest: Vec<OddRow>,
    /// What is proven of the layers.
    pub proofs: Vec<FlowProof>,
}

/// The likelihood of the rows of a table, in nats and in the units of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Likelihood {
    /// Mean ln p of the rows with a positive density.
    pub mean: f64,
    /// Its standard error.
    pub error: f64,
    /// The lines of rows with density 0.
    pub impossible: Vec<u64>,
}

impl Report {
    /// Compares the rows of a table with a model; rows with missing values are left out. The block may have other columns
    /// than the model needs.
    ///
    /// ```
    /// use pushforward::model::{Choice, Model, ModelOptions};
    /// use pushforward::prelude::*;
    /// use pushforward::report::{Report, ReportOptions};
    /// use pushforward::table::{Block, Kinds, Look};
    ///
    /// let rows: Vec<f64> = (0..1000).flat_map(|k| [f64::from(k).sin(), 3.0 + f64::from(k * k).cos()]).collect();
    /// let block = Block::from(&Table::new(&["a", "b"], rows)?);
    /// let look = Look::of(&block, &Kinds::new())?;
    /// let model = Model::fit(&block, &look, ModelOptions { choice: Choice::Gaussian, ..ModelOptions::default() })?;
    ///
    /// let report = Report::of(&model, &block, ReportOptions { rows: 1000, ..ReportOptions::default() })?;
    /// // A sine has most of its values at the ends, a Gaussian has them in the middle.
    /// assert!(report.calibration.differs(&report.calibration.columns[0]));
    /// assert!(report.to_html().starts_with("<!DOCTYPE html>"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ModelError::Table`] for a column that is not there or a table without a complete row, [`ModelError::Column`] for
    /// a table without rows and a value that cannot be used, and [`ModelError::Flow`] where a density cannot be computed or a layer not recorded.
    pub fn of(model: &Model, block: &Block, mut options: ReportOptions<'_>) -> Result<Report, ModelError> {
        let mut progress = options.progress.take();
        let mut tell = |what: &str| progress.iter_mut().for_each(|show| show(what));
        let (read, block) = ReadTable::of(model, block)?;
        tell("scoring the rows");
        let scores = scores(model, &block)?;
        tell("drawing samples");
        let draws = Draws::of(model, &block, &options)?;
        let oddest = OddRow::least(model, &block, &scores, &draws)?;
        let (marginals, pairs) = (Marginal::all(model, &draws), ColumnPair::strongest(model, &draws));
        tell("comparing rows with samples");
        let calibration = Calibration::of(model, &draws, &options);
        let proofs = FlowProof::all(model, options.audit, &mut tell)
            .map_err(|error| ModelError::Flow(error.into()))?;
        let names = |names: Vec<&String>| names.into_iter().cloned().collect::<Vec<String>>();
        Ok(Report {
            columns: names(model.columns().iter().map(|column| &column.name).collect()),
            categories: names(
                model
                    .categories()
                    .into_iter()
                    .flat_map(|all| &all.columns)
                    .map(|column| &column.name)
                    .collect(),
            ),
            given: names(model.given().iter().map(|column| &column.name).collect()),
            likelihood: Likelihood::of(&scores, &block),
            model: options.model,
            table: options.table,
            said: options.said,
            others: options.others,
            read,
            fit: model.fit_record().clone(),
            marginals,
            pairs,
            calibration,
            oddest,
            proofs,
        })
    }
}

/// The density of each row. Rows of a table that was read whole are scored in blocks: those of rounded columns take memory
/// for each point of their cells.
fn scores(model: &Model, block: &Block) -> Result<Vec<Score>, ModelError> {
    const ROWS: usize = 8192;
    let mut scores = Vec::with_capacity(block.rows());
    for start in (0..block.rows()).step_by(ROWS) {
        let rows = model.score(&block.filter(|row| (start..start + ROWS).contains(&row)))?;
        let none = Score { log_prob: f64::NEG_INFINITY, error: 0.0, rank: None };
        scores.extend(rows.into_iter().map(|score| score.unwrap_or(none)));
    }
    Ok(scores)
}

impl Report {
    /// The names of all columns that the model needs, in the order of [`Model::needs`].
    pub fn needs(&self) -> impl Iterator<Item = &String> {
        self.columns.iter().chain(&self.categories).chain(&self.given)
    }
}

impl Likelihood {
    fn of(scores: &[Score], block: &Block) -> Likelihood {
        let logs: Vec<f64> = scores.iter().map(|score| score.log_prob).collect();
        let finite: Vec<f64> = logs.iter().copied().filter(|log| log.is_finite()).collect();
        let (mean, error) = mean_and_error(&finite);
        let impossible = logs.iter().zip(block.lines()).filter(|(log, _)| !log.is_finite());
        Likelihood { mean, error, impossible: impossible.map(|(_, line)| *line).collect() }
    }
}
