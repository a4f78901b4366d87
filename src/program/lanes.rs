//! The kernels of a chunk: each instruction on rows of lanes, with one instruction set.

use pulp::{Simd, WithSimd};

use super::instruction::{Equation, Instruction, Work};
use super::matrix::Packed;
use super::place::{Place, Segment};
use super::run::Space;
use crate::kernel::{self, Function, Operation};
use crate::sweep::value::{Lanes, Number, evaluate};
use crate::tape::{Op, Shape};

/// How the lanes of a chunk lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    /// Rows of the batch.
    pub count: usize,
    /// Numbers from one row of memory to the next; what is beyond the count is computed and not used.
    pub stride: usize,
}

/// Numbers of whole registers of every instruction set.
const STEP: usize = 16;

impl Lane {
    pub fn new(count: usize) -> Lane {
        Lane { count, stride: count.next_multiple_of(STEP) }
    }
}

/// Numbers that programs run on: `f64` and `f32`.
///
/// The kernels of each are compiled once, here, for every instruction set, and not again wherever a program is used.
pub trait Element: Number {
    #[doc(hidden)]
    fn run(chunk: Chunk<'_, Self>);
}

impl Element for f64 {
    fn run(chunk: Chunk<'_, f64>) {
        dispatch(chunk);
    }
}

impl Element for f32 {
    fn run(chunk: Chunk<'_, f32>) {
        dispatch(chunk);
    }
}

/// Runs a chunk with the instruction set that is best for it: AVX2 where an x86 has it. AVX-512 gains little for
/// products, and all kernels would be compiled a third time.
#[inline(always)]
fn dispatch<F: Number>(chunk: Chunk<'_, F>) {
    #[cfg(target_arch = "x86_64")]
    match pulp::x86::V3::try_new() {
        Some(simd) => pulp::Simd::vectorize(simd, chunk),
        None => pulp::Simd::vectorize(pulp::Scalar::new(), chunk),
    }
    #[cfg(not(target_arch = "x86_64"))]
    pulp::Arch::new().dispatch(chunk);
}

/// A chunk's work, to be done with one instruction set.
pub struct Chunk<'a, F> {
    pub(super) instructions: &'a [Instruction],
    pub(super) matrices: &'a [Packed<F>],
    pub(super) shared: &'a [F],
    pub(super) lane: Lane,
    pub(super) space: &'a mut Space<F>,
}

impl<F: Number> WithSimd for Chunk<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Chunk { instructions, matrices, shared, lane, space } = self;
        Context { matrices, shared, lane, space }.run(simd, instructions);
    }
}

/// What a chunk works with.
pub(super) struct Context<'a, F> {
    pub matrices: &'a [Packed<F>],
    pub shared: &'a [F],
    pub lane: Lane,
    pub space: &'a mut Space<F>,
}

/// An operand of an elementwise kernel.
enum Operand<'a, F> {
    Rows(&'a [F]),
    Number(F),
}

/// Rows of which some are written while others are read.
struct Split<'a, F> {
    before: &'a [F],
    after: &'a [F],
    /// Where `after` begins.
    end: usize,
}

impl<'a, F: Number> Split<'a, F> {
    /// The numbers from row `first` on, for `count` rows.
    fn rows(&self, first: usize, count: usize, stride: usize) -> &'a [F] {
        let (start, length) = (first * stride, count * stride);
        match start + length <= self.before.len() {
            true => &self.before[start..start + length],
            false => &self.after[start - self.end..][..length],
        }
    }

    fn operand(&self, place: Place, count: usize, stride: usize, shared: &[F]) -> Operand<'a, F> {
        match place.is_shared() {
            true => Operand::Number(shared[place.index()]),
            false => Operand::Rows(self.rows(place.index(), count, stride)),
        }
    }
}

/// The rows that are written, and all others to read.
fn split<F>(rows: &mut [F], first: usize, count: usize, stride: usize) -> (&mut [F], Split<'_, F>) {
    let (start, end) = (first * stride, (first + count) * stride);
    let (before, rest) = rows.split_at_mut(start);
    let (out, after) = rest.split_at_mut(count * stride);
    (out, Split { before, after, end })
}

