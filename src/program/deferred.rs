//! Deferred sums: gradients of large matrices, computed after all chunks in memory.
//!
//! Sums for each shard would be cleared, accumulated and reduced for every batch, which for large matrices is most of
//! the memory traffic. Deferred, each entry is written once for all chunks; the matrices are split into stripes of
//! rows, and stripes are distributed over threads. An entry is summed in the order of the chunks, however the
//! matrices are split.

use rayon::prelude::*;

use super::instruction::{Instruction, Work};
use super::plan::Program;
use super::precision::{OuterWork, Precision};
use super::register::Rows;
use super::run::Threads;
use super::workspace::Space;
use crate::kernel::EntryMask;

/// Some rows of a sum of outer products.
#[derive(Clone, Debug)]
pub(super) struct Stripe {
    left: Rows,
    right: Rows,
    mask: EntryMask,
}

/// Minimum number of rows in a stripe, in whole blocks of the kernel.
const LEAST_ROWS: usize = 64;
const BLOCK: usize = 4;
/// Stripes for each thread, to balance the load.
const STRIPES_A_THREAD: usize = 4;

/// A stripe, the workspace of its kernel, and its sums.
struct Job<'a, F> {
    stripe: &'a Stripe,
    panel: &'a mut Vec<F>,
    sums: &'a mut [F],
}

impl<F: Precision> Program<F> {
    /// Adds the chunks in these workspaces to the deferred sums; the first time the sums are overwritten.
    pub(super) fn add_deferred(
        &self,
        spaces: &[Space<F>],
        deferred_sums: &mut [F],
        panels: &mut Vec<Vec<F>>,
        first: bool,
    ) {
        let stripes =
            self.stripes.get_or_init(|| stripes(&self.plan.deferred, self.plan.deferred_sums.len()));
        panels.resize_with(stripes.len(), Vec::new);
        let mut rest = deferred_sums;
        // Compared with sums of half a million entries or more, the memory of a list is negligible.
        let mut jobs: Vec<Job<'_, F>> = Vec::with_capacity(stripes.len());
        for (stripe, panel) in stripes.iter().zip(panels) {
            let [rows, columns] = stripe.mask.shape();
            let (sums, after) = rest.split_at_mut(rows * columns);
            jobs.push(Job { stripe, panel, sums });
            rest = after;
        }
        let add = |Job { stripe, panel, sums }: Job<'_, F>| {
            if first {
                sums.fill(F::zero());
            }
            for space in spaces {
                let Some(lanes) = space.lanes else { continue };
                let rows =
                    |own: Rows| &space.rows[own.first.index() * lanes.stride..][..own.count * lanes.stride];
                F::add_outer(OuterWork {
                    a: rows(stripe.left),
                    b: rows(stripe.right),
                    lanes,
                    mask: &stripe.mask,
                    sums: &mut *sums,
                    panel: &mut *panel,
                });
            }
        };
        match self.threads {
            Threads::All => jobs.into_par_iter().for_each(add),
            Threads::One => jobs.into_iter().for_each(add),
        }
    }
}

/// Splits the sums into stripes, in their order.
fn stripes(deferred: &[Instruction], length: usize) -> Vec<Stripe> {
    let share = length.div_ceil(STRIPES_A_THREAD * rayon::current_num_threads());
    let mut stripes = Vec::new();
    for instruction in deferred {
        let Work::AddOuter { left, right, mask, .. } = &instruction.work else {
            unreachable!("only sums of outer products are deferred");
        };
        let [rows, columns] = mask.shape();
        let count = (rows * columns).div_ceil(share).min(rows / LEAST_ROWS).max(1);
        let subgraph = |k: usize| if k == count { rows } else { k * rows / count / BLOCK * BLOCK };
        stripes.extend((0..count).map(|k| Stripe {
            left: Rows::new(left.first.after(subgraph(k)), subgraph(k + 1) - subgraph(k)),
            right: *right,
            mask: mask.rows(subgraph(k)..subgraph(k + 1)),
        }));
    }
    stripes
}
