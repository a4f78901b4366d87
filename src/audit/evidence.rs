//! Evidence: how a claim is known.
//!
//! Four kinds of evidence are kept apart by type: *proven* holds for all inputs and all parameters, *checked*
//! holds at the points that were tried, *not proven* says what was tried, *refuted* shows a witness.

use std::fmt;

/// How a claim is known, and why.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case"))]
pub enum Evidence {
    /// True for all inputs and all parameters: by structure, by bounds or by symbolic equality.
    Proven {
        /// The argument, in one sentence.
        reason: String,
    },
    /// True at the points that were tried.
    Checked {
        /// Number of points; 1 where a single number was compared, whatever it was computed from.
        points: usize,
        /// The largest error observed.
        worst: f64,
        /// The largest error at which the claim counts as true.
        tolerance: f64,
        /// The seed of the points; `None` where they were not random.
        seed: Option<u64>,
    },
    /// Neither proven nor refuted.
    NotProven {
        /// Why not, and what was tried.
        reason: String,
    },
    /// False, with a witness.
    Refuted {
        /// The point, the path, both numbers: enough for a reader to verify it.
        witness: String,
    },
}

impl Evidence {
    /// Returns whether the claim is proven or checked.
    pub fn holds(&self) -> bool {
        matches!(self, Evidence::Proven { .. } | Evidence::Checked { .. })
    }

    /// A word for a table: `proven`, `checked`, `not proven`, `refuted`.
    pub fn label(&self) -> &'static str {
        match self {
            Evidence::Proven { .. } => "proven",
            Evidence::Checked { .. } => "checked",
            Evidence::NotProven { .. } => "not proven",
            Evidence::Refuted { .. } => "refuted",
        }
    }

    /// The mark before a claim in a report.
    pub fn mark(&self) -> &'static str {
        match self {
            Evidence::Proven { .. } => "■",
            Evidence::Checked { .. } => "✓",
            Evidence::NotProven { .. } => "?",
            Evidence::Refuted { .. } => "✗",
        }
    }

    /// The details as a phrase: the reason, the error and its tolerance, or the witness.
    pub fn detail(&self) -> String {
        match self {
            Evidence::Proven { reason } | Evidence::NotProven { reason } => reason.clone(),
            Evidence::Checked { points, worst, tolerance, seed } => {
                let mut said = Vec::new();
                // A single number may summarise thousands of points, which the statement of the claim then
                // names.
                if *points != 1 {
                    said.push(format!("{points} points"));
                }
                // A claim without a tolerance has no error to print: it holds at every point or is refuted.
                if *tolerance > 0.0 {
                    let worst = if *worst == 0.0 { "0".to_string() } else { format!("{worst:.1e}") };
                    said.push(format!("worst error {worst} (allowed {tolerance:.0e})"));
                }
                if let Some(seed) = seed {
                    said.push(format!("seed {seed}"));
                }
                if said.is_empty() { "in this run".to_string() } else { said.join(", ") }
            }
            Evidence::Refuted { witness } => witness.clone(),
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.label(), self.detail())
    }
}
