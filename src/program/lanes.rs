//! The kernels of a chunk: each instruction on rows of lanes, with one instruction set.

use pulp::{Simd, WithSimd};

use super::instruction::{Instruction, Work};
use super::matrix::Packed;
use super::place::{Place, Segment};
use super::run::Space;
use crate::kernel::{self, Function, Operation};
use crate::sweep::value::{Lanes, Number, evaluate};
use crate::tape::{Binary, Choice, Op, Shape, Unary};

/// How the lanes of a chunk lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    /// Rows of the batch.
    pub count: usize,
    /// Numbers from one row of memory to the next; what is beyond the count is computed and not used.
    pub stride: usize,
}

/// Bytes of whole registers of every instruction set.
const STEP: usize = 64;

impl Lane {
    /// So many lanes of this number type.
    pub fn of<F>(count: usize) -> Lane {
        Lane { count, stride: count.next_multiple_of(STEP / size_of::<F>()) }
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
pub(super) enum Operand<'a, F> {
    Rows(&'a [F]),
    Number(F),
}

/// Rows of which some are written while others are read.
pub(super) struct Split<'a, F> {
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

    pub fn operand(&self, place: Place, count: usize, stride: usize, shared: &[F]) -> Operand<'a, F> {
        match place.is_shared() {
            true => Operand::Number(shared[place.index()]),
            false => Operand::Rows(self.rows(place.index(), count, stride)),
        }
    }
}

/// The rows that are written, and all others to read.
pub(super) fn split<F>(
    rows: &mut [F],
    first: usize,
    count: usize,
    stride: usize,
) -> (&mut [F], Split<'_, F>) {
    let (start, end) = (first * stride, (first + count) * stride);
    let (before, rest) = rows.split_at_mut(start);
    let (out, after) = rest.split_at_mut(count * stride);
    (out, Split { before, after, end })
}

