//! Initial-value problems for a chunk of rows: explicit Runge-Kutta methods, and the discrete adjoint of their steps.
//!
//! With coefficients a, b, c a step of length h takes z to z + h Σ bᵢkᵢ with kᵢ = v(Zᵢ, t + cᵢh) and
//! Zᵢ = z + h Σ_{j<i} aᵢⱼkⱼ. Backwards, with the adjoint λ of the result, from the last stage to the first:
//! κᵢ = h(bᵢλ + Σ_{j>i} aⱼᵢμⱼ) is the adjoint of kᵢ and μᵢ = v_z(Zᵢ)ᵀκᵢ that of Zᵢ; λ + Σ μᵢ is the adjoint of z.
//!
//! *Sizes of steps.* Each row has its own, so that its numbers do not depend on the rows beside it; all rows of a chunk are
//! evaluated together, and those that have arrived wait. A row that needs more steps than are allowed, or steps too short
//! to move t, is NaN.

use std::sync::atomic::{AtomicU64, Ordering};

use pulp::Simd;
use smallvec::SmallVec;

use super::execute::Chunk;
use super::instruction::{Direction, Integration};
use super::register::{Kind, Register, Row, Rows};
use crate::kernel::Lanes;
use crate::numeric::Number;
use crate::numeric::runge_kutta::{DIFFERENCE, DORMAND_PRINCE, EULER, RUNGE_KUTTA_4, Tableau};
use crate::tape::{self, Method};

/// Steps of initial-value problems, added up over rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// Solutions that were computed: one for each row and problem.
    pub solutions: u64,
    /// Steps that were accepted.
    pub accepted: u64,
    /// Steps that were tried and rejected, because their error was too large.
    pub rejected: u64,
    /// Evaluations of the velocity.
    pub evaluations: u64,
    /// Solutions that were given up, for the number of their steps or for velocities that are not finite.
    pub failed: u64,
}

/// Counts steps of a program's runs, from any thread.
#[derive(Debug, Default)]
pub(super) struct StepCounts([AtomicU64; 5]);

impl StepCounts {
    pub fn add(&self, steps: &Steps) {
        let Steps { solutions, accepted, rejected, evaluations, failed } = *steps;
        if solutions == 0 {
            return;
        }
        for (count, own) in self.0.iter().zip([solutions, accepted, rejected, evaluations, failed]) {
            count.fetch_add(own, Ordering::Relaxed);
        }
    }

    pub fn total(&self) -> Steps {
        let [solutions, accepted, rejected, evaluations, failed] =
            [0, 1, 2, 3, 4].map(|k| self.0[k].load(Ordering::Relaxed));
        Steps { solutions, accepted, rejected, evaluations, failed }
    }
}

impl Clone for StepCounts {
    fn clone(&self) -> StepCounts {
        let counts = StepCounts::default();
        counts.add(&self.total());
        counts
    }
}

/// Step sizes are this much shorter than the error estimate allows, and change by these factors at most.
const SAFETY: f64 = 0.9;
const SHRINKS: f64 = 0.2;
const GROWS: f64 = 10.0;

fn tableau(method: &Method) -> &'static Tableau {
    match method {
        Method::Euler { .. } => &EULER,
        Method::RungeKutta4 { .. } => &RUNGE_KUTTA_4,
        Method::DormandPrince { .. } => &DORMAND_PRINCE,
    }
}

/// The steps that a chunk took, and the memory of its solver.
#[derive(Clone, Debug, Default)]
pub(super) struct Trajectory<F> {
    /// By step and lane, of each row's own steps: t and h.
    times: Vec<f64>,
    sizes: Vec<f64>,
    /// By step, stage, element and lane: the points at which v was evaluated.
    points: Vec<F>,
    /// The number of steps of each lane.
    counts: Vec<usize>,
    base: Vec<F>,
    slopes: Vec<F>,
    weights: Vec<F>,
    /// The sizes of the step of all lanes; its points, and where it ends.
    step: Vec<F>,
    stages: Vec<F>,
    end: Vec<F>,
    rows: Vec<Progress>,
}

