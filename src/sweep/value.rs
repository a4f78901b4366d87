//! The value sweep: the numeric result of each operation, for many samples at a time.
//!
//! A *lane* is a sample. A batched node stores its numbers feature-major, `[element][lane]`, so that an elementwise
//! operation is one loop over contiguous memory; a shared node (it depends on no input) has one lane for all. The
//! order and the buffers of execution are chosen in [`crate::program`].
//!
//! Structural zeros are respected as in the dependence sweep: a proven zero is 0 even where the formula gives 0·∞.

use super::function::{self, WithValue};
use crate::numeric::{Lu, Number, matrix_exponential};
use crate::tape::{Binary, Choice, Op, Shape};

/// The numbers of an operand: element by element, each in one lane or in all.
#[derive(Clone, Copy, Debug)]
pub struct OperandValues<'a, F> {
    /// The numbers, `[element][lane]`.
    pub values: &'a [F],
    /// Lanes in memory: 1 for a shared node.
    pub width: usize,
    /// Its shape.
    pub shape: Shape,
    /// Which elements are structural zeros; empty when there are none.
    pub zeros: &'a [bool],
}

impl<'a, F: Number> OperandValues<'a, F> {
    fn element(&self, e: usize) -> &'a [F] {
        &self.values[e * self.width..(e + 1) * self.width]
    }

    fn get(&self, e: usize, lane: usize) -> F {
        self.values[e * self.width + if self.width == 1 { 0 } else { lane }]
    }

    fn is_zero(&self, e: usize) -> bool {
        !self.zeros.is_empty() && self.zeros[e]
    }
}