impl<F: Number> Context<'_, F> {
    /// Runs instructions one after another.
    #[inline(always)]
    fn run<S: Simd>(&mut self, simd: S, instructions: &[Instruction]) {
        for instruction in instructions {
            match &instruction.work {
                Work::Elementwise { op, segments } => self.elementwise(simd, op, segments),
                Work::TanhAndSlope { segments, slopes } => self.tanh_and_slope(simd, segments, slopes),
                Work::Chain { out, count, terms } => self.chain(simd, (*out, *count), terms),
                Work::Sum { out, terms } => self.sum(simd, *out, terms),
                Work::Product { matrix, from, out, bias, columns } => {
                    self.product(simd, *matrix, (*from, *out), bias.as_deref(), *columns);
                }
                Work::Dots { out, rows } => self.dots(simd, *out, rows),
                Work::Copy { out, from } => self.copy(*out, from),
                Work::Lanewise { op, from, out, shapes } => self.lanewise(op, (*from, *out), *shapes),
                Work::AddLanes { from, to } => self.add_lanes(simd, from, *to),
                Work::AddProducts { pairs, to } => self.add_products(simd, pairs, *to),
                Work::AddOuter { left, right, to, wanted } => {
                    self.add_outer(simd, left.0, right.0, *to, wanted);
                }
                Work::Solve(equation) => self.solve(simd, equation),
            }
        }
    }

    /// The same behind a call: compiled once for each instruction set, and so that equations may nest.
    pub(super) fn run_list<S: Simd>(&mut self, simd: S, instructions: &[Instruction]) {
        struct List<'a, 'b, F> {
            context: &'a mut Context<'b, F>,
            instructions: &'a [Instruction],
        }
        impl<F: Number> WithSimd for List<'_, '_, F> {
            type Output = ();
            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                self.context.run(simd, self.instructions);
            }
        }
        simd.vectorize(List { context: self, instructions });
    }

    #[inline(always)]
    fn elementwise<S: Simd>(&mut self, simd: S, op: &Op, segments: &[Segment]) {
        let one = |context: &mut Self, f: &dyn Fn(F) -> F| context.each(segments, f);
        match op {
            Op::Unary(Unary::Neg) => self.map(simd, kernel::Neg, segments),
            Op::Unary(Unary::Recip) => self.map(simd, kernel::Recip, segments),
            Op::Unary(Unary::Exp) => self.map(simd, kernel::Exp, segments),
            Op::Unary(Unary::Ln) => self.map(simd, kernel::Ln, segments),
            Op::Unary(Unary::ExpM1) => self.map(simd, kernel::ExpM1, segments),
            Op::Unary(Unary::Ln1p) => self.map(simd, kernel::Ln1p, segments),
            Op::Unary(Unary::Tanh) => self.map(simd, kernel::Tanh, segments),
            Op::Unary(Unary::SechSquared) => self.map(simd, kernel::SechSquared, segments),
            Op::Unary(Unary::Sigmoid) => self.map(simd, kernel::Sigmoid, segments),
            Op::Unary(Unary::Softplus) => self.map(simd, kernel::Softplus, segments),
            Op::Unary(Unary::Sqrt) => self.map(simd, kernel::Sqrt, segments),
            Op::Unary(Unary::Abs) => self.map(simd, kernel::Abs, segments),
            Op::Unary(Unary::Sign) => self.map(simd, kernel::Sign, segments),
            Op::Unary(Unary::Powi(k)) => self.map(simd, kernel::Powi(*k), segments),
            Op::Binary(Binary::Add) => self.zip(simd, kernel::Add, segments),
            Op::Binary(Binary::Sub) => self.zip(simd, kernel::Sub, segments),
            Op::Binary(Binary::Mul) => self.zip(simd, kernel::Mul, segments),
            Op::Binary(Binary::Div) => self.zip(simd, kernel::Div, segments),
            Op::Choice(Choice::Min) => self.zip(simd, kernel::Min, segments),
            Op::Choice(Choice::Max) => self.zip(simd, kernel::Max, segments),
            Op::Binary(Binary::Less) => self.zip(simd, kernel::Less, segments),
            Op::Binary(Binary::LessEq) => self.zip(simd, kernel::LessEq, segments),
            Op::Choice(Choice::Select) => self.select(simd, segments),
            Op::Unary(Unary::Sin) => one(self, &F::sin),
            Op::Unary(Unary::Cos) => one(self, &F::cos),
            Op::Unary(Unary::Sinh) => one(self, &F::sinh),
            Op::Unary(Unary::Cosh) => one(self, &F::cosh),
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
    fn tanh_and_slope<S: Simd>(&mut self, simd: S, segments: &[Segment], slopes: &[usize]) {
        let stride = self.lane.stride;
        for (segment, slope) in segments.iter().zip(slopes) {
            let range = |first: usize| first * stride..(first + segment.count) * stride;
            let (out, slope, place) = (range(segment.out), range(*slope), segment.operands[0]);
            let disjoint = "what is written lies apart from what is read";
            if place.is_shared() {
                let (mut tanh, mut own) = ([F::zero()], [F::zero()]);
                let a = self.shared[place.index()];
                kernel::map_pair(simd, kernel::TanhAndSlope, &[a], &mut tanh, &mut own);
                self.space.rows[out].fill(tanh[0]);
                self.space.rows[slope].fill(own[0]);
                continue;
            }
            let ranges = [out, slope, range(place.index())];
            let [out, slope, a] = self.space.rows.get_disjoint_mut(ranges).expect(disjoint);
            kernel::map_pair(simd, kernel::TanhAndSlope, a, out, slope);
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
                // Both the same for all lanes: one pair is enough.
                (Operand::Number(a), Operand::Number(b)) => {
                    let mut one = [F::zero()];
                    kernel::zip(simd, operation, [a].as_slice(), b, &mut one);
                    out.fill(one[0]);
                }
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
            // Shared numbers one after another: sums begin with them.
            Some(bias) if is_run(bias) && columns == 1 => {
                let c = &self.shared[bias[0].index()..][..bias.len()];
                kernel::multiply_plus(simd, packed, b, c, out, lanes, panel);
            }
            Some(bias) => {
                for (row, place) in out.chunks_exact_mut(stride).zip(bias) {
                    row.fill(self.shared[place.index()]);
                }
                kernel::multiply_add(simd, packed, b, out, lanes, panel);
            }
        }
    }

    pub(super) fn copy(&mut self, out: usize, from: &[Place]) {
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
}

/// Whether shared numbers follow each other.
fn is_run(places: &[Place]) -> bool {
    places.windows(2).all(|pair| pair[0].index() + 1 == pair[1].index())
}
