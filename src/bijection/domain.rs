//! Where the variables of a bijection may lie.

use std::f64::consts::{PI, TAU};
use std::fmt;

use serde::Serialize;

use crate::sweep::bound::{Bound, End, Region};

/// The open interval that each coordinate lies in, or the circle.
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
    /// Angles, [-π, π): the ends are one point. A map of the circle jumps by 2π somewhere as a map of numbers.
    Circle,
}

impl Domain {
    /// Whether a number lies inside.
    pub fn contains(self, value: f64) -> bool {
        match self {
            Domain::Reals => value.is_finite(),
            Domain::Positive => value > 0.0 && value.is_finite(),
            Domain::Interval { lower, upper } => value > lower && value < upper,
            Domain::Circle => (-PI..PI).contains(&value),
        }
    }

    /// a - b; on the circle the shorter way round, for two angles.
    pub fn difference(self, a: f64, b: f64) -> f64 {
        match self {
            Domain::Circle if a - b > PI => a - b - TAU,
            Domain::Circle if a - b < -PI => a - b + TAU,
            _ => a - b,
        }
    }
}

impl From<Domain> for Bound {
    fn from(domain: Domain) -> Bound {
        match domain {
            Domain::Reals => Bound::REALS,
            Domain::Positive => Bound::between(0.0, f64::INFINITY),
            Domain::Interval { lower, upper } => Bound::between(lower, upper),
            Domain::Circle => Bound { low: End { at: -PI, open: false }, ..Bound::between(-PI, PI) },
        }
    }
}

impl From<Domain> for Region {
    fn from(domain: Domain) -> Region {
        Region::All(domain.into())
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Domain::Reals => f.write_str("ℝ"),
            Domain::Positive => f.write_str("(0, ∞)"),
            Domain::Interval { lower, upper } => write!(f, "({lower}, {upper})"),
            Domain::Circle => f.write_str("[-π, π)"),
        }
    }
}