/// Computes a node from its operands into `out`, which has `lanes` lanes; `zeros` are the node's own.
///
/// # Panics
/// For an input or a parameter: their numbers are given, not computed.
pub fn evaluate<F: Number>(
    op: &Op,
    shape: Shape,
    operands: &[OperandValues<'_, F>],
    out: &mut [F],
    lanes: usize,
    zeros: &[bool],
) {
    let zero = F::zero();
    match op {
        Op::Input(_) | Op::Parameter(_) => unreachable!("the numbers of an {} are given", op.name()),
        Op::Constant(data) => {
            for (element, value) in out.chunks_exact_mut(lanes).zip(data.values()) {
                element.fill(F::of(*value));
            }
        }
        Op::Unary(op) => function::with_value(*op, Map { a: operands[0], out, lanes }),
        Op::Binary(op) => binary(*op, operands[0], operands[1], out, lanes),
        // A NaN in either operand propagates.
        Op::Choice(Choice::Min) => {
            zip(operands[0], operands[1], out, lanes, |a, b| if a <= b || a.is_nan() { a } else { b })
        }
        Op::Choice(Choice::Max) => {
            zip(operands[0], operands[1], out, lanes, |a, b| if a >= b || a.is_nan() { a } else { b })
        }
        Op::Choice(Choice::Select) => {
            for (e, element) in out.chunks_exact_mut(lanes).enumerate() {
                for (lane, value) in element.iter_mut().enumerate() {
                    let taken = if operands[0].get(e, lane) != zero { operands[1] } else { operands[2] };
                    *value = taken.get(e, lane);
                }
            }
        }
        Op::Broadcast => {
            for element in out.chunks_exact_mut(lanes) {
                copy(operands[0].element(0), element);
            }
        }
        Op::Sum => {
            out.fill(zero);
            for e in 0..operands[0].shape.len() {
                accumulate(operands[0].element(e), out, |sum, a| sum + a);
            }
        }
        Op::Gather(indices) if lanes == 1 => {
            out.iter_mut()
                .zip(indices.iter())
                .for_each(|(a, index)| *a = operands[0].values[*index as usize]);
        }
        Op::Gather(indices) => {
            for (element, index) in out.chunks_exact_mut(lanes).zip(indices.iter()) {
                copy(operands[0].element(*index as usize), element);
            }
        }
        Op::Scatter(indices) if lanes == 1 => {
            out.fill(zero);
            for (index, a) in indices.iter().zip(operands[0].values) {
                let sum = &mut out[*index as usize];
                *sum = *sum + *a;
            }
        }
        Op::Scatter(indices) => {
            out.fill(zero);
            for (k, index) in indices.iter().enumerate() {
                let at = *index as usize * lanes;
                accumulate(operands[0].element(k), &mut out[at..at + lanes], |sum, a| sum + a);
            }
        }
        Op::Concat if lanes == 1 => {
            let mut start = 0;
            for operand in operands {
                let count = operand.shape.len();
                out[start..start + count].copy_from_slice(&operand.values[..count]);
                start += count;
            }
        }
        Op::Concat => {
            let mut elements = out.chunks_exact_mut(lanes);
            for operand in operands {
                for e in 0..operand.shape.len() {
                    let element = elements.next().expect("a concatenation is as long as its parts");
                    copy(operand.element(e), element);
                }
            }
        }
        Op::Transpose if lanes == 1 => {
            let (rows, columns) = shape.matrix_dims();
            // Some rows at a time, so that both sides are read and written from the cache.
            const ROWS: usize = 16;
            for first in (0..rows).step_by(ROWS) {
                let count = ROWS.min(rows - first);
                for column in 0..columns {
                    let from = &operands[0].values[column * rows + first..][..count];
                    for (row, a) in (first..).zip(from) {
                        out[row * columns + column] = *a;
                    }
                }
            }
        }
        Op::Transpose => {
            let (rows, columns) = shape.matrix_dims();
            for (e, element) in out.chunks_exact_mut(lanes).enumerate() {
                copy(operands[0].element((e % columns) * rows + e / columns), element);
            }
        }
        Op::MatVec | Op::MatMul => product(operands[0], operands[1], out, lanes),
        Op::Outer => {
            let columns = operands[1].shape.len();
            for (e, element) in out.chunks_exact_mut(lanes).enumerate() {
                copy(operands[0].element(e / columns), element);
                accumulate(operands[1].element(e % columns), element, |a, b| a * b);
            }
        }
        Op::LogAbsDet => {
            for (lane, value) in out.iter_mut().enumerate() {
                *value = Lu::new(side(operands[0].shape), one_lane(operands[0], lane)).log_abs_det();
            }
        }
        Op::Equation(_) | Op::Solution(_) => {
            unreachable!("a program runs an equation's own nodes, over and over")
        }
        Op::MatrixExp => {
            for lane in 0..lanes {
                let exponential = matrix_exponential(side(shape), one_lane(operands[0], lane));
                for (e, entry) in exponential.into_iter().enumerate() {
                    out[e * lanes + lane] = entry;
                }
            }
        }
        Op::Inverse => {
            for lane in 0..lanes {
                let inverse = Lu::new(side(shape), one_lane(operands[0], lane)).inverse();
                for (e, entry) in inverse.into_iter().enumerate() {
                    out[e * lanes + lane] = entry;
                }
            }
        }
    }
    if lanes == 1 {
        // Without a call for each number.
        let all = out.iter_mut().zip(zeros);
        all.for_each(|(value, is_zero)| *value = if *is_zero { zero } else { *value });
        return;
    }
    for (element, is_zero) in out.chunks_exact_mut(lanes.max(1)).zip(zeros) {
        if *is_zero {
            element.fill(zero);
        }
    }
}

fn binary<F: Number>(
    function: Binary,
    a: OperandValues<'_, F>,
    b: OperandValues<'_, F>,
    out: &mut [F],
    lanes: usize,
) {
    let (zero, one) = (F::zero(), F::one());
    match function {
        Binary::Add => zip(a, b, out, lanes, |a, b| a + b),
        Binary::Sub => zip(a, b, out, lanes, |a, b| a - b),
        Binary::Mul => zip(a, b, out, lanes, |a, b| a * b),
        Binary::Div => zip(a, b, out, lanes, |a, b| a / b),
        Binary::Pow => zip(a, b, out, lanes, F::powf),
        Binary::LogAddExp => zip(a, b, out, lanes, log_add_exp),
        Binary::Less => zip(a, b, out, lanes, |a, b| if a < b { one } else { zero }),
        Binary::LessEq => zip(a, b, out, lanes, |a, b| if a <= b { one } else { zero }),
    }
}

/// max(a, b) + ln(1 + exp(-|a - b|)); of two equal infinities there is no difference.
fn log_add_exp<F: Number>(a: F, b: F) -> F {
    let apart = if a == b { F::zero() } else { (a - b).abs() };
    (if a < b { b } else { a }) + (-apart).exp().ln_1p()
}

/// Applies a function to each number.
struct Map<'a, F> {
    a: OperandValues<'a, F>,
    out: &'a mut [F],
    lanes: usize,
}

