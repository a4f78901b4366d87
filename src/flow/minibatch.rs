//! Rows of a table in the order in which a fit uses them.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::program::Precision;
use crate::table::Table;

/// Some rows of the table and their contexts, one after another.
#[derive(Default)]
pub(super) struct Minibatch<F = f64> {
    pub values: Vec<F>,
    pub contexts: Vec<F>,
}

impl<F: Precision> Minibatch<F> {
    /// The inputs of a program.
    pub fn inputs(&self, count: usize) -> Vec<&[F]> {
        [self.values.as_slice(), &self.contexts][..count].to_vec()
    }

    /// Copies another minibatch in this precision.
    pub fn take(&mut self, other: &Minibatch) {
        let copy = |from: &[f64], to: &mut Vec<F>| {
            to.clear();
            to.extend(from.iter().map(|value| F::of(*value)));
        };
        copy(&other.values, &mut self.values);
        copy(&other.contexts, &mut self.contexts);
    }
}

/// Copies these rows and their contexts into existing memory.
pub(super) fn gather(data: &Table, contexts: Option<&Table>, rows: &[usize], into: &mut Minibatch) {
    let fill = |table: &Table, into: &mut Vec<f64>| {
        into.clear();
        rows.iter().for_each(|row| into.extend_from_slice(table.row(*row)));
    };
    fill(data, &mut into.values);
    contexts.iter().for_each(|table| fill(table, &mut into.contexts));
}

/// Adds uniform noise of these widths to the columns of rows.
pub(super) fn add_noise(values: &mut [f64], widths: &[f64], random: &mut ChaCha8Rng) {
    for row in values.chunks_mut(widths.len()) {
        for (value, width) in row.iter_mut().zip(widths).filter(|(_, width)| **width > 0.0) {
            *value += width * (random.random::<f64>() - 0.5);
        }
    }
}

/// Shuffles (Fisher and Yates).
pub(super) fn shuffle(rows: &mut [usize], random: &mut ChaCha8Rng) {
    for last in (1..rows.len()).rev() {
        rows.swap(last, random.random_range(0..=last));
    }
}
