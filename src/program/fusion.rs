//! Fusion: what is added one after another, products among it, becomes one instruction.
//!
//! `a·b + c·d - e` is four operations on three rows that no other instruction reads; fused it is one, and nothing between
//! is written. Each product and each sum is rounded as if it stood alone: whether sums are fused changes no number.

use smallvec::SmallVec;

use super::instruction::{FusedTerm, Instruction, Work};
use super::matrix::Matrix;
use super::register::{Register, Rows};
use crate::tape::{Binary, Op};

/// Terms that one fused sum takes at most.
pub(super) const LONGEST: usize = 16;
/// Instructions over which a sum waits for its next term at most: what it is made of stays in memory meanwhile.
const REACH: usize = 256;

type Terms = SmallVec<[FusedTerm; 2]>;

/// An instruction that a later one may take over.
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

/// What may be taken over, and who reads it.
struct Parts {
    /// By row: how often it is read.
    reads: Vec<u32>,
    /// By first row: the instruction that writes it, if it is a part.
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
        // Rows that no instruction reads are written all the same.
        for instruction in instructions {
            instruction.written(matrices).into_iter().for_each(|rows| count(rows, 0));
        }
        Parts {
            writers: vec![None; reads.len()],
            reads,
            by_instruction: (0..instructions.len()).map(|_| None).collect(),
        }
    }

    /// What an instruction adds up, with what it takes over from instructions before it: these are taken off the list.
    fn part(
        &mut self,
        at: usize,
        instruction: &Instruction,
        list: &mut [Option<Instruction>],
    ) -> Option<Part> {
        let Work::Elementwise { op, segments } = &instruction.work else { return None };
        let [segment] = segments.as_slice() else { return None };
        let rows = segment.rows();
        let [mut a, mut b] = *segment.operands.as_slice() else { return None };
        let single = |register: Register| FusedTerm { negative: false, register, factor: None };
        let terms = match op {
            Op::Binary(Binary::Mul) => {
                SmallVec::from_slice(&[FusedTerm { negative: false, register: a, factor: Some(b) }])
            }
            Op::Binary(Binary::Add | Binary::Sub) => {
                // A sum is taken over on the left, where adding begins.
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

    /// How many terms can be taken over from what wrote a register: none where another instruction reads it too.
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
