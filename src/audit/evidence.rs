//! How a claim is known.
//!
//! A number in a report says little until it says how it was found. There are four ways, and they are kept
//! apart by type: *proven* holds for all inputs and all parameters, *checked* holds at the points that were
//! tried, *not proven* says what was tried, *refuted* shows a witness.

use std::fmt;

/// How sure we are of a claim, and why.
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
        /// How many points were tried; 1 where one number was compared, whatever went into it.
        points: usize,
        /// The largest error that was met.
        worst: f64,
        /// The error up to which the claim counts as true.
        tolerance: f64,
        /// The seed the points were drawn with; `None` where they were not random.
        seed: Option<u64>,
    },
    /// Neither proven nor refuted.
    NotProven {
        /// Why not, and what was tried.
        reason: String,
    },
    /// False, with a witness.
    Refuted {
        /// The point, the path, both numbers: whatever lets a reader see for himself.
        witness: String,
    },
}

impl Evidence {
    /// Whether the claim may be relied on: proven or checked.
    pub fn holds(&self) -> bool {
        matches!(self, Evidence::Proven { .. } | Evidence::Checked { .. })
    }

    /// One word for a table: `proven`, `checked`, `not proven`, `refuted`.
    pub fn word(&self) -> &'static str {
        match self {
            Evidence::Proven { .. } => "proven",
            Evidence::Checked { .. } => "checked",
            Evidence::NotProven { .. } => "not proven",
            Evidence::Refuted { .. } => "refuted",
        }
    }

    /// The sign that goes before a claim in a report.
    pub fn mark(&self) -> &'static str {
        match self {
            Evidence::Proven { .. } => "■",
            Evidence::Checked { .. } => "✓",
            Evidence::NotProven { .. } => "?",
            Evidence::Refuted { .. } => "✗",
        }
    }

    /// What is known, as a phrase: the reason, the error and its tolerance, or the witness.
    pub fn detail(&self) -> String {
        match self {
            Evidence::Proven { reason } | Evidence::NotProven { reason } => reason.clone(),
            Evidence::Checked { points, worst, tolerance, seed } => {
                let mut said = Vec::new();
                // One number may sum up thousands of points, which the claim itself names.
                if *points != 1 {
                    said.push(format!("{points} points"));
                }
                // A count has no error: it holds at every point or the claim is refuted.
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
        write!(f, "{}: {}", self.word(), self.detail())
    }
}
