//! The kernels of a chunk: each instruction on rows of lanes, compiled for one instruction set.

use pulp::{Simd, WithSimd};

use super::fusion;
use super::instruction::{Instruction, Work};
use super::matrix::{MatrixId, Packed};
use super::register::{Kind, Register, Row, Rows, Segment};
use super::workspace::Space;
use crate::kernel::{self, Branch, Function, Lanes, Operation};
use crate::numeric::Number;
use crate::sweep::value::{OperandValues, evaluate};
use crate::tape::{Binary, Choice, Op, Shape, Unary};

/// Some rows of the batch, one in each lane, and their intermediate results.
pub struct Chunk<'a, F> {
    pub(super) matrices: &'a [Packed<F>],
    pub(super) shared: &'a [F],
    pub(super) lanes: Lanes,
    pub(super) space: &'a mut Space<F>,
}

/// An argument of a kernel: rows of lanes, or one number for all lanes.
pub(super) enum Argument<'a, F> {
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
    /// The numbers of `count` rows from a row on.
    pub(super) fn rows(&self, first: Row, count: usize, stride: usize) -> &'a [F] {
        let (start, length) = (first.index() * stride, count * stride);
        match start + length <= self.before.len() {
            true => &self.before[start..start + length],
            false => &self.after[start - self.end..][..length],
        }
    }

    pub fn argument(
        &self,
        register: Register,
        count: usize,
        stride: usize,
        shared: &'a [F],
    ) -> Argument<'a, F> {
        match register.kind() {
            Kind::Shared(index) => Argument::Number(shared[index]),
            Kind::Row(row) => Argument::Rows(self.rows(row, count, stride)),
        }
    }

    /// The operand of a part of a segment. In one lane, a row is one number and contiguous shared numbers are rows.
    #[inline(always)]
    fn operand(&self, part: &Part<'_>, k: usize, stride: usize, shared: &'a [F]) -> Argument<'a, F> {
        let Part { segment, first, count } = *part;
        let (register, moves) = (segment.operands[k], segment.moves[k]);
        let skipped = if moves { first } else { 0 };
        match register.kind() {
            Kind::Shared(index) if moves && count > 1 => Argument::Rows(&shared[index..index + count]),
            Kind::Shared(index) => Argument::Number(shared[index + skipped]),
            Kind::Row(row) if !moves && count > 1 => Argument::Number(self.rows(row, 1, stride)[0]),
            Kind::Row(row) => Argument::Rows(self.rows(row.after(skipped), count, stride)),
        }
    }
}

/// Elements of a segment that are computed at once.
struct Part<'s> {
    segment: &'s Segment,
    first: usize,
    count: usize,
}

impl Part<'_> {
    /// The rows written.
    #[inline(always)]
    fn rows(&self) -> Rows {
        Rows::new(self.segment.out.after(self.first), self.count)
    }
}

/// The parts of segments: whole ones, or element by element where an operand is one row for all elements, or shared numbers
/// one after another, unless there is one lane.
#[inline(always)]
fn parts(segments: &[Segment], stride: usize) -> impl Iterator<Item = Part<'_>> {
    segments.iter().flat_map(move |segment| {
        let count = if stride == 1 || segment.is_plain() { segment.count } else { 1 };
        (0..segment.count).step_by(count.max(1)).map(move |first| Part { segment, first, count })
    })
}

/// The rows that are written, and all others, which are read.
pub(super) fn split<F>(rows: &mut [F], written: Rows, stride: usize) -> (&mut [F], Split<'_, F>) {
    let (start, end) = (written.first.index() * stride, written.indices().end * stride);
    let (before, rest) = rows.split_at_mut(start);
    let (out, after) = rest.split_at_mut(written.count * stride);
    (out, Split { before, after, end })
}