/// Where a row has arrived.
#[derive(Clone, Copy, Debug)]
struct Progress {
    t: f64,
    h: f64,
    tried: usize,
    /// Whether the last step was rejected.
    after_rejection: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Moving,
    Arrived,
    Failed,
}

/// The rows of a chunk that are integrated together.
#[derive(Clone, Copy)]
struct Extent {
    /// Elements of z.
    n: usize,
    lanes: Lanes,
}

impl Extent {
    fn len(self) -> usize {
        self.n * self.lanes.stride
    }
}

impl<F: Number> Chunk<'_, F> {
    /// Solves an initial-value problem, or computes the adjoints of its solution.
    pub(super) fn integrate<S: Simd>(&mut self, simd: S, own: &Integration) {
        if self.space.trajectories.len() <= own.motion {
            self.space.trajectories.resize_with(own.motion + 1, Trajectory::default);
        }
        let mut kept = std::mem::take(&mut self.space.trajectories[own.motion]);
        let extent = Extent { n: own.state.count, lanes: self.lanes };
        match &own.direction {
            Direction::Forwards { start, velocity, end, keeps } => {
                kept.base.resize(extent.len(), F::zero());
                self.load(start, &mut kept.base);
                kept.counts.clear();
                kept.counts.resize(self.lanes.stride, 0);
                for list in [&mut kept.times, &mut kept.sizes] {
                    list.clear();
                }
                kept.points.clear();
                let velocity = Velocity { own, velocity, keeps: *keeps, extent };
                let problem = &own.problem.integration;
                let steps = match problem.method {
                    Method::DormandPrince { relative, absolute, most_steps } => {
                        let control = Control { problem, relative, absolute, most_steps };
                        self.adaptive(simd, &velocity, &mut kept, &control)
                    }
                    Method::Euler { steps } | Method::RungeKutta4 { steps } => {
                        self.equal_steps(simd, &velocity, &mut kept, steps)
                    }
                };
                self.space.steps.add(&steps);
                rows_mut(&mut self.space.rows, *end, self.lanes.stride).copy_from_slice(&kept.base);
            }
            Direction::Backwards { .. } => self.backwards(simd, own, &mut kept, extent),
        }
        self.space.trajectories[own.motion] = kept;
    }

    /// Reads registers, one after another.
    fn load(&self, from: &[Register], to: &mut [F]) {
        let stride = self.lanes.stride;
        for (register, to) in from.iter().zip(to.chunks_exact_mut(stride)) {
            match register.kind() {
                Kind::Shared(index) => to.fill(self.shared[index]),
                Kind::Row(row) => to.copy_from_slice(&self.space.rows[row.index() * stride..][..stride]),
            }
        }
    }

    fn set_times(&mut self, row: Row, t: impl Fn(usize) -> f64) {
        let stride = self.lanes.stride;
        let times = &mut self.space.rows[row.index() * stride..][..stride];
        times.iter_mut().enumerate().for_each(|(lane, time)| *time = F::of(t(lane)));
    }

    /// Evaluates v at the points that are in the rows of the state.
    fn evaluate<S: Simd>(&mut self, simd: S, velocity: &Velocity<'_>, slopes: &mut [F]) {
        self.run_list(simd, &velocity.own.body);
        self.load(velocity.velocity, slopes);
    }

    /// Takes steps of equal size.
    fn equal_steps<S: Simd>(
        &mut self,
        simd: S,
        velocity: &Velocity<'_>,
        kept: &mut Trajectory<F>,
        steps: usize,
    ) -> Steps {
        let Extent { lanes, .. } = velocity.extent;
        let (stride, size) = (lanes.stride, velocity.extent.len());
        let tape::Integration { from, to, method, .. } = velocity.own.problem.integration;
        let tableau = tableau(&method);
        let stages = tableau.c.len();
        let h = (to - from) / steps as f64;
        kept.step.clear();
        kept.step.resize(stride, F::of(h));
        kept.slopes.resize(stages * size, F::zero());
        for step in 0..steps {
            for stage in 0..stages {
                let t = from + h * (step as f64 + tableau.c[stage]);
                self.set_times(velocity.own.time, |_| t);
                let state = rows_mut(&mut self.space.rows, velocity.own.state, stride);
                combine(state, &kept.base, &kept.slopes, tableau.a[stage], &kept.step);
                if velocity.keeps {
                    kept.points.extend_from_slice(state);
                }
                self.evaluate(simd, velocity, &mut kept.slopes[stage * size..][..size]);
            }
            if velocity.keeps {
                kept.times.resize(kept.times.len() + stride, from + h * step as f64);
                kept.sizes.resize(kept.sizes.len() + stride, h);
            }
            let Trajectory { base, slopes, step, .. } = kept;
            advance(base, slopes, tableau.b, step);
        }
        kept.counts.fill(steps);
        let rows = lanes.count as u64;
        Steps {
            solutions: rows,
            accepted: rows * steps as u64,
            evaluations: rows * (steps * stages) as u64,
            ..Steps::default()
        }
    }

    /// Takes steps whose sizes follow from error estimates, row by row.
    fn adaptive<S: Simd>(
        &mut self,
        simd: S,
        velocity: &Velocity<'_>,
        kept: &mut Trajectory<F>,
        control: &Control<'_>,
    ) -> Steps {
        let Extent { n, lanes } = velocity.extent;
        let (stride, size) = (lanes.stride, velocity.extent.len());
        let tape::Integration { from, to, .. } = *control.problem;
        let tableau = &DORMAND_PRINCE;
        let stages = tableau.c.len();
        // The stages of a step, and the velocity at its end.
        kept.slopes.resize((stages + 1) * size, F::zero());
        let mut counted = Steps { solutions: lanes.count as u64, ..Steps::default() };
        let progress = Progress { t: from, h: 0.0, tried: 0, after_rejection: false, state: State::Moving };
        kept.rows.clear();
        kept.rows.resize(stride, progress);
        if from != to {
            self.first_sizes(simd, velocity, kept, control);
            counted.evaluations += 2 * lanes.count as u64;
        } else {
            kept.rows.iter_mut().for_each(|row| row.state = State::Arrived);
        }
        kept.step.resize(stride, F::zero());
        kept.end.resize(size, F::zero());
        kept.stages.resize(stages * size, F::zero());
        while kept.rows.iter().any(|row| row.state == State::Moving) {
            for (size, row) in kept.step.iter_mut().zip(&kept.rows) {
                *size = if row.state == State::Moving { F::of(row.h) } else { F::zero() };
            }
            kept.stages[..size].copy_from_slice(&kept.base);
            for stage in 1..=stages {
                // The last one is at the end of the step.
                let (a, c) = match stage == stages {
                    true => (tableau.b, 1.0),
                    false => (tableau.a[stage], tableau.c[stage]),
                };
                let rows = &kept.rows;
                let time = |lane: usize| {
                    let row = &rows[lane];
                    match row.state {
                        State::Moving if c == 1.0 => row.end(to),
                        State::Moving => row.t + c * row.h,
                        _ => row.t,
                    }
                };
                let times = &mut self.space.rows[velocity.own.time.index() * stride..][..stride];
                times.iter_mut().enumerate().for_each(|(lane, own)| *own = F::of(time(lane)));
                let state = rows_mut(&mut self.space.rows, velocity.own.state, stride);
                combine(state, &kept.base, &kept.slopes, a, &kept.step);
                let place = match stage == stages {
                    true => &mut kept.end[..],
                    false => &mut kept.stages[stage * size..][..size],
                };
                place.copy_from_slice(state);
                self.evaluate(simd, velocity, &mut kept.slopes[stage * size..][..size]);
            }
            for lane in 0..stride {
                if kept.rows[lane].state != State::Moving {
                    continue;
                }
                let counts = lane < lanes.count;
                counted.evaluations += if counts { stages as u64 } else { 0 };
                let error = control.error(kept, n, stride, lane);
                let mut row = kept.rows[lane];
                row.tried += 1;
                let accepted = error <= 1.0;
                let factor = match error > 0.0 || error.is_nan() {
                    true if error.is_nan() => SHRINKS,
                    true => (SAFETY * error.powf(-0.2)).clamp(SHRINKS, GROWS),
                    false => GROWS,
                };
                if accepted {
                    counted.accepted += u64::from(counts);
                    if velocity.keeps {
                        kept.keep(stages, n, stride, lane);
                    }
                    let next = row.end(to);
                    for e in 0..n {
                        let at = e * stride + lane;
                        kept.base[at] = kept.end[at];
                        kept.slopes[at] = kept.slopes[stages * size + at];
                    }
                    row.t = next;
                    if row.t == to {
                        row.state = State::Arrived;
                    }
                } else {
                    counted.rejected += u64::from(counts);
                }
                // Directly after a rejection a step does not grow.
                let most = if row.after_rejection || !accepted { 1.0 } else { GROWS };
                row.h *= factor.min(most);
                row.after_rejection = !accepted;
                let rest = to - row.t;
                if row.h.abs() >= rest.abs() {
                    row.h = rest;
                }
                let stands = row.t + row.h == row.t;
                if row.state == State::Moving && (row.tried >= control.most_steps || stands) {
                    row.state = State::Failed;
                    counted.failed += u64::from(counts);
                    (0..n).for_each(|e| kept.base[e * stride + lane] = F::nan());
                }
                kept.rows[lane] = row;
            }
        }
        counted
    }

    /// The sizes of first steps, as in Hairer, Nørsett and Wanner, section II.4: from the sizes of z, v and of the change of v
    /// along a short step of Euler's method. Leaves v at the beginning as the first slope.
    fn first_sizes<S: Simd>(
        &mut self,
        simd: S,
        velocity: &Velocity<'_>,
        kept: &mut Trajectory<F>,
        control: &Control<'_>,
    ) {
        let Extent { n, lanes: Lanes { stride, .. } } = velocity.extent;
        let size = velocity.extent.len();
        let (from, span) = (control.problem.from, control.problem.to - control.problem.from);
        self.set_times(velocity.own.time, |_| from);
        rows_mut(&mut self.space.rows, velocity.own.state, stride).copy_from_slice(&kept.base);
        self.evaluate(simd, velocity, &mut kept.slopes[..size]);
        let controlled = control.problem.controlled.min(n);
        let scaled = |values: &dyn Fn(usize) -> f64, base: &[F], lane: usize| {
            let sum = (0..controlled).map(|e| {
                let at = e * stride + lane;
                let scale = control.absolute + control.relative * base[at].to_double().abs();
                (values(at) / scale).powi(2)
            });
            (sum.sum::<f64>() / controlled.max(1) as f64).sqrt()
        };
        kept.step.resize(stride, F::zero());
        for lane in 0..stride {
            let position = scaled(&|at| kept.base[at].to_double(), &kept.base, lane);
            let speed = scaled(&|at| kept.slopes[at].to_double(), &kept.base, lane);
            let small = position < 1e-5 || speed < 1e-5;
            let guess = if small { 1e-6 } else { 0.01 * position / speed };
            kept.rows[lane].h = guess.min(span.abs()) * span.signum();
            kept.step[lane] = F::of(kept.rows[lane].h);
        }
        self.set_times(velocity.own.time, |lane| from + kept.rows[lane].h);
        let state = rows_mut(&mut self.space.rows, velocity.own.state, stride);
        combine(state, &kept.base, &kept.slopes, &[1.0], &kept.step);
        self.evaluate(simd, velocity, &mut kept.slopes[size..2 * size]);
        for lane in 0..stride {
            let speed = scaled(&|at| kept.slopes[at].to_double(), &kept.base, lane);
            let change = |at: usize| (kept.slopes[size + at] - kept.slopes[at]).to_double();
            let short = kept.rows[lane].h.abs();
            let bend = scaled(&change, &kept.base, lane) / short;
            let most = speed.max(bend);
            let guess = match most <= 1e-15 {
                true => (short * 1e-3).max(1e-6),
                false => (0.01 / most).powf(0.2),
            };
            let h = (100.0 * short).min(guess).min(span.abs());
            // A velocity that is not finite is met again by the first step, and reported as its error.
            let h = if h.is_finite() && h > 0.0 { h } else { span.abs() };
            kept.rows[lane].h = h * span.signum();
        }
    }

    /// Computes adjoints: from the last step to the first, and from the last stage of each to the first.
    fn backwards<S: Simd>(&mut self, simd: S, own: &Integration, kept: &mut Trajectory<F>, extent: Extent) {
        let Direction::Backwards { weight, stage_weight, back, initial, shares } = &own.direction else {
            unreachable!("adjoints go backwards")
        };
        let (n, stride, size) = (extent.n, extent.lanes.stride, extent.len());
        let tableau = tableau(&own.problem.integration.method);
        let stages = tableau.c.len();
        kept.weights.resize(size, F::zero());
        let mut weights = std::mem::take(&mut kept.weights);
        self.load(weight, &mut weights);
        for (_, to) in shares {
            rows_mut(&mut self.space.rows, *to, stride).fill(F::zero());
        }
        kept.slopes.resize(stages * size, F::zero());
        let longest = kept.counts.iter().copied().max().unwrap_or(0);
        let mut sizes = std::mem::take(&mut kept.step);
        sizes.resize(stride, F::zero());
        for step in (0..longest).rev() {
            // A row with fewer steps stands at the first point of its last one, with a weight of 0.
            let of = |lane: usize| (step < kept.counts[lane], step.min(kept.counts[lane].max(1) - 1));
            for (lane, size) in sizes.iter_mut().enumerate() {
                *size = if of(lane).0 { F::of(kept.sizes[step * stride + lane]) } else { F::zero() };
            }
            for stage in (0..stages).rev() {
                // Σ_{j > i} a_ji μ_j, where μ is kept in the place of slopes.
                let later: SmallVec<[(usize, F); 6]> = (stage + 1..stages)
                    .map(|j| (j, F::of(tableau.a[j][stage])))
                    .filter(|(_, a)| *a != F::zero())
                    .collect();
                let b = F::of(tableau.b[stage]);
                let place = rows_mut(&mut self.space.rows, *stage_weight, stride);
                for e in 0..n {
                    for (lane, step) in sizes.iter().enumerate().take(stride) {
                        let at = e * stride + lane;
                        let mut sum = b * weights[at];
                        for (j, a) in &later {
                            sum = sum + *a * kept.slopes[j * size + at];
                        }
                        // Also where the weight is infinite or NaN.
                        place[at] = if *step == F::zero() { F::zero() } else { *step * sum };
                    }
                }
                for lane in 0..stride {
                    let (own_step, at) = of(lane);
                    let from = if own_step { (at * stages + stage) * size } else { at * stages * size };
                    for e in 0..n {
                        let target = (own.state.first.index() + e) * stride + lane;
                        let point = kept.points.get(from + e * stride + lane).copied();
                        self.space.rows[target] = point.unwrap_or(F::zero());
                    }
                    let (t, h) = kept
                        .times
                        .get(at * stride + lane)
                        .map_or((0.0, 0.0), |t| (*t, kept.sizes[at * stride + lane]));
                    let t = if own_step { t + tableau.c[stage] * h } else { t };
                    self.space.rows[own.time.index() * stride + lane] = F::of(t);
                }
                self.run_list(simd, &own.body);
                match back {
                    None => kept.slopes[stage * size..][..size].fill(F::zero()),
                    Some(back) => self.load(back, &mut kept.slopes[stage * size..][..size]),
                }
                for (from, to) in shares {
                    for (register, to) in from.iter().zip(to.iter()) {
                        let to = to.index() * stride;
                        for (lane, step) in sizes.iter().enumerate().take(stride) {
                            let share = match register.kind() {
                                Kind::Shared(index) => self.shared[index],
                                Kind::Row(row) => self.space.rows[row.index() * stride + lane],
                            };
                            if *step != F::zero() {
                                self.space.rows[to + lane] = self.space.rows[to + lane] + share;
                            }
                        }
                    }
                }
            }
            for stage in 0..stages {
                for e in 0..n {
                    for (lane, step) in sizes.iter().enumerate().take(stride) {
                        let at = e * stride + lane;
                        if *step != F::zero() {
                            weights[at] = weights[at] + kept.slopes[stage * size + at];
                        }
                    }
                }
            }
        }
        if let Some(initial) = initial {
            rows_mut(&mut self.space.rows, *initial, stride).copy_from_slice(&weights);
        }
        (kept.weights, kept.step) = (weights, sizes);
    }
}

