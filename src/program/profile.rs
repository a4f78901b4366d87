//! Profiling of a program: each instruction timed by itself.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use super::error::ProgramError;
use super::plan::Program;
use super::precision::Precision;
use super::workspace::Space;
use crate::kernel::Lanes;

/// The result of [`Program::profile`]: by operation, the slowest first.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Lanes of the chunk that was timed.
    pub lanes: usize,
    /// The measurement of each operation.
    pub rows: Vec<ProfileRow>,
}

/// All instructions of one operation.
#[derive(Clone, Debug)]
pub struct ProfileRow {
    /// The operation, by its name on the tape or in the compiler.
    pub name: &'static str,
    /// The number of instructions.
    pub instructions: usize,
    /// Their scalar operations for one lane, as counted by [`Program::operations`].
    pub operations: u64,
    /// The sum of their shortest times.
    pub time: Duration,
}

impl<F: Precision> Program<F> {
    /// Times every instruction on a chunk of the first rows, `repeats` times each, on one thread.
    ///
    /// Work that happens once per loading of the parameters or once per batch is not included.
    ///
    /// # Errors
    /// As [`Program::run`].
    pub fn profile(&self, inputs: &[&[F]], rows: usize, repeats: usize) -> Result<Profile, ProgramError> {
        self.check(inputs, rows)?;
        Ok(F::profile(self, inputs, rows, repeats))
    }

    pub(super) fn profile_here(&self, inputs: &[&[F]], rows: usize, repeats: usize) -> Profile {
        let lanes = Lanes::compact::<F>(self.chunk_lanes(rows).max(1));
        let mut by_name: BTreeMap<&'static str, ProfileRow> = BTreeMap::new();
        if rows > 0 {
            let sums = self.plan.sums.start..self.plan.deferred_sums.end;
            let mut space = Space { sums: vec![F::zero(); sums.end - sums.start], ..Space::default() };
            let all = || self.plan.instructions.iter().chain(&self.plan.deferred);
            self.bring_in(inputs, 0, lanes, &mut space);
            let mut best = vec![Duration::MAX; all().count()];
            for _ in 0..repeats.max(1) {
                for (best, instruction) in best.iter_mut().zip(all()) {
                    let start = Instant::now();
                    self.run_instructions(std::slice::from_ref(instruction), lanes, &mut space);
                    *best = (*best).min(start.elapsed());
                }
            }
            for (instruction, time) in all().zip(best) {
                let row = by_name.entry(instruction.name).or_insert(ProfileRow {
                    name: instruction.name,
                    instructions: 0,
                    operations: 0,
                    time: Duration::ZERO,
                });
                row.instructions += 1;
                row.operations += instruction.operations(&self.plan.matrices);
                row.time += time;
            }
        }
        let mut rows: Vec<ProfileRow> = by_name.into_values().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.time));
        Profile { lanes: lanes.count, rows }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Duration = self.rows.iter().map(|row| row.time).sum();
        let lanes = self.lanes as f64;
        writeln!(f, "{} lanes, {:.1} µs a chunk", self.lanes, all.as_secs_f64() * 1e6)?;
        writeln!(
            f,
            "{:<16} {:>6} {:>12} {:>10} {:>6} {:>9}",
            "", "count", "operations", "µs", "share", "ops/ns"
        )?;
        for row in &self.rows {
            let seconds = row.time.as_secs_f64();
            writeln!(
                f,
                "{:<16} {:>6} {:>12} {:>10.1} {:>5.1}% {:>9.2}",
                row.name,
                row.instructions,
                row.operations,
                seconds * 1e6,
                100.0 * seconds / all.as_secs_f64().max(f64::MIN_POSITIVE),
                row.operations as f64 * lanes / (seconds * 1e9).max(f64::MIN_POSITIVE),
            )?;
        }
        Ok(())
    }
}
