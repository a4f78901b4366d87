//! A row outside of the support.

use std::fmt;

use crate::bijection::Domain;

/// A row outside of the support, with the first value that violates a constraint.
#[derive(Clone, Debug, PartialEq)]
pub struct Outside {
    /// The row, counted from 0.
    pub row: usize,
    /// The name of the layer or of the base.
    pub of: String,
    /// The variable, counted from 0.
    pub variable: usize,
    /// Its value.
    pub value: f64,
    /// The set that it should lie in.
    pub set: Domain,
    pub(super) base: bool,
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outside { row, of, variable, value, set, base } = self;
        match base {
            true => write!(
                f,
                "row {row} has density 0 (ln p = -∞): its z[{variable}] is {value}, outside of {set}, the \
                 support of the base {of}; use a base with support ℝ, or a first layer that maps {set} onto \
                 ℝ (Transform::Logit is one for (0, 1))"
            ),
            false => write!(
                f,
                "row {row} has density 0 (ln p = -∞): variable {variable} would be {value} as an output of \
                 layer {of}, whose codomain is {set}; remove such rows, or choose layers whose codomain \
                 contains the data"
            ),
        }
    }
}