/// What evaluates v.
struct Velocity<'a> {
    own: &'a Integration,
    velocity: &'a [Register],
    keeps: bool,
    extent: Extent,
}

/// What step sizes are chosen by.
struct Control<'a> {
    problem: &'a tape::Integration,
    relative: f64,
    absolute: f64,
    most_steps: usize,
}

impl Control<'_> {
    /// The root mean square of the scaled errors of a row's step; NaN if a number is not finite.
    fn error<F: Number>(&self, kept: &Trajectory<F>, n: usize, stride: usize, lane: usize) -> f64 {
        let (size, h, end) = (n * stride, kept.rows[lane].h, &kept.end);
        let controlled = self.problem.controlled.min(n);
        let mut sum = 0.0;
        for e in 0..n {
            let at = e * stride + lane;
            if !end[at].is_finite() {
                return f64::NAN;
            }
            if e >= controlled {
                continue;
            }
            let slope = |stage: usize| kept.slopes[stage * size + at].to_double();
            let error: f64 = DIFFERENCE.iter().enumerate().map(|(stage, d)| d * slope(stage)).sum();
            let largest = kept.base[at].abs().max(end[at].abs()).to_double();
            sum += (h * error / (self.absolute + self.relative * largest)).powi(2);
        }
        (sum / controlled.max(1) as f64).sqrt()
    }
}

