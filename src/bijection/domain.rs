//! Where the variables of a bijection may lie.

use std::fmt;

use serde::Serialize;

use crate::sweep::bound::Bound;

/// The open interval that each coordinate lies in.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Domain {
    /// (-∞, ∞)
    Reals,
    /// (0, ∞)
    Positive,
    /// (lower, upper)
    Interval {
        /// The lower end.
        lower: f64,
        /// The upper end.
        upper: f64,
    },
}

impl Domain {
    /// Whether a number lies inside.
    pub fn contains(self, value: f64) -> bool {
        match self {
            Domain::Reals => value.is_finite(),
            Domain::Positive => value > 0.0 && value.is_finite(),
            Domain::Interval { lower, upper } => value > lower && value < upper,
        }
    }
}

impl From<Domain> for Bound {
    fn from(domain: Domain) -> Bound {
        match domain {
            Domain::Reals => Bound::REALS,
            Domain::Positive => Bound::between(0.0, f64::INFINITY),
            Domain::Interval { lower, upper } => Bound::between(lower, upper),
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Domain::Reals => f.write_str("ℝ"),
            Domain::Positive => f.write_str("(0, ∞)"),
            Domain::Interval { lower, upper } => write!(f, "({lower}, {upper})"),
        }
    }
}
