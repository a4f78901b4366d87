//! Training: minimises any recorded loss over minibatches.
//!
//! A [`Loss`] is a program of data, contexts and noise, with named parameters. Its gradient is derived on the
//! tape, loss and gradient are compiled into one program, and a [`Minimiser`] takes one Adam step for each
//! minibatch, of a length that a [`Schedule`] sets. Maximum likelihood is one use of it
//! ([`flow::Trainer`](crate::flow::Trainer)); weighted likelihoods, evidence lower bounds and the two losses of an
//! adversarial game are others.

mod adam;
mod average;
mod descent;
mod error;
mod loss;
mod minimiser;
mod schedule;

pub use adam::Adam;
pub(crate) use average::Average;
pub(crate) use descent::{Descent, Step, check_averaging, check_clip, check_rate, check_weight_decay};
pub use error::TrainError;
pub use loss::{Loss, Sources};
pub use minimiser::{Minimiser, TrainingOptions};
pub use schedule::Schedule;