impl Progress {
    /// The time after a step; the last one ends exactly at the end.
    fn end(&self, to: f64) -> f64 {
        if self.h == to - self.t { to } else { self.t + self.h }
    }
}

impl<F: Number> Trajectory<F> {
    /// Keeps the points of a row's step as the next of this row.
    fn keep(&mut self, stages: usize, n: usize, stride: usize, lane: usize) {
        let (step, size) = (self.counts[lane], n * stride);
        if self.times.len() < (step + 1) * stride {
            self.times.resize((step + 1) * stride, 0.0);
            self.sizes.resize((step + 1) * stride, 0.0);
            self.points.resize((step + 1) * stages * size, F::zero());
        }
        let Progress { t, h, .. } = self.rows[lane];
        (self.times[step * stride + lane], self.sizes[step * stride + lane]) = (t, h);
        for stage in 0..stages {
            for e in 0..n {
                let at = e * stride + lane;
                self.points[(step * stages + stage) * size + at] = self.stages[stage * size + at];
            }
        }
        self.counts[lane] += 1;
    }
}

impl Steps {
    fn add(&mut self, other: &Steps) {
        self.solutions += other.solutions;
        self.accepted += other.accepted;
        self.rejected += other.rejected;
        self.evaluations += other.evaluations;
        self.failed += other.failed;
    }
}

