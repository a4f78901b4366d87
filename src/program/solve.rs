//! Running blocks: equations solved for a chunk of rows.

use super::compile::{Program, Slot};
use super::lower::{Block, Kind, Part};
use super::run::{step, step_elements};
use crate::sweep::value::Number;

/// Halving the bits of a bracket takes 64 steps; Newton's steps come on top.
const MOST_STEPS: usize = 300;

impl<F: Number> Program<F> {
    /// Solves a block's equation for these elements of its variable.
    pub(super) fn solve(&mut self, block: usize, elements: Option<&[usize]>, lanes: usize) {
        // Taken out while it runs: the numbers change, the block does not.
        let blocks = std::mem::take(&mut self.blocks);
        self.solve_in(&blocks, block, elements, lanes);
        self.blocks = blocks;
    }

    fn solve_in(&mut self, blocks: &[Block<usize>], block: usize, elements: Option<&[usize]>, lanes: usize) {
        let Block { variable, kind, .. } = &blocks[block];
        match kind {
            Kind::Substitution { output, stages, order } => {
                for (stage, element) in stages.iter().zip(order) {
                    self.run_parts(blocks, stage, lanes);
                    self.take_over(*output, *variable, *element, lanes);
                }
                self.run_parts(blocks, &stages[order.len()], lanes);
            }
            Kind::Root { value, slope, ends, once, slices } => {
                self.run_parts(blocks, once, lanes);
                let all: Vec<usize> = (0..slices.len()).collect();
                for element in elements.unwrap_or(&all) {
                    let mut newton = Newton::new(*ends, lanes);
                    for _ in 0..MOST_STEPS {
                        self.batched_row(*variable, *element, lanes).copy_from_slice(&newton.at);
                        // At the solution too: others may read what is computed there.
                        self.run_parts(blocks, &slices[*element], lanes);
                        if newton.is_done() {
                            break;
                        }
                        let h = self.row(*value, *element, lanes);
                        let d = self.row(*slope, *element, lanes);
                        newton.step(&h, &d);
                    }
                }
            }
        }
    }

    fn run_parts(&mut self, blocks: &[Block<usize>], parts: &[Part<usize>], lanes: usize) {
        for part in parts {
            match part {
                Part::Run { node, elements } => {
                    let instruction = &self.members[*node];
                    let whole = elements.len() == self.slots[instruction.out].shape.len();
                    let (slots, zeros) = (&self.slots, &self.zeros);
                    let (shared, batched) = (&mut self.shared_values, &mut self.batched_values);
                    if whole {
                        step(slots, zeros, instruction, shared, Some(batched), lanes);
                    } else {
                        step_elements(slots, zeros, instruction, elements, shared, batched, lanes);
                    }
                }
                Part::Solve { block, elements } => self.solve_in(blocks, *block, Some(elements), lanes),
            }
        }
    }

    /// Copies an element of a node into the unknown.
    fn take_over(&mut self, from: usize, to: usize, element: usize, lanes: usize) {
        let row = self.row(from, element, lanes);
        self.batched_row(to, element, lanes).copy_from_slice(&row);
    }

    fn row(&self, slot: usize, element: usize, lanes: usize) -> Vec<F> {
        let Slot { batched, offset, .. } = self.slots[slot];
        match batched {
            true => self.batched_values[(offset + element) * lanes..(offset + element + 1) * lanes].to_vec(),
            false => vec![self.shared_values[offset + element]; lanes],
        }
    }

    fn batched_row(&mut self, slot: usize, element: usize, lanes: usize) -> &mut [F] {
        let offset = self.slots[slot].offset;
        &mut self.batched_values[(offset + element) * lanes..(offset + element + 1) * lanes]
    }
}

/// Newton's method between brackets, lane by lane: a step that leaves the bracket, or a bracket that does not shrink
/// fast enough, is answered by halving the bracket's *bits*, so that any start arrives, from 10³⁰⁰ as well.
///
/// Where h has no root between the ends the answer is NaN.
struct Newton<F> {
    at: Vec<F>,
    low: Vec<F>,
    high: Vec<F>,
    /// Whether h was seen below 0 and above.
    seen: Vec<(bool, bool)>,
    /// Bits between the ends of the bracket three steps ago, and steps since then.
    before: Vec<(u64, u8)>,
    done: Vec<bool>,
}

impl<F: Number> Newton<F> {
    fn new(ends: (f64, f64), lanes: usize) -> Newton<F> {
        let low = F::of(ends.0).max(F::min_value());
        let high = F::of(ends.1).min(F::max_value());
        let start = match (ends.0.is_infinite(), ends.1.is_infinite()) {
            (true, true) => F::zero(),
            (false, false) => low + (high - low) * F::of(0.5),
            (false, true) => low + F::one(),
            (true, false) => high - F::one(),
        };
        Newton {
            at: vec![start; lanes],
            low: vec![low; lanes],
            high: vec![high; lanes],
            seen: vec![(false, false); lanes],
            before: vec![(u64::MAX, 0); lanes],
            done: vec![false; lanes],
        }
    }

    fn is_done(&self) -> bool {
        self.done.iter().all(|done| *done)
    }

    fn step(&mut self, h: &[F], slope: &[F]) {
        for lane in 0..self.at.len() {
            if !self.done[lane] {
                self.step_lane(lane, h[lane], slope[lane]);
            }
        }
    }

    fn step_lane(&mut self, lane: usize, h: F, slope: F) {
        let z = self.at[lane];
        if h.is_nan() || h == F::zero() {
            self.at[lane] = if h.is_nan() { h } else { z };
            self.done[lane] = true;
            return;
        }
        if h < F::zero() {
            (self.low[lane], self.seen[lane].0) = (z, true);
        } else {
            (self.high[lane], self.seen[lane].1) = (z, true);
        }
        let (low, high) = (self.low[lane], self.high[lane]);
        let width = high.ordered_bits() - low.ordered_bits();
        if width <= 1 {
            // The bracket has no number inside; without both signs there is no root.
            self.at[lane] = if self.seen[lane] == (true, true) { z } else { F::nan() };
            self.done[lane] = true;
            return;
        }
        let (before, steps) = self.before[lane];
        let shrinks = steps < 3 || width <= before / 2;
        if steps >= 3 {
            self.before[lane] = (width, 0);
        }
        self.before[lane].1 += 1;
        let newton = z - h / slope;
        let inside = newton > low && newton < high;
        let next = if inside && shrinks { newton } else { F::between(low, high) };
        // A step of a few units in the last place is rounding.
        let moved = (next - z).abs();
        if inside && moved <= F::of(2.0) * F::epsilon() * z.abs().max(F::min_positive_value()) {
            self.done[lane] = true;
        }
        self.at[lane] = next;
    }
}