impl<F: Number> Context<'_, F> {
    /// Runs instructions one after another.
    #[inline(always)]
    pub(super) fn run<S: Simd>(&mut self, simd: S, instructions: &[Instruction]) {
        for instruction in instructions {
            match &instruction.work {
                Work::Elementwise { op, segments } => self.elementwise(simd, op, segments),
                Work::Sum { out, terms } => self.sum(*out, terms),
                Work::Product { matrix, from, out, bias, columns } => {
                    self.product(simd, *matrix, (*from, *out), bias.as_deref(), *columns);
                }
                Work::Dots { out, rows } => self.dots(*out, rows),
                Work::Copy { out, from } => self.copy(*out, from),
                Work::Lanewise { op, from, out, shapes } => self.lanewise(op, (*from, *out), *shapes),
                Work::AddLanes { from, to } => self.add_lanes(from, *to),
                Work::AddOuter { left, right, to } => self.add_outer(simd, *left, *right, *to),
                Work::Solve(equation) => self.solve(simd, equation),
            }
        }
    }

    #[inline(always)]
    fn elementwise<S: Simd>(&mut self, simd: S, op: &Op, segments: &[Segment]) {
        let one = |context: &mut Self, f: &dyn Fn(F) -> F| context.each(segments, f);
        match op {
            Op::Neg => self.map(simd, kernel::Neg, segments),
            Op::Recip => self.map(simd, kernel::Recip, segments),
            Op::Exp => self.map(simd, kernel::Exp, segments),
            Op::Ln => self.map(simd, kernel::Ln, segments),
            Op::ExpM1 => self.map(simd, kernel::ExpM1, segments),
            Op::Ln1p => self.map(simd, kernel::Ln1p, segments),
            Op::Tanh => self.map(simd, kernel::Tanh, segments),
            Op::Sigmoid => self.map(simd, kernel::Sigmoid, segments),
            Op::Softplus => self.map(simd, kernel::Softplus, segments),
            Op::Sqrt => self.map(simd, kernel::Sqrt, segments),
            Op::Abs => self.map(simd, kernel::Abs, segments),
            Op::Sign => self.map(simd, kernel::Sign, segments),
            Op::Powi(k) => self.map(simd, kernel::Powi(*k), segments),
            Op::Add => self.zip(simd, kernel::Add, segments),
            Op::Sub => self.zip(simd, kernel::Sub, segments),
            Op::Mul => self.zip(simd, kernel::Mul, segments),
            Op::Div => self.zip(simd, kernel::Div, segments),
            Op::Min => self.zip(simd, kernel::Min, segments),
            Op::Max => self.zip(simd, kernel::Max, segments),
            Op::Less => self.zip(simd, kernel::Less, segments),
            Op::LessEq => self.zip(simd, kernel::LessEq, segments),
            Op::Select => self.select(simd, segments),
            Op::Sin => one(self, &F::sin),
            Op::Cos => one(self, &F::cos),
            Op::Sinh => one(self, &F::sinh),
            Op::Cosh => one(self, &F::cosh),
            _ => self.by_value(op, segments),
        }
    }

    #[inline(always)]
    fn map<S: Simd>(&mut self, simd: S, function: impl Function, segments: &[Segment]) {
        let stride = self.lane.stride;
        for segment in segments {
            let (out, read) = split(&mut self.space.rows, segment.out, segment.count, stride);
            match read.operand(segment.operands[0], segment.count, stride, self.shared) {
                Operand::Rows(a) => kernel::map(simd, function, a, out),
                Operand::Number(a) => {
                    let mut one = [F::zero()];
                    kernel::map(simd, function, &[a], &mut one);
                    out.fill(one[0]);
                }
            }
        }
    }

    #[inline(always)]
    fn zip<S: Simd>(&mut self, simd: S, operation: impl Operation, segments: &[Segment]) {
        let stride = self.lane.stride;
        for segment in segments {
            let (out, read) = split(&mut self.space.rows, segment.out, segment.count, stride);
            let of = |k: usize| read.operand(segment.operands[k], segment.count, stride, self.shared);
            match (of(0), of(1)) {
                (Operand::Rows(a), Operand::Rows(b)) => kernel::zip(simd, operation, a, b, out),
                (Operand::Rows(a), Operand::Number(b)) => kernel::zip(simd, operation, a, b, out),
                (Operand::Number(a), Operand::Rows(b)) => kernel::zip(simd, operation, a, b, out),
                (Operand::Number(a), Operand::Number(b)) => kernel::zip(simd, operation, a, b, out),
            }
        }
    }

    #[inline(always)]
    fn select<S: Simd>(&mut self, simd: S, segments: &[Segment]) {
        let stride = self.lane.stride;
        for segment in segments {
            let (out, read) = split(&mut self.space.rows, segment.out, segment.count, stride);
            let of = |k: usize| read.operand(segment.operands[k], segment.count, stride, self.shared);
            let (then, otherwise) = (of(1), of(2));
            let condition = match of(0) {
                Operand::Rows(condition) => condition,
                // One condition for all lanes: the branch taken is copied.
                Operand::Number(condition) => {
                    match if condition == F::zero() { otherwise } else { then } {
                        Operand::Rows(a) => out.copy_from_slice(a),
                        Operand::Number(a) => out.fill(a),
                    }
                    continue;
                }
            };
            match (then, otherwise) {
                (Operand::Rows(a), Operand::Rows(b)) => kernel::select(simd, condition, a, b, out),
                (Operand::Rows(a), Operand::Number(b)) => kernel::select(simd, condition, a, b, out),
                (Operand::Number(a), Operand::Rows(b)) => kernel::select(simd, condition, a, b, out),
                (Operand::Number(a), Operand::Number(b)) => kernel::select(simd, condition, a, b, out),
            }
        }
    }

    /// A function of the standard library, lane by lane.
    fn each(&mut self, segments: &[Segment], f: &dyn Fn(F) -> F) {
        let stride = self.lane.stride;
        for segment in segments {
            let (out, read) = split(&mut self.space.rows, segment.out, segment.count, stride);
            match read.operand(segment.operands[0], segment.count, stride, self.shared) {
                Operand::Rows(a) => out.iter_mut().zip(a).for_each(|(value, a)| *value = f(*a)),
                Operand::Number(a) => out.fill(f(a)),
            }
        }
    }

    /// What has no kernel of its own: by the value sweep.
    fn by_value(&mut self, op: &Op, segments: &[Segment]) {
        let stride = self.lane.stride;
        for segment in segments {
            let (out, read) = split(&mut self.space.rows, segment.out, segment.count, stride);
            let shape = Shape::Vector(segment.count);
            let operands: smallvec::SmallVec<[Lanes<'_, F>; 3]> = segment
                .operands
                .iter()
                .map(|place| match place.is_shared() {
                    // A shared number stands for itself in a segment of one element or more.
                    true => {
                        let index = place.index();
                        let values = &self.shared[index..index + 1];
                        Lanes { values, width: 1, shape: Shape::Scalar, zeros: &[] }
                    }
                    false => {
                        let values = read.rows(place.index(), segment.count, stride);
                        Lanes { values, width: stride, shape, zeros: &[] }
                    }
                })
                .collect();
            // Element by element where a shared number is repeated: the value sweep knows no such operand.
            if operands.iter().all(|operand| operand.width == stride) || segment.count == 1 {
                evaluate(op, shape, &operands, out, stride, &[]);
                continue;
            }
            for (e, row) in out.chunks_exact_mut(stride).enumerate() {
                let own: smallvec::SmallVec<[Lanes<'_, F>; 3]> = operands
                    .iter()
                    .map(|operand| match operand.width == stride {
                        true => {
                            let values = &operand.values[e * stride..(e + 1) * stride];
                            Lanes { values, width: stride, shape: Shape::Scalar, zeros: &[] }
                        }
                        false => *operand,
                    })
                    .collect();
                evaluate(op, Shape::Scalar, &own, row, stride, &[]);
            }
        }
    }

    #[inline(always)]
    fn sum(&mut self, out: usize, terms: &[Place]) {
        let stride = self.lane.stride;
        let (out, read) = split(&mut self.space.rows, out, 1, stride);
        // The compiler makes sums of two terms at least.
        let of = |place: Place| read.operand(place, 1, stride, self.shared);
        match of(terms[0]) {
            Operand::Rows(a) => out.copy_from_slice(a),
            Operand::Number(a) => out.fill(a),
        }
        for place in &terms[1..] {
            match of(*place) {
                Operand::Rows(a) => add_to(out, a),
                Operand::Number(a) => add_number(out, a),
            }
        }
    }

    #[inline(always)]
    fn product<S: Simd>(
        &mut self,
        simd: S,
        matrix: usize,
        (from, to): (usize, usize),
        bias: Option<&[Place]>,
        columns: usize,
    ) {
        let packed = self.matrices[matrix].packed();
        let stride = self.lane.stride;
        let Space { rows, panel, .. } = &mut *self.space;
        let (out, read) = split(rows, to, packed.rows() * columns, stride);
        let b = read.rows(from, packed.columns() * columns, stride);
        let lanes = kernel::Lanes { count: columns * stride, stride: columns * stride };
        match bias {
            None => kernel::multiply(simd, packed, b, out, lanes, panel),
            Some(bias) => {
                for (row, place) in out.chunks_exact_mut(stride).zip(bias) {
                    row.fill(self.shared[place.index()]);
                }
                kernel::multiply_add(simd, packed, b, out, lanes, panel);
            }
        }
    }

    #[inline(always)]
    fn dots(&mut self, out: usize, rows: &[Vec<(Place, Place)>]) {
        let stride = self.lane.stride;
        for (e, pairs) in rows.iter().enumerate() {
            let (out, read) = split(&mut self.space.rows, out + e, 1, stride);
            out.fill(F::zero());
            let of = |place: Place| read.operand(place, 1, stride, self.shared);
            for (a, b) in pairs {
                match (of(*a), of(*b)) {
                    (Operand::Rows(a), Operand::Rows(b)) => add_product(out, a, b),
                    (Operand::Rows(a), Operand::Number(b)) | (Operand::Number(b), Operand::Rows(a)) => {
                        add_multiple(out, a, b);
                    }
                    (Operand::Number(a), Operand::Number(b)) => add_number(out, a * b),
                }
            }
        }
    }

    fn copy(&mut self, out: usize, from: &[Place]) {
        let stride = self.lane.stride;
        for (e, place) in from.iter().enumerate() {
            let (out, read) = split(&mut self.space.rows, out + e, 1, stride);
            match read.operand(*place, 1, stride, self.shared) {
                Operand::Rows(a) => out.copy_from_slice(a),
                Operand::Number(a) => out.fill(a),
            }
        }
    }

    fn lanewise(&mut self, op: &Op, (from, to): (usize, usize), (shape, result): (Shape, Shape)) {
        let stride = self.lane.stride;
        let (out, read) = split(&mut self.space.rows, to, result.len(), stride);
        let values = read.rows(from, shape.len(), stride);
        evaluate(op, result, &[Lanes { values, width: stride, shape, zeros: &[] }], out, stride, &[]);
    }

    fn add_lanes(&mut self, from: &[Place], to: usize) {
        let Lane { count, stride } = self.lane;
        for (e, place) in from.iter().enumerate() {
            let share = match place.is_shared() {
                true => F::of(count as f64) * self.shared[place.index()],
                false => total(&self.space.rows[place.index() * stride..][..count]),
            };
            let sum = &mut self.space.sums[to + e];
            *sum = *sum + share;
        }
    }

    #[inline(always)]
    fn add_outer<S: Simd>(&mut self, simd: S, left: (usize, usize), right: (usize, usize), to: usize) {
        let Lane { count, stride } = self.lane;
        let Space { rows, sums, .. } = &mut *self.space;
        let a = &rows[left.0 * stride..(left.0 + left.1) * stride];
        let b = &rows[right.0 * stride..(right.0 + right.1) * stride];
        let sums = &mut sums[to..to + left.1 * right.1];
        kernel::add_outer(simd, a, b, kernel::Lanes { count, stride }, [left.1, right.1], sums);
    }

    #[inline(always)]
    fn solve<S: Simd>(&mut self, simd: S, equation: &Equation) {
        // Equations nest: not inlined into themselves, but compiled for the instruction set all the same.
        struct Solve<'a, 'b, F> {
            context: &'a mut Context<'b, F>,
            equation: &'a Equation,
        }
        impl<F: Number> pulp::WithSimd for Solve<'_, '_, F> {
            type Output = ();
            fn with_simd<S: Simd>(self, simd: S) {
                self.context.solve_equation(simd, self.equation);
            }
        }
        simd.vectorize(Solve { context: self, equation });
    }

    fn solve_equation<S: Simd>(&mut self, simd: S, equation: &Equation) {
        let stride = self.lane.stride;
        match equation {
            Equation::Substitution { stages, takes } => {
                for (stage, (from, to)) in stages.iter().zip(takes) {
                    self.run_stage(simd, stage);
                    self.copy(*to, &[*from]);
                }
                stages[takes.len()..].iter().for_each(|stage| self.run_stage(simd, stage));
            }
            Equation::Root { once, iterate, unknowns, ends } => {
                self.run_stage(simd, once);
                let mut newton = self.space.newton.pop().unwrap_or_default();
                newton.start(*ends, unknowns.len() * stride);
                loop {
                    for (at, unknown) in newton.at().chunks_exact(stride).zip(unknowns) {
                        self.space.rows[unknown.row * stride..(unknown.row + 1) * stride].copy_from_slice(at);
                    }
                    // At the solution too: others may read what is computed there.
                    self.run_stage(simd, iterate);
                    if newton.is_done() {
                        break;
                    }
                    for (k, unknown) in unknowns.iter().enumerate() {
                        for lane in 0..stride {
                            let of = |place: Place| match place.is_shared() {
                                true => self.shared[place.index()],
                                false => self.space.rows[place.index() * stride + lane],
                            };
                            newton.step(k * stride + lane, of(unknown.value), of(unknown.slope));
                        }
                    }
                }
                self.space.newton.push(newton);
            }
        }
    }

    /// Instructions of an equation: behind a call, so that equations may nest.
    fn run_stage<S: Simd>(&mut self, simd: S, instructions: &[Instruction]) {
        struct Stage<'a, 'b, F> {
            context: &'a mut Context<'b, F>,
            instructions: &'a [Instruction],
        }
        impl<F: Number> pulp::WithSimd for Stage<'_, '_, F> {
            type Output = ();
            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                self.context.run(simd, self.instructions);
            }
        }
        simd.vectorize(Stage { context: self, instructions });
    }
}