impl<F: Number> Chunk<'_, F> {
    /// Runs instructions one after another.
    #[inline(always)]
    fn run<S: Simd>(&mut self, simd: S, instructions: &[Instruction]) {
        for instruction in instructions {
            match &instruction.work {
                Work::Elementwise { op, segments } => self.elementwise(simd, op, segments),
                Work::TanhAndSlope { segments, slopes } => self.tanh_and_slope(simd, segments, slopes),
                Work::SumOfTerms { out, terms } => self.sum_of_terms(simd, *out, terms),
                Work::Cascade { out, choices, otherwise } => self.cascade(simd, *out, choices, *otherwise),
                Work::Sum { out, terms } => self.sum(simd, *out, terms),
                Work::Product { matrix, from, out, bias, columns } => {
                    self.product(simd, *matrix, (*from, *out), bias.as_deref(), *columns);
                }
                Work::Dots { out, rows } => self.dots(simd, *out, rows),
                Work::Copy { out, from } => self.copy(*out, from),
                Work::Lanewise { op, from, out, shapes } => self.lanewise(op, (*from, *out), *shapes),
                Work::AddLanes { from, to } => self.add_lanes(simd, from, *to),
                Work::AddProducts { pairs, to } => self.add_products(simd, pairs, *to),
                Work::AddOuter { left, right, to, mask } => {
                    self.add_outer(simd, *left, *right, *to, mask);
                }
                Work::Solve(equation) => self.solve(simd, equation),
                Work::Integrate(integration) => self.integrate(simd, integration),
            }
        }
    }

    /// Runs instructions behind a function call: compiled once for each instruction set, and so that equations may
    /// nest.
    pub(super) fn run_list<S: Simd>(&mut self, simd: S, instructions: &[Instruction]) {
        struct List<'a, 'b, F> {
            chunk: &'a mut Chunk<'b, F>,
            instructions: &'a [Instruction],
        }
        impl<F: Number> WithSimd for List<'_, '_, F> {
            type Output = ();
            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                self.chunk.run(simd, self.instructions);
            }
        }
        simd.vectorize(List { chunk: self, instructions });
    }

    #[inline(always)]
    fn elementwise<S: Simd>(&mut self, simd: S, op: &Op, segments: &[Segment]) {
        let one = |chunk: &mut Self, f: &dyn Fn(F) -> F| chunk.each(segments, f);
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
            Op::Binary(Binary::LogAddExp) => self.zip(simd, kernel::LogAddExp, segments),
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
        let stride = self.lanes.stride;
        for part in parts(segments, stride) {
            let (out, read) = split(&mut self.space.rows, part.rows(), stride);
            match read.operand(&part, 0, stride, self.shared) {
                Argument::Rows(a) => kernel::map(simd, function, a, out),
                Argument::Number(a) => {
                    let mut one = [F::zero()];
                    kernel::map(simd, function, &[a], &mut one);
                    out.fill(one[0]);
                }
            }
        }
    }

    #[inline(always)]
    fn tanh_and_slope<S: Simd>(&mut self, simd: S, segments: &[Segment], slopes: &[Row]) {
        let stride = self.lanes.stride;
        for (segment, slope) in segments.iter().zip(slopes) {
            let range = |first: Row| first.index() * stride..(first.index() + segment.count) * stride;
            let (out, slope) = (range(segment.out), range(*slope));
            let disjoint = "what is written lies apart from what is read";
            match segment.operands[0].kind() {
                Kind::Shared(index) => {
                    let (mut tanh, mut own) = ([F::zero()], [F::zero()]);
                    let a = self.shared[index];
                    kernel::map_pair(simd, kernel::TanhAndSlope, &[a], &mut tanh, &mut own);
                    self.space.rows[out].fill(tanh[0]);
                    self.space.rows[slope].fill(own[0]);
                }
                Kind::Row(row) => {
                    let ranges = [out, slope, range(row)];
                    let [out, slope, a] = self.space.rows.get_disjoint_mut(ranges).expect(disjoint);
                    kernel::map_pair(simd, kernel::TanhAndSlope, a, out, slope);
                }
            }
        }
    }

    #[inline(always)]
    fn zip<S: Simd>(&mut self, simd: S, operation: impl Operation, segments: &[Segment]) {
        let stride = self.lanes.stride;
        for part in parts(segments, stride) {
            let (out, read) = split(&mut self.space.rows, part.rows(), stride);
            let of = |k: usize| read.operand(&part, k, stride, self.shared);
            match (of(0), of(1)) {
                (Argument::Rows(a), Argument::Rows(b)) => kernel::zip(simd, operation, a, b, out),
                (Argument::Rows(a), Argument::Number(b)) => kernel::zip(simd, operation, a, b, out),
                (Argument::Number(a), Argument::Rows(b)) => kernel::zip(simd, operation, a, b, out),
                // Both operands are the same for all lanes: one pair is enough.
                (Argument::Number(a), Argument::Number(b)) => {
                    let mut one = [F::zero()];
                    kernel::zip(simd, operation, [a].as_slice(), b, &mut one);
                    out.fill(one[0]);
                }
            }
        }
    }

    #[inline(always)]
    fn select<S: Simd>(&mut self, simd: S, segments: &[Segment]) {
        let stride = self.lanes.stride;
        for part in parts(segments, stride) {
            let (out, read) = split(&mut self.space.rows, part.rows(), stride);
            let of = |k: usize| read.operand(&part, k, stride, self.shared);
            let (then, otherwise) = (of(1), of(2));
            let condition = match of(0) {
                Argument::Rows(condition) => condition,
                // The condition is the same for all lanes: copy the branch taken.
                Argument::Number(condition) => {
                    match if condition == F::zero() { otherwise } else { then } {
                        Argument::Rows(a) => out.copy_from_slice(a),
                        Argument::Number(a) => out.fill(a),
                    }
                    continue;
                }
            };
            match (then, otherwise) {
                (Argument::Rows(a), Argument::Rows(b)) => kernel::select(simd, condition, a, b, out),
                (Argument::Rows(a), Argument::Number(b)) => kernel::select(simd, condition, a, b, out),
                (Argument::Number(a), Argument::Rows(b)) => kernel::select(simd, condition, a, b, out),
                (Argument::Number(a), Argument::Number(b)) => kernel::select(simd, condition, a, b, out),
            }
        }
    }

    #[inline(always)]
    fn cascade<S: Simd>(&mut self, simd: S, rows: Rows, choices: &[(Row, Register)], otherwise: Register) {
        let (stride, count) = (self.lanes.stride, rows.count);
        let (out, read) = split(&mut self.space.rows, rows, stride);
        let of = |register: Register| match read.argument(register, count, stride, self.shared) {
            Argument::Rows(a) => Branch::Numbers(a),
            Argument::Number(a) => Branch::Number(a),
        };
        let mut list = [([].as_slice(), Branch::Number(F::zero())); fusion::LONGEST];
        for (own, (condition, value)) in list.iter_mut().zip(choices) {
            *own = (read.rows(*condition, count, stride), of(*value));
        }
        kernel::cascade(simd, &list[..choices.len()], of(otherwise), out);
    }

    /// Applies a function of the standard library, lane by lane.
    fn each(&mut self, segments: &[Segment], f: &dyn Fn(F) -> F) {
        let stride = self.lanes.stride;
        for part in parts(segments, stride) {
            let (out, read) = split(&mut self.space.rows, part.rows(), stride);
            match read.operand(&part, 0, stride, self.shared) {
                Argument::Rows(a) => out.iter_mut().zip(a).for_each(|(value, a)| *value = f(*a)),
                Argument::Number(a) => out.fill(f(a)),
            }
        }
    }

    /// Computes an operation without a kernel of its own by the value sweep.
    fn by_value(&mut self, op: &Op, segments: &[Segment]) {
        let stride = self.lanes.stride;
        for segment in segments {
            let (out, read) = split(&mut self.space.rows, segment.rows(), stride);
            let shape = Shape::Vector(segment.count);
            // A shared number is one for all lanes.
            let values = |register: &Register, count: usize, shape: Shape| match register.kind() {
                Kind::Shared(index) => {
                    let values = &self.shared[index..index + 1];
                    OperandValues { values, width: 1, shape: Shape::Scalar, zeros: &[] }
                }
                Kind::Row(row) => {
                    let values = read.rows(row, count, stride);
                    OperandValues { values, width: stride, shape, zeros: &[] }
                }
            };
            type Operands<'a, F> = smallvec::SmallVec<[OperandValues<'a, F>; 3]>;
            if segment.moves.iter().all(|moves| *moves) && segment.is_plain() {
                let of = |register| values(register, segment.count, shape);
                let operands: Operands<'_, F> = segment.operands.iter().map(of).collect();
                evaluate(op, shape, &operands, out, stride, &[]);
                continue;
            }
            // One register for all elements: the value sweep has no such operand.
            for (e, row) in out.chunks_exact_mut(stride).enumerate() {
                let own = segment.element(e);
                let of = |register| values(register, 1, Shape::Scalar);
                let operands: Operands<'_, F> = own.operands.iter().map(of).collect();
                evaluate(op, Shape::Scalar, &operands, row, stride, &[]);
            }
        }
    }

    #[inline(always)]
    fn product<S: Simd>(
        &mut self,
        simd: S,
        matrix: MatrixId,
        (from, to): (Row, Row),
        bias: Option<&[Register]>,
        columns: usize,
    ) {
        let packed = matrix.of(self.matrices).packed();
        let stride = self.lanes.stride;
        let Space { rows, panel, .. } = &mut *self.space;
        let (out, read) = split(rows, Rows::new(to, packed.rows() * columns), stride);
        let b = read.rows(from, packed.columns() * columns, stride);
        let lanes = Lanes { count: columns * stride, stride: columns * stride };
        match bias {
            None => kernel::multiply(simd, packed, b, out, lanes, panel),
            // Shared numbers one after another: sums begin with them.
            Some(bias)
                if columns == 1
                    && let Some(first) = first_of_run(bias) =>
            {
                let c = &self.shared[first..][..bias.len()];
                kernel::multiply_plus(simd, packed, b, c, out, lanes, panel);
            }
            Some(bias) => {
                for (row, register) in out.chunks_exact_mut(stride).zip(bias) {
                    row.fill(self.shared[shared_index(*register)]);
                }
                kernel::multiply_add(simd, packed, b, out, lanes, panel);
            }
        }
    }

    pub(super) fn copy(&mut self, out: Row, from: &[Register]) {
        let stride = self.lanes.stride;
        for (e, register) in from.iter().enumerate() {
            let (out, read) = split(&mut self.space.rows, Rows::one(out.after(e)), stride);
            match read.argument(*register, 1, stride, self.shared) {
                Argument::Rows(a) => out.copy_from_slice(a),
                Argument::Number(a) => out.fill(a),
            }
        }
    }

    fn lanewise(&mut self, op: &Op, (from, to): (Row, Row), (shape, result): (Shape, Shape)) {
        let Lanes { count, stride } = self.lanes;
        let (out, read) = split(&mut self.space.rows, Rows::new(to, result.len()), stride);
        let values = read.rows(from, shape.len(), stride);
        let (mut own, mut found) = (Vec::new(), vec![F::zero(); result.len()]);
        for lane in 0..count {
            if stride > 1 {
                own.clear();
                own.extend(values[lane..].iter().step_by(stride));
            }
            let matrix = if stride > 1 { &own[..] } else { values };
            let operand = OperandValues { values: matrix, width: 1, shape, zeros: &[] };
            evaluate(op, result, &[operand], &mut found, 1, &[]);
            for (row, value) in out.chunks_exact_mut(stride).zip(&found) {
                row[lane] = *value;
            }
        }
        // Lanes beyond the last row repeat it.
        for row in out.chunks_exact_mut(stride) {
            let last = row[count - 1];
            row[count..].fill(last);
        }
    }
}

/// Returns the first of these shared numbers, if they are contiguous.
fn first_of_run(registers: &[Register]) -> Option<usize> {
    let first = shared_index(*registers.first()?);
    let run = registers.iter().enumerate().all(|(k, register)| shared_index(*register) == first + k);
    run.then_some(first)
}

/// Returns the index of a shared number.
fn shared_index(register: Register) -> usize {
    match register.kind() {
        Kind::Shared(index) => index,
        Kind::Row(_) => unreachable!("a bias is shared by all lanes"),
    }
}
