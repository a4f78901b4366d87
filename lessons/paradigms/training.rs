//! Minibatches and a step size that falls: the same training for all paradigms.

use std::f64::consts::PI;

use pushforward::prelude::*;
use pushforward::train::{Loss, Minimiser, TrainingOptions};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Result;

/// Rows of a minibatch.
pub const BATCH: usize = 256;

/// How long to train, and how fast.
#[derive(Clone, Copy)]
pub struct Schedule {
    pub steps: usize,
    /// The highest step size of Adam; it falls to a hundredth of it along a half wave of the cosine.
    pub rate: f64,
}

impl Schedule {
    pub fn rate(&self, step: usize) -> f64 {
        self.rate * (0.01 + 0.99 * 0.5 * (1.0 + (PI * step as f64 / self.steps as f64).cos()))
    }
}

pub fn settings(seed: u64) -> TrainingOptions {
    TrainingOptions { clip: 10.0, seed, ..TrainingOptions::default() }
}

/// Minimises a loss of one row of data; gives the parameters, and the loss at each step.
pub fn minimised(loss: &Loss, data: &[f64], schedule: Schedule, seed: u64) -> Result<(Parameters, Vec<f64>)> {
    let mut minimiser = Minimiser::<f32>::new(loss, loss.initial(seed), settings(seed))?;
    let (mut batches, mut losses) = (Batches::new(data, seed), Vec::new());
    for step in 0..schedule.steps {
        minimiser.set_learning_rate(schedule.rate(step))?;
        losses.push(minimiser.step(&[&batches.next()], BATCH)?);
    }
    Ok((minimiser.parameters().clone(), losses))
}

/// Rows of two numbers, drawn at random again and again.
pub struct Batches<'a> {
    data: &'a [f64],
    random: ChaCha8Rng,
}

impl<'a> Batches<'a> {
    pub fn new(data: &'a [f64], seed: u64) -> Batches<'a> {
        Batches { data, random: ChaCha8Rng::seed_from_u64(seed) }
    }

    pub fn next(&mut self) -> Vec<f32> {
        let row = |_| {
            let k = self.random.random_range(0..self.data.len() / 2);
            [self.data[2 * k] as f32, self.data[2 * k + 1] as f32]
        };
        (0..BATCH).flat_map(row).collect()
    }
}
