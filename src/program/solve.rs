//! Solving of equations for a chunk: element by element, by iterating a contraction, by Newton's method between brackets for many
//! numbers at once, or by Newton's method for several unknowns together.
//!
//! A Newton step that leaves the bracket, or a bracket that does not shrink fast enough, is replaced by bisection of
//! the bracket's *bits*, so that the method converges from any start, from 10³⁰⁰ as well.

use pulp::Simd;

use super::execute::Chunk;
use super::instruction::Equation;
use super::register::{Kind, Register};
use crate::numeric::Number;

/// Bisection of the bits of a bracket takes 64 steps; Newton steps are additional.
const MOST_STEPS: u32 = 300;

impl<F: Number> Chunk<'_, F> {
    pub(super) fn solve<S: Simd>(&mut self, simd: S, equation: &Equation) {
        let stride = self.lanes.stride;
        match equation {
            Equation::Substitution { stages, takes } => {
                for (stage, (from, to)) in stages.iter().zip(takes) {
                    self.run_list(simd, stage);
                    self.copy(*to, &[*from]);
                }
                stages[takes.len()..].iter().for_each(|stage| self.run_list(simd, stage));
            }
            Equation::Contraction { once, iterate, takes, lipschitz } => {
                self.run_list(simd, once);
                let mut search = self.space.fixed_points.pop().unwrap_or_default();
                search.start(takes.len(), stride, *lipschitz);
                loop {
                    for (at, (_, row)) in search.at().chunks_exact(stride).zip(takes) {
                        self.space.rows[row.index() * stride..][..stride].copy_from_slice(at);
                    }
                    // Evaluate at the solution too: other instructions may read the results.
                    self.run_list(simd, iterate);
                    if search.is_done() {
                        break;
                    }
                    for (k, (from, _)) in takes.iter().enumerate() {
                        let image = &mut search.images()[k * stride..][..stride];
                        match from.kind() {
                            Kind::Shared(index) => image.fill(self.shared[index]),
                            Kind::Row(row) => {
                                image.copy_from_slice(&self.space.rows[row.index() * stride..][..stride]);
                            }
                        }
                    }
                    search.step();
                }
                self.space.fixed_points.push(search);
            }
            Equation::System { once, iterate, unknowns, values, jacobian } => {
                self.run_list(simd, once);
                let mut search = self.space.systems.pop().unwrap_or_default();
                search.start(unknowns.len(), stride);
                loop {
                    for (at, row) in search.at().chunks_exact(stride).zip(unknowns) {
                        self.space.rows[row.index() * stride..][..stride].copy_from_slice(at);
                    }
                    // Evaluate at the solution too: other instructions may read the results.
                    self.run_list(simd, iterate);
                    if search.is_done() {
                        break;
                    }
                    let (shared, rows) = (&self.shared, &self.space.rows);
                    search.step(|lane| {
                        let of = move |register: &Register| match register.kind() {
                            Kind::Shared(index) => shared[index],
                            Kind::Row(row) => rows[row.index() * stride + lane],
                        };
                        (values.iter().map(of), jacobian.iter().map(of))
                    });
                }
                self.space.systems.push(search);
            }
            Equation::Root { once, iterate, unknowns, ends } => {
                self.run_list(simd, once);
                let mut newton = self.space.newton.pop().unwrap_or_default();
                newton.start(*ends, unknowns.len() * stride);
                loop {
                    for (at, unknown) in newton.at().chunks_exact(stride).zip(unknowns) {
                        self.space.rows[unknown.row.index() * stride..][..stride].copy_from_slice(at);
                    }
                    // Evaluate at the solution too: other instructions may read the results.
                    self.run_list(simd, iterate);
                    if newton.is_done() {
                        break;
                    }
                    for (k, unknown) in unknowns.iter().enumerate() {
                        for lane in 0..stride {
                            let of = |register: Register| match register.kind() {
                                Kind::Shared(index) => self.shared[index],
                                Kind::Row(row) => self.space.rows[row.index() * stride + lane],
                            };
                            newton.step(k * stride + lane, of(unknown.value), of(unknown.slope));
                        }
                    }
                }
                self.space.newton.push(newton);
            }
        }
    }
}

/// Newton's method between brackets for many numbers at once; NaN where h has no root between the ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Newton<F> {
    at: Vec<F>,
    states: Vec<State<F>>,
    open: usize,
}

#[derive(Clone, Copy, Debug)]
struct State<F> {
    low: F,
    high: F,
    /// Whether negative and positive values of h were seen.
    seen: (bool, bool),
    /// Bits between the ends of the bracket three steps ago, the steps since then, and all steps.
    before: u64,
    since: u8,
    steps: u32,
    done: bool,
}

impl<F: Number> Newton<F> {
    /// Starts with `count` numbers between two ends.
    pub(super) fn start(&mut self, ends: (f64, f64), count: usize) {
        let low = F::of(ends.0).max(F::min_value());
        let high = F::of(ends.1).min(F::max_value());
        let start = match (ends.0.is_infinite(), ends.1.is_infinite()) {
            (true, true) => F::zero(),
            (false, false) => low + (high - low) * F::of(0.5),
            (false, true) => low + F::one(),
            (true, false) => high - F::one(),
        };
        let state =
            State { low, high, seen: (false, false), before: u64::MAX, since: 0, steps: 0, done: false };
        self.at.clear();
        self.at.resize(count, start);
        self.states.clear();
        self.states.resize(count, state);
        self.open = count;
    }

    pub(super) fn at(&self) -> &[F] {
        &self.at
    }

    pub(super) fn is_done(&self) -> bool {
        self.open == 0
    }

    /// Returns the next iterate of number k, from h and its slope at the last one.
    pub(super) fn step(&mut self, k: usize, h: F, slope: F) {
        let state = &mut self.states[k];
        if state.done {
            return;
        }
        let z = self.at[k];
        if h.is_nan() || h == F::zero() {
            self.at[k] = if h.is_nan() { h } else { z };
            state.done = true;
            self.open -= 1;
            return;
        }
        match h < F::zero() {
            true => (state.low, state.seen.0) = (z, true),
            false => (state.high, state.seen.1) = (z, true),
        }
        let (low, high) = (state.low, state.high);
        let width = high.ordered_bits() - low.ordered_bits();
        state.steps += 1;
        if width <= 1 || state.steps > MOST_STEPS {
            // The bracket has no number inside; without both signs there is no root.
            self.at[k] = if state.seen == (true, true) { z } else { F::nan() };
            state.done = true;
            self.open -= 1;
            return;
        }
        let shrinks = state.since < 3 || width <= state.before / 2;
        if state.since >= 3 {
            (state.before, state.since) = (width, 0);
        }
        state.since += 1;
        let newton = z - h / slope;
        let inside = newton > low && newton < high;
        let next = if inside && shrinks { newton } else { F::between(low, high) };
        // A step of a few units in the last place is rounding.
        let moved = (newton - z).abs();
        if inside && moved <= F::of(2.0) * F::epsilon() * z.abs().max(F::min_positive_value()) {
            self.at[k] = newton;
            state.done = true;
            self.open -= 1;
            return;
        }
        self.at[k] = next;
    }
}
