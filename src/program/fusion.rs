//! Fusion: sums and differences, with products among their terms, become one instruction; so do choices one after another.
//!
//! `a·b + c·d - e` is four operations with three intermediate rows; fused, it is one instruction without intermediate
//! results. Each product and each sum is rounded as if computed alone: fusion changes no result. A choice among K values
//! is K - 1 selects, of which each but the first reads what the one before has written; fused, they are a cascade. A value
//! that is 0 where a condition does not hold, as an adjoint behind a choice, is a term of a sum.

use smallvec::SmallVec;

use super::instruction::{FusedTerm, Instruction, Work};
use super::matrix::Matrix;
use super::register::{Register, Row, Rows};
use crate::tape::{Binary, Choice, Op};

/// Maximum number of terms of a fused sum.
pub(super) const LONGEST: usize = 16;
/// Maximum number of instructions between the parts of a fused sum: the operands stay in memory for that long.
const REACH: usize = 256;

type Terms = SmallVec<[FusedTerm; 2]>;

/// An instruction that may be fused into a later one.
struct Part {
    rows: Rows,
    sum: Sum,
}

/// What the instruction computes.
enum Sum {
    Terms(Terms),
    /// Values with their conditions, and what is taken where none holds.
    Choices(Vec<(Row, Register)>, Register),
}

impl Part {
    /// The number of terms that a sum gets of it; none if it is no term.
    fn terms(&self) -> usize {
        match &self.sum {
            Sum::Terms(terms) => terms.len(),
            Sum::Choices(choices, otherwise) => match choices.as_slice() {
                [(_, value)] if *otherwise == Register::ZERO && !value.is_shared() => 1,
                _ => 0,
            },
        }
    }

    /// What the instruction does, if it is not what it was compiled to.
    fn work(&self) -> Option<Work> {
        match &self.sum {
            Sum::Terms(terms) => {
                let is_fused = |term: &FusedTerm| term.factor.is_some() || term.condition.is_some();
                let fused = terms.len() > 2 || terms.len() > 1 && terms.iter().any(is_fused);
                fused.then(|| Work::SumOfTerms { out: self.rows, terms: terms.to_vec() })
            }
            Sum::Choices(choices, otherwise) if choices.len() > 1 => {
                Some(Work::Cascade { out: self.rows, choices: choices.clone(), otherwise: *otherwise })
            }
            Sum::Choices(..) => None,
        }
    }
}

/// Fuses sums and products. Every row is written once; `kept` are the rows that are read from outside.
pub(super) fn fused(instructions: Vec<Instruction>, kept: &[Rows], matrices: &[Matrix]) -> Vec<Instruction> {
    let mut parts = Parts::new(&instructions, kept, matrices);
    let mut list: Vec<Option<Instruction>> = Vec::with_capacity(instructions.len());
    for (at, mut instruction) in instructions.into_iter().enumerate() {
        if let Some(part) = parts.part(at, &instruction, &mut list) {
            if let Some(work) = part.work() {
                instruction.work = work;
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

    /// Collects the terms of a sum or the choices of a cascade, with those of the instructions that are fused into it, which
    /// are removed.
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
        if let (Op::Choice(Choice::Select), [condition, then, otherwise]) = (op, segment.operands.as_slice())
        {
            let first = (condition.row()?, *then);
            let (mut choices, otherwise) = self.choices_of(at, *otherwise, segment.count, list);
            choices.insert(0, first);
            return Some(Part { rows, sum: Sum::Choices(choices, otherwise) });
        }
        let [mut a, mut b] = *segment.operands.as_slice() else { return None };
        let single =
            |register: Register| FusedTerm { negative: false, register, factor: None, condition: None };
        let terms = match op {
            Op::Binary(Binary::Mul) => SmallVec::from_slice(&[FusedTerm { factor: Some(b), ..single(a) }]),
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
        Some(Part { rows, sum: Sum::Terms(terms) })
    }

    /// Returns the part that writes a register and may be fused: none if the register is also read elsewhere.
    fn writer(&self, at: usize, register: Register, count: usize) -> Option<(usize, &Part)> {
        let rows = Rows::new(register.row()?, count);
        let writer = self.writers[rows.first.index()]?;
        let part = self.by_instruction[writer].as_ref()?;
        let read_once = || self.reads[rows.indices()].iter().all(|reads| *reads == 1);
        (part.rows == rows && at - writer <= REACH && read_once()).then_some((writer, part))
    }

    /// Returns the number of terms that can be fused from the instruction that writes a register.
    fn length(&self, at: usize, register: Register, count: usize) -> usize {
        self.writer(at, register, count).map_or(0, |(_, part)| part.terms())
    }

    /// Takes the terms of an instruction that has some.
    fn take(&mut self, register: Register, list: &mut [Option<Instruction>]) -> Terms {
        let writer = register.row().and_then(|row| self.writers[row.index()]).expect("it has a length");
        list[writer] = None;
        match self.by_instruction[writer].take().expect("it was there to be taken").sum {
            Sum::Terms(terms) => terms,
            Sum::Choices(choices, _) => choices
                .into_iter()
                .map(|(condition, register)| FusedTerm {
                    negative: false,
                    register,
                    factor: None,
                    condition: Some(condition),
                })
                .collect(),
        }
    }

    /// Takes the choices of the instruction that writes what is taken otherwise, if it is one of these and may be fused.
    fn choices_of(
        &mut self,
        at: usize,
        otherwise: Register,
        count: usize,
        list: &mut [Option<Instruction>],
    ) -> (Vec<(Row, Register)>, Register) {
        let inner = self
            .writer(at, otherwise, count)
            .filter(|(_, part)| matches!(&part.sum, Sum::Choices(choices, _) if choices.len() < LONGEST));
        let Some(writer) = inner.map(|(writer, _)| writer) else { return (Vec::new(), otherwise) };
        list[writer] = None;
        match self.by_instruction[writer].take().expect("it was found").sum {
            Sum::Choices(choices, otherwise) => (choices, otherwise),
            Sum::Terms(_) => unreachable!("it was found to be choices"),
        }
    }
}
