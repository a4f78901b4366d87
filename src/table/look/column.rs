//! What is found about one column.

use super::suspects::Suspect;
use crate::table::kind::Kind;

/// What is found about a column, and what is done with it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ColumnLook {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// Why it has this kind.
    pub why: String,
    /// What is done with it.
    pub treatment: Treatment,
    /// The number of missing cells.
    pub missing: usize,
    /// The number of different values.
    pub distinct: usize,
    /// The value that most rows have, as text, and the number of these rows.
    pub most_common: Option<(String, usize)>,
    /// Whether so many rows have one value that a density would rise without bound there.
    pub tied: bool,
    /// Width of the uniform noise with which training undoes rounding and ties: the step of a rounded
    /// column, a thousandth of the spread of one with ties; none elsewhere.
    pub noise: Option<f64>,
    /// Values that may mark missing ones, or are mistakes.
    pub suspects: Vec<Suspect>,
    /// A kind or a treatment that may fit better, and is the user's to choose.
    pub hint: Option<String>,
}

/// What is done with a column in a fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Treatment {
    /// Its density is fitted.
    Fitted,
    /// Its density is fitted to values with uniform noise, which undoes rounding and ties.
    Dequantised,
    /// The probability of each level is part of the density.
    Levels,
    /// It is no part of the density.
    LeftOut,
    /// It is no part of the density, because it follows from other columns.
    Dependent,
}

impl Treatment {
    /// Whether the column is part of the density.
    pub fn is_used(self) -> bool {
        matches!(self, Treatment::Fitted | Treatment::Dequantised | Treatment::Levels)
    }
}
