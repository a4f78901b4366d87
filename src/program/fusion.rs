//! Fusion: sums and differences, with products among their terms, become one instruction.
//!
//! `a·b + c·d - e` is four operations with three intermediate rows; fused, it is one instruction without intermediate
//! results. Each product and each sum is rounded as if computed alone: fusion changes no result.

use smallvec::SmallVec;

use super::instruction::{FusedTerm, Instruction, Work};
use super::matrix::Matrix;
use super::register::{Register, Rows};
use crate::tape::{Binary, Op};

/// Maximum number of terms of a fused sum.
pub(super) const LONGEST: usize = 16;
/// Maximum number of instructions between the parts of a fused sum: the operands stay in memory for that long.
const REACH: usize = 256;

type Terms = SmallVec<[FusedTerm; 2]>;

/// An instruction that may be fused into a later one.
struct Part {
    rows: Rows,
    terms: Terms,
}

/// Fuses sums and products. Every row is written once; `kept` are the rows that are read from outside.
pub(super) fn fused(instructions: Vec<Instruction>, kept: &[Rows], matrices: &[Matrix]) -> Vec<Instruction> {
    let mut parts = Parts::new(&instructions, kept, matrices);
    let mut list: Vec<Option<Instruction>> = Vec::with_capacity(instructions.len());
    for (at, mut instruction) in instructions.into_iter().enumerate() {
        if let Some(part) = parts.part(at, &instruction, &mut list) {
            if part.terms.len() > 2
                || part.terms.iter().any(|term| term.factor.is_some()) && part.terms.len() > 1
            {
                instruction.work = Work::SumOfTerms { out: part.rows, terms: part.terms.to_vec() };
            }
            parts.writers[part.rows.first.index()] = Some(at);
            parts.by_instruction[at] = Some(part);
        }
        list.push(Some(instruction));
    }
    list.into_iter().flatten().collect()
}

/// The instructions that may be fused, and the uses of rows.
struct Parts {
    /// By row: how often it is read.
    reads: Vec<u32>,
    /// By first row: the instruction that writes it, if it may be fused.
    writers: Vec<Option<usize>>,
    by_instruction: Vec<Option<Part>>,
}

impl Parts {
    fn new(instructions: &[Instruction], kept: &[Rows], matrices: &[Matrix]) -> Parts {
        let mut reads: Vec<u32> = Vec::new();
        let mut count = |rows: Rows, times: u32| {
            if reads.len() < rows.indices().end {
                reads.resize(rows.indices().end, 0);
            }
            reads[rows.indices()].iter_mut().for_each(|read| *read += times);
        };
        for instruction in instructions {
            instruction.read(matrices).into_iter().for_each(|rows| count(rows, 1));
        }
        kept.iter().for_each(|rows| count(*rows, 2));
        // Rows that no instruction reads are written nevertheless.
        for instruction in instructions {
            instruction.written(matrices).into_iter().for_each(|rows| count(rows, 0));
        }
        Parts {
            writers: vec![None; reads.len()],
            reads,
            by_instruction: (0..instructions.len()).map(|_| None).collect(),
        }
    }

    /// Collects the terms of a sum, with those of the instructions that are fused into it, which are removed.
    fn part(
        &mut self,
        at: usize,
        instruction: &Instruction,
        list: &mut [Option<Instruction>],
    ) -> Option<Part> {
        let Work::Elementwise { op, segments } = &instruction.work else { return None };
        let [segment] = segments.as_slice() else { return None };
        if !segment.is_plain() {
            return None;
        }
        let rows = segment.rows();
        let [mut a, mut b] = *segment.operands.as_slice() else { return None };
        let single = |register: Register| FusedTerm { negative: false, register, factor: None };
        let terms = match op {
            Op::Binary(Binary::Mul) => {
                SmallVec::from_slice(&[FusedTerm { negative: false, register: a, factor: Some(b) }])
            }
            Op::Binary(Binary::Add | Binary::Sub) => {
                // A sum can only be fused into the left operand, where summation begins.
                if *op == Op::Binary(Binary::Add)
                    && self.length(at, a, segment.count) < self.length(at, b, segment.count)
                {
                    (a, b) = (b, a);
                }
                let mut terms = match self.length(at, a, segment.count) {
                    length if (1..LONGEST).contains(&length) => self.take(a, list),
                    _ => SmallVec::from_slice(&[single(a)]),
                };
                let last = match self.length(at, b, segment.count) {
                    1 => self.take(b, list)[0],
                    _ => single(b),
                };
                terms.push(FusedTerm { negative: *op == Op::Binary(Binary::Sub), ..last });
                terms
            }
            _ => return None,
        };
        Some(Part { rows, terms })
    }

    /// Returns the number of terms that can be fused from the instruction that writes a register: none if the
    /// register is also read elsewhere.
    fn length(&self, at: usize, register: Register, count: usize) -> usize {
        let Some(rows) = register.row().map(|first| Rows::new(first, count)) else { return 0 };
        let Some(writer) = self.writers[rows.first.index()] else { return 0 };
        match &self.by_instruction[writer] {
            Some(part)
                if part.rows == rows
                    && at - writer <= REACH
                    && self.reads[rows.indices()].iter().all(|reads| *reads == 1) =>
            {
                part.terms.len()
            }
            _ => 0,
        }
    }

    fn take(&mut self, register: Register, list: &mut [Option<Instruction>]) -> Terms {
        let writer = register.row().and_then(|row| self.writers[row.index()]).expect("it has a length");
        list[writer] = None;
        self.by_instruction[writer].take().expect("it was there to be taken").terms
    }
}
