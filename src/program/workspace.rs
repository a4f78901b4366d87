//! The memory that a run writes to, apart from the program that it runs.
//!
//! A compiled program is not changed by running: what a call writes lies in a workspace. [`Program::run`](super::Program::run) takes one from
//! a pool inside of the program and puts it back, so that several threads may run one program at once and a call of the
//! same size allocates nothing; [`Program::run_with`](super::Program::run_with) takes the caller's.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::plan::{Plan, Slot, SlotId};
use super::solve::Newton;
use crate::kernel::Lanes;
use crate::numeric::Number;

/// The memory of one run at a time: numbers of the chunks in work, and sums over the batch.
///
/// One that has served another program is cleared and made to fit.
#[derive(Clone, Debug, Default)]
pub struct Workspace<F> {
    /// The plan that it was fitted to.
    plan: Option<PlanId>,
    /// By shard.
    pub(super) spaces: Vec<Space<F>>,
    /// Sums over the batch, and what follows from them: the plan's numbers from the first sum on.
    pub(super) sums: Vec<F>,
    /// Room for the kernels of deferred sums, by stripe.
    pub(super) panels: Vec<Vec<F>>,
}

/// What a shard works in.
#[derive(Clone, Debug, Default)]
pub(super) struct Space<F> {
    pub rows: Vec<F>,
    pub sums: Vec<F>,
    pub panel: Vec<F>,
    pub newton: Vec<Newton<F>>,
    /// The lanes of the chunk that it holds.
    pub lanes: Option<Lanes>,
}

/// Tells plans apart: no two compilations have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PlanId(u64);

impl PlanId {
    pub fn next() -> PlanId {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        PlanId(COUNT.fetch_add(1, Ordering::Relaxed))
    }
}

impl<F: Number> Workspace<F> {
    /// Makes it fit a plan, and at least so many shards.
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

/// Workspaces that no run uses at the moment; there are as many as there were runs at one time.
#[derive(Debug, Default)]
pub(super) struct Pool<F>(Mutex<Vec<Workspace<F>>>);

impl<F: Number> Pool<F> {
    /// One that was used before, if there is one.
    pub fn take(&self) -> Workspace<F> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).pop().unwrap_or_default()
    }

    pub fn put_back(&self, workspace: Workspace<F>) {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(workspace);
    }
}

impl<F> Clone for Pool<F> {
    /// An empty one: workspaces are made when they are needed.
    fn clone(&self) -> Pool<F> {
        Pool(Mutex::new(Vec::new()))
    }
}

/// How often a program was run, counted from any thread.
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