// Plain loops: inlined into what is compiled for an instruction set, they become vector instructions.

#[inline(always)]
fn add_to<F: Number>(sums: &mut [F], a: &[F]) {
    sums.iter_mut().zip(a).for_each(|(sum, a)| *sum = *sum + *a);
}

#[inline(always)]
fn add_number<F: Number>(sums: &mut [F], a: F) {
    sums.iter_mut().for_each(|sum| *sum = *sum + a);
}

#[inline(always)]
fn add_product<F: Number>(sums: &mut [F], a: &[F], b: &[F]) {
    sums.iter_mut().zip(a).zip(b).for_each(|((sum, a), b)| *sum = *sum + *a * *b);
}

#[inline(always)]
fn add_multiple<F: Number>(sums: &mut [F], a: &[F], b: F) {
    sums.iter_mut().zip(a).for_each(|(sum, a)| *sum = *sum + *a * b);
}

/// How many running sums a total has: the same for every instruction set, so that its rounding is.
const RUNNING: usize = 16;

#[inline(always)]
fn total<F: Number>(a: &[F]) -> F {
    let mut sums = [F::zero(); RUNNING];
    let chunks = a.chunks_exact(RUNNING);
    let rest = chunks.remainder().iter().fold(F::zero(), |sum, a| sum + *a);
    for a in chunks {
        for k in 0..RUNNING {
            sums[k] = sums[k] + a[k];
        }
    }
    sums.iter().fold(rest, |sum, partial| sum + *partial)
}
