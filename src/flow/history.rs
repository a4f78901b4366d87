//! How a fit went.

use std::fmt;

use super::outside::Outside;
use crate::program::NonFinite;

/// The state of a fit after an epoch; log-likelihoods are means in nats per row.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Progress {
    /// The number of epochs done; 0 is before the first step.
    pub epoch: usize,
    /// The maximum number of epochs.
    pub epochs: usize,
    /// Over the training rows, as seen during the epoch; NaN for epoch 0.
    pub training: f64,
    /// Over the held-out rows.
    pub held_out: f64,
    /// The best held-out value so far.
    pub best: f64,
}

/// Why a fit stopped.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Stop {
    /// The flow was not fitted.
    #[default]
    NotFitted,
    /// All epochs were used.
    Epochs,
    /// All steps of a [fit to a target](crate::flow::Flow::fit_to_target) were made; it has no epochs.
    Steps,
    /// The held-out likelihood did not increase any more.
    Early,
    /// [`FitOptions::stop`](crate::flow::FitOptions::stop) asked for it.
    Asked {
        /// The epoch, or the number of steps made of a fit to a target.
        epoch: usize,
    },
    /// A loss or gradient was not finite; the best parameters so far are kept.
    NonFinite {
        /// The epoch.
        epoch: usize,
        /// The first row whose ln p is not finite, counted from 0 in the table; `None` if every ln p is finite, but a
        /// gradient is not.
        row: Option<usize>,
        /// The operation and source line where it arose, if a single operation produced it.
        origin: Option<NonFinite>,
    },
    /// A step moved the support away from a training or held-out row: its density became 0, and there is no gradient
    /// to recover. The best parameters so far are kept, under which every row has a positive density.
    Outside {
        /// The epoch.
        epoch: usize,
        /// The row, counted from 0 in the table, and the layer or base whose set it is outside of.
        outside: Outside,
    },
}

/// The course of a fit; the parameters kept are those of the best epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The state after each epoch, from 0 (before the first step) on.
    pub epochs: Vec<Progress>,
    /// The epoch whose parameters were kept.
    pub best_epoch: usize,
    /// Why it stopped.
    pub stop: Stop,
}

impl History {
    /// What went wrong in a fit, and what to do; `None` if nothing did. A fit that went wrong has kept the best parameters
    /// that it had until then, and is no error.
    ///
    /// ```
    /// use pushforward::prelude::*;
    ///
    /// let x = Table::new(&["x"], (0..100).map(|k| f64::from(k).sin()).collect())?;
    /// let layers: Vec<Box<dyn Bijection>> = vec![Box::new(Affine::identity(1))];
    /// let flow = Flow::new(StandardNormal::new(1), layers)?;
    /// // Steps a thousand times longer than usual: e to the power of a scale overflows.
    /// let fitted = flow.fit(&x, FitOptions { learning_rate: 1e3, ..FitOptions::default() })?;
    /// assert!(fitted.history().warning().unwrap().contains("a lower learning rate"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn warning(&self) -> Option<String> {
        let kept = match self.best_epoch {
            0 => "the parameters before the first epoch are kept".to_string(),
            epoch => format!("the parameters after epoch {epoch} are kept"),
        };
        if let Stop::NonFinite { .. } | Stop::Outside { .. } = self.stop {
            return Some(format!("the fit ended early: {}; {kept}. Try a lower learning rate", self.stop));
        }
        let (start, later) = self.epochs.split_first()?;
        if self.best_epoch > 0 || later.is_empty() {
            return None;
        }
        let most = later.iter().map(|told| told.held_out).fold(f64::NEG_INFINITY, f64::max);
        Some(format!(
            "no epoch made the held-out rows likelier: their mean ln p was {:.4} before the first one and at most {most:.4} \
             after one; {kept}. Try a lower learning rate, or hold out more rows",
            start.held_out
        ))
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::NotFitted => write!(f, "not fitted"),
            Stop::Epochs => write!(f, "all epochs were used"),
            Stop::Steps => write!(f, "all steps were made"),
            Stop::Early => write!(f, "the held-out likelihood did not increase any more"),
            Stop::Asked { epoch } => write!(f, "stopped after epoch {epoch}, as was asked"),
            Stop::NonFinite { epoch, row, origin } => {
                write!(f, "a number was not finite in epoch {epoch}")?;
                if let Some(row) = row {
                    write!(f, ", row {row}")?;
                }
                origin.as_ref().map_or(Ok(()), |origin| write!(f, ": {origin}"))
            }
            Stop::Outside { epoch, outside } => write!(f, "after epoch {epoch} {outside}"),
        }
    }
}