impl<F: Number> WithValue<F> for Map<'_, F> {
    fn run(self, f: impl Fn(F) -> F) {
        let Map { a, out, lanes } = self;
        if a.width == lanes {
            for (value, a) in out.iter_mut().zip(a.values) {
                *value = f(*a);
            }
        } else {
            for (element, a) in out.chunks_exact_mut(lanes).zip(a.values) {
                element.fill(f(*a));
            }
        }
    }
}

fn zip<F: Number>(
    a: OperandValues<'_, F>,
    b: OperandValues<'_, F>,
    out: &mut [F],
    lanes: usize,
    f: impl Fn(F, F) -> F,
) {
    if a.width == lanes && b.width == lanes {
        for ((value, a), b) in out.iter_mut().zip(a.values).zip(b.values) {
            *value = f(*a, *b);
        }
        return;
    }
    for (e, element) in out.chunks_exact_mut(lanes).enumerate() {
        let (a, b) = (a.element(e), b.element(e));
        match (a.len() == lanes, b.len() == lanes) {
            (true, _) => element.iter_mut().zip(a).for_each(|(value, a)| *value = f(*a, b[0])),
            (_, true) => element.iter_mut().zip(b).for_each(|(value, b)| *value = f(a[0], *b)),
            _ => element.fill(f(a[0], b[0])),
        }
    }
}

fn copy<F: Number>(from: &[F], to: &mut [F]) {
    if from.len() == to.len() { to.copy_from_slice(from) } else { to.fill(from[0]) }
}

fn accumulate<F: Number>(from: &[F], to: &mut [F], f: impl Fn(F, F) -> F) {
    if from.len() == to.len() {
        to.iter_mut().zip(from).for_each(|(sum, a)| *sum = f(*sum, *a));
    } else {
        to.iter_mut().for_each(|sum| *sum = f(*sum, from[0]));
    }
}

/// Multiplies a matrix with a vector or a matrix; terms with a structural zero are skipped, not multiplied.
fn product<F: Number>(a: OperandValues<'_, F>, b: OperandValues<'_, F>, out: &mut [F], lanes: usize) {
    let (rows, inner) = a.shape.matrix_dims();
    let columns = b.shape.len() / inner.max(1);
    if lanes == 1 && columns == 1 {
        // As below, with the sum in a register.
        for (row, sum) in out.iter_mut().enumerate() {
            *sum = (row * inner..(row + 1) * inner).zip(0..inner).fold(F::zero(), |sum, (entry, k)| {
                if a.is_zero(entry) || b.is_zero(k) {
                    sum
                } else {
                    sum + a.element(entry)[0] * b.element(k)[0]
                }
            });
        }
        return;
    }
    out.fill(F::zero());
    for row in 0..rows {
        let out_row = &mut out[row * columns * lanes..(row + 1) * columns * lanes];
        for k in 0..inner {
            let entry = row * inner + k;
            if a.is_zero(entry) {
                continue;
            }
            let factor = a.element(entry);
            if lanes == 1 && b.zeros.is_empty() {
                // As below, without a look at each number.
                let terms = &b.values[k * columns..(k + 1) * columns];
                out_row.iter_mut().zip(terms).for_each(|(sum, b)| *sum = *sum + factor[0] * *b);
                continue;
            }
            for (column, element) in out_row.chunks_exact_mut(lanes).enumerate() {
                if b.is_zero(k * columns + column) {
                    continue;
                }
                add_product(factor, b.element(k * columns + column), element);
            }
        }
    }
}

/// Adds a·b to the sum, lane by lane; either may be one number for all lanes.
fn add_product<F: Number>(a: &[F], b: &[F], sums: &mut [F]) {
    match (a.len() == sums.len(), b.len() == sums.len()) {
        (true, true) => {
            for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
                *sum = *sum + *a * *b;
            }
        }
        (true, false) => accumulate(a, sums, |sum, a| sum + a * b[0]),
        (false, _) => accumulate(b, sums, |sum, b| sum + a[0] * b),
    }
}

fn side(shape: Shape) -> usize {
    let (rows, _) = shape.matrix_dims();
    rows
}

fn one_lane<F: Number>(a: OperandValues<'_, F>, lane: usize) -> Vec<F> {
    (0..a.shape.len()).map(|e| a.get(e, lane)).collect()
}