fn rows_mut<F>(rows: &mut [F], own: Rows, stride: usize) -> &mut [F] {
    &mut rows[own.first.index() * stride..][..own.count * stride]
}

/// base + h Σ aⱼkⱼ, with the h of each lane; slopes follow one another.
fn combine<F: Number>(out: &mut [F], base: &[F], slopes: &[F], a: &[f64], sizes: &[F]) {
    let (size, stride) = (base.len(), sizes.len());
    out.fill(F::zero());
    for (j, a) in a.iter().enumerate().filter(|(_, a)| **a != 0.0) {
        let a = F::of(*a);
        out.iter_mut().zip(&slopes[j * size..][..size]).for_each(|(sum, slope)| *sum = *sum + a * *slope);
    }
    for (out, base) in out.chunks_exact_mut(stride).zip(base.chunks_exact(stride)) {
        for ((out, base), h) in out.iter_mut().zip(base).zip(sizes) {
            // A row that waits stands where it is, whatever its slopes are.
            *out = if *h == F::zero() { *base } else { *base + *h * *out };
        }
    }
}

/// base ← base + h Σ bⱼkⱼ.
fn advance<F: Number>(base: &mut [F], slopes: &[F], b: &[f64], sizes: &[F]) {
    let (size, stride) = (base.len(), sizes.len());
    for (at, base) in base.iter_mut().enumerate() {
        let sum = b.iter().enumerate().fold(F::zero(), |sum, (j, b)| sum + F::of(*b) * slopes[j * size + at]);
        *base = *base + sizes[at % stride] * sum;
    }
}
