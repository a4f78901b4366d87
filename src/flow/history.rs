//! How a fit went.

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
