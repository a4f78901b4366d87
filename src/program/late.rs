//! Late sums: gradients of large matrices, formed when all chunks that are in memory are through.
//!
//! Sums of each shard's own would be cleared, added to and added up for every batch, which for large matrices is the
//! greater part of what goes through memory. Late, each entry is written once for all chunks; the matrices are cut into
//! stripes of rows, and stripes go to all threads. An entry is summed in the order of the chunks, wherever the cuts are.

use rayon::prelude::*;

use super::element::{Element, OuterWork};
use super::instruction::{Instruction, Work};
use super::plan::Program;
use super::run::{Space, Threads};
use crate::kernel::Wanted;

/// Rows of a sum of outer products.
#[derive(Clone, Debug)]
pub(super) struct Stripe<F> {
    left: usize,
    right: usize,
    wanted: Wanted,
    panel: Vec<F>,
}

/// A stripe has at least so many rows, in whole blocks of the kernel.
const LEAST_ROWS: usize = 64;
const BLOCK: usize = 4;
/// Stripes for each thread, so that they come out even.
const STRIPES_A_THREAD: usize = 4;

impl<F: Element> Program<F> {
    /// Adds what the chunks in these spaces have; the first time over what was there.
    pub(super) fn add_late(&mut self, spaces: &[Space<F>], first: bool) {
        if self.stripes.is_empty() {
            self.stripes = stripes(&self.plan.late, self.plan.late_sums.len());
        }
        let mut rest = &mut self.values[self.plan.late_sums.clone()];
        // Beside sums of half a million entries and more, a list of them is nothing.
        let mut jobs: Vec<(&mut Stripe<F>, &mut [F])> = Vec::with_capacity(self.stripes.len());
        for stripe in &mut self.stripes {
            let [rows, columns] = stripe.wanted.shape();
            let (own, after) = rest.split_at_mut(rows * columns);
            jobs.push((stripe, own));
            rest = after;
        }
        let add = |(stripe, sums): (&mut Stripe<F>, &mut [F])| {
            if first {
                sums.fill(F::zero());
            }
            let [left, right] = stripe.wanted.shape();
            for space in spaces {
                let Some(lane) = space.lane else { continue };
                F::add_outer(OuterWork {
                    a: &space.rows[stripe.left * lane.stride..][..left * lane.stride],
                    b: &space.rows[stripe.right * lane.stride..][..right * lane.stride],
                    lane,
                    wanted: &stripe.wanted,
                    sums: &mut *sums,
                    panel: &mut stripe.panel,
                });
            }
        };
        match self.threads {
            Threads::All => jobs.into_par_iter().for_each(add),
            Threads::One => jobs.into_iter().for_each(add),
        }
    }
}

/// The sums cut into stripes, in their order.
fn stripes<F>(late: &[Instruction], length: usize) -> Vec<Stripe<F>> {
    let share = length.div_ceil(STRIPES_A_THREAD * rayon::current_num_threads());
    let mut stripes = Vec::new();
    for instruction in late {
        let Work::AddOuter { left, right, wanted, .. } = &instruction.work else {
            unreachable!("only sums of outer products are late");
        };
        let [rows, columns] = wanted.shape();
        let count = (rows * columns).div_ceil(share).min(rows / LEAST_ROWS).max(1);
        let cut = |k: usize| if k == count { rows } else { k * rows / count / BLOCK * BLOCK };
        stripes.extend((0..count).map(|k| Stripe {
            left: left.0 + cut(k),
            right: right.0,
            wanted: wanted.rows(cut(k)..cut(k + 1)),
            panel: Vec::new(),
        }));
    }
    stripes
}
