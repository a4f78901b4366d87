//! Reports: a model and the rows of a table on one page.
//!
//! A [`Report`] tells what was read, how the model was fitted, whether the rows look like samples of it (by column and
//! as a whole, with p-values), which rows are least likely, and
//! what is proven of the layers. [`Report::to_html`] writes it as a page that loads nothing and runs nothing.
//!
//! Rows that a model was fitted to look more like its samples than new rows do: a report is best made of rows that were
//! kept apart.
//!
//! Each statistic is a type of its own: [`KolmogorovSmirnov`], [`EnergyDistance`], [`ForestClassifier`],
//! [`AreaUnderCurve`], [`CentredDistances`].

mod area;
mod calibration;
mod category;
mod dependence;
mod draws;
mod energy;
mod forest;
mod kolmogorov;
mod marginal;
mod oddest;
mod options;
mod page;
mod pairs;
mod proofs;
mod read;
#[expect(clippy::module_inception, reason = "a report is what the module is about")]
mod report;

pub use area::AreaUnderCurve;
pub use calibration::{Calibration, ColumnCalibration, Difference};
pub use category::{CategoryCalibration, LevelCount};
pub use dependence::CentredDistances;
pub use energy::EnergyDistance;
pub use forest::ForestClassifier;
pub use kolmogorov::{KolmogorovSmirnov, kolmogorov_tail};
pub use marginal::Marginal;
pub use oddest::{OddRow, OddValue};
pub use options::ReportOptions;
pub use pairs::ColumnPair;
pub use proofs::{FlowProof, LayerProof, ShortClaim};
pub use read::{ReadColumn, ReadTable};
pub use report::{Likelihood, Report};
