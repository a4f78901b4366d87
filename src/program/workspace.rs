//! The memory that a run writes to, separate from the program.
//!
//! Running a compiled program does not change it: a call writes to a workspace. [`Program::run`](super::Program::run)
//! takes one from a pool inside of the program and returns it, so that several threads may run one program at once
//! and a call of the same size allocates nothing; [`Program::run_with`](super::Program::run_with) takes the caller's.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::contraction::FixedPoint;
use super::integrate::{Steps, Trajectory};
use super::plan::{Plan, Slot, SlotId};
use super::solve::Newton;
use super::system::System;
use crate::kernel::Lanes;
use crate::numeric::Number;

/// The memory of one run at a time: the numbers of chunks, and sums over the batch.
///
/// A workspace that was used with another program is cleared and resized.
#[derive(Clone, Debug, Default)]
pub struct Workspace<F> {
    /// The plan that it was sized for.
    plan: Option<PlanId>,
    /// By shard.
    pub(super) spaces: Vec<Space<F>>,
    /// Sums over the batch, and results computed from them.
    pub(super) sums: Vec<F>,
    /// Workspaces of the kernels of deferred sums, by stripe.
    pub(super) panels: Vec<Vec<F>>,
}

/// The workspace of a shard.
#[derive(Clone, Debug, Default)]
pub(super) struct Space<F> {
    pub rows: Vec<F>,
    pub sums: Vec<F>,
    pub panel: Vec<F>,
    pub newton: Vec<Newton<F>>,
    pub fixed_points: Vec<FixedPoint<F>>,
    pub systems: Vec<System<F>>,
    /// By number of the motion.
    pub trajectories: Vec<Trajectory<F>>,
    /// The steps of this run.
    pub steps: Steps,
    /// The number of lanes of its chunk.
    pub lanes: Option<Lanes>,
}

/// Identifies a plan: no two compilations have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PlanId(u64);

impl PlanId {
    pub fn next() -> PlanId {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        PlanId(COUNT.fetch_add(1, Ordering::Relaxed))
    }
}

impl<F: Number> Workspace<F> {
    /// Resizes it for a plan and at least this many shards.
    pub(super) fn fit(&mut self, plan: &Plan, shards: usize) {
        if self.plan != Some(plan.id) {
            self.plan = Some(plan.id);
            self.spaces.clear();
            self.panels.clear();
            self.sums.clear();
            self.sums.resize(plan.length - plan.sums.start, F::zero());
        }
        if self.spaces.len() < shards {
            self.spaces.resize_with(shards, Space::default);
        }
    }
}

impl<F> Workspace<F> {
    /// The numbers of a slot from the first sum on.
    ///
    /// # Panics
    /// When the last run in this workspace was another program's.
    pub(super) fn slot(&self, plan: &Plan, slot: SlotId) -> &[F] {
        assert_eq!(self.plan, Some(plan.id), "the last run in this workspace was another program's");
        let Slot { offset, shape, .. } = plan.slots[slot.0];
        &self.sums[offset - plan.sums.start..][..shape.len()]
    }
}

/// Workspaces that no run uses at the moment; at most as many as there were concurrent runs.
#[derive(Debug, Default)]
pub(super) struct Pool<F>(Mutex<Vec<Workspace<F>>>);

impl<F: Number> Pool<F> {
    /// Takes one that was used before, if there is one.
    pub fn take(&self) -> Workspace<F> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).pop().unwrap_or_default()
    }

    pub fn put_back(&self, workspace: Workspace<F>) {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(workspace);
    }
}

impl<F> Clone for Pool<F> {
    /// The clone is empty: workspaces are made on demand.
    fn clone(&self) -> Pool<F> {
        Pool(Mutex::new(Vec::new()))
    }
}

/// Counts runs of a program, from any thread.
#[derive(Debug, Default)]
pub(super) struct Passes(AtomicU64);

impl Passes {
    pub fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Clone for Passes {
    fn clone(&self) -> Passes {
        Passes(AtomicU64::new(self.count()))
    }
}
