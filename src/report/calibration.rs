//! Calibration: whether rows of the table look like samples of the model, column by column and as a whole.

use super::category::CategoryCalibration;
use super::draws::Draws;
use super::energy::EnergyDistance;
use super::forest::ForestClassifier;
use super::kolmogorov::KolmogorovSmirnov;
use super::options::ReportOptions;
use crate::model::Model;

/// How rows compare with samples of the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// The number of rows that were compared.
    pub rows: usize,
    /// The number of samples for each row.
    pub samples: usize,
    /// Each column by itself.
    pub columns: Vec<ColumnCalibration>,
    /// Each category by itself.
    pub categories: Vec<CategoryCalibration>,
    /// The energy distance of standardised rows and samples, given columns included.
    pub energy: EnergyDistance,
    /// Whether a forest of decision trees tells rows from samples.
    pub classifier: ForestClassifier,
    /// Rows that are in neither of the two: a value of theirs no sample can have.
    pub left_out: usize,
}

/// The probability integral transform of a column: the rank of each row's value among the samples for the row.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnCalibration {
    /// The column.
    pub column: String,
    /// Kolmogorov's and Smirnov's test that ranks are uniform.
    pub test: KolmogorovSmirnov,
    /// The number of ranks in each of equally wide bins from 0 to 1, as a multiple of the expected number.
    pub bins: Vec<f64>,
    /// What ranks that are not uniform say of the column.
    pub difference: Difference,
}

/// In which way the values of rows differ from samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// They are lower.
    Lower,
    /// They are higher.
    Higher,
    /// They lie farther out.
    Wider,
    /// They lie closer to the middle.
    Narrower,
    /// In none of these ways above all.
    Shape,
}

/// The probability below which a difference is called one: in how many of all reports on right models one of the columns
/// is accused.
const LEVEL: f64 = 0.01;

impl Calibration {
    pub(super) fn of(model: &Model, draws: &Draws, options: &ReportOptions<'_>) -> Calibration {
        let column = |(k, column): (usize, &crate::model::ModelColumn)| {
            ColumnCalibration::of(&column.name, &draws.ranks_of(k, options.seed))
        };
        let pairs = draws.pairs();
        let (width, seed) = (pairs.width, options.seed);
        Calibration {
            rows: draws.rows.len(),
            samples: draws.count,
            columns: model.columns().iter().enumerate().map(column).collect(),
            categories: draws
                .categories
                .iter()
                .map(|category| CategoryCalibration::of(category, draws.count))
                .collect(),
            energy: EnergyDistance::of_pairs(&pairs.rows, &pairs.samples, width, options.exchanges, seed),
            classifier: ForestClassifier::of_pairs(&pairs.rows, &pairs.samples, width, seed),
            left_out: pairs.left_out,
        }
    }

    /// Whether a column's p-value is too small for chance, given how many columns were tested (Bonferroni).
    pub fn differs(&self, column: &ColumnCalibration) -> bool {
        self.is_small(column.test.p)
    }

    /// Whether a category's p-value is too small for chance, given how many columns were tested.
    pub fn differs_in(&self, category: &CategoryCalibration) -> bool {
        self.is_small(category.p)
    }

    fn is_small(&self, p: f64) -> bool {
        p < LEVEL / (self.columns.len() + self.categories.len()).max(1) as f64
    }
}

impl ColumnCalibration {
    fn of(name: &str, ranks: &[f64]) -> ColumnCalibration {
        const MANY: usize = 200;
        let count = if ranks.len() < MANY { 10 } else { 20 };
        let mut bins = vec![0.0; count];
        let each = count as f64 / ranks.len().max(1) as f64;
        ranks.iter().for_each(|rank| bins[((rank * count as f64) as usize).min(count - 1)] += each);
        ColumnCalibration {
            column: name.to_string(),
            test: KolmogorovSmirnov::of_uniform(ranks),
            bins,
            difference: Difference::of(ranks),
        }
    }
}

impl Difference {
    /// By the mean and the mean square of ranks, each in standard errors: 1/√(12n), and √(1/180n).
    fn of(ranks: &[f64]) -> Difference {
        let n = ranks.len().max(1) as f64;
        let mean = ranks.iter().map(|rank| rank - 0.5).sum::<f64>() / n;
        let square = ranks.iter().map(|rank| (rank - 0.5).powi(2)).sum::<f64>() / n - 1.0 / 12.0;
        let (shift, spread) = (mean * (12.0 * n).sqrt(), square * (180.0 * n).sqrt());
        const CLEAR: f64 = 3.0;
        match (shift, spread) {
            _ if shift.abs() < CLEAR && spread.abs() < CLEAR => Difference::Shape,
            _ if shift.abs() >= spread.abs() && shift > 0.0 => Difference::Higher,
            _ if shift.abs() >= spread.abs() => Difference::Lower,
            _ if spread > 0.0 => Difference::Wider,
            _ => Difference::Narrower,
        }
    }
}
