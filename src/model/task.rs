//! What candidates are fitted to, and a candidate that was fitted.

use std::time::{Duration, Instant};

use super::column::ModelColumn;
use super::options::{ModelOptions, Trying};
use super::prepare::Prepared;
use super::record::{Epoch, Recipe};
use crate::base::Base;
use crate::bijection::Bijection;
use crate::flow::Progress;
use crate::tape::Parameters;

/// The time of a fit.
#[derive(Clone, Copy)]
pub(super) struct Times {
    /// The end of the time, at which candidates are ended.
    pub deadline: Instant,
    /// What comes afterwards, in trials one after another.
    pub rounds_after: usize,
}

impl Times {
    /// The share of the time that is left for a trial after which so many others come in its group.
    pub fn share(&self, rounds: usize) -> Duration {
        self.left() / (rounds + self.rounds_after).max(1) as u32
    }

    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// What candidates are fitted to, and how.
pub(super) struct Task<'a, 'o> {
    pub prepared: &'a Prepared,
    pub columns: &'a [ModelColumn],
    pub options: &'a mut ModelOptions<'o>,
}

impl Task<'_, '_> {
    /// Tells what is being fitted, and how far it is.
    pub fn tell(&mut self, candidate: &str, progress: Option<Progress>) {
        if let Some(show) = &mut self.options.progress {
            show(Trying { candidate, progress });
        }
    }
}

/// A candidate that was fitted to standardised variables.
pub(super) struct Tried {
    pub name: String,
    pub recipe: Recipe,
    pub start: Instant,
    pub base: Box<dyn Base>,
    pub layers: Vec<Box<dyn Bijection>>,
    pub parameters: Parameters,
    pub epochs: Vec<Epoch>,
}
