//! Sums in one pass: what is added one after another, products among it, becomes one instruction.
//!
//! `a·b + c·d - e` is four operations on three rows that nobody else reads; as a chain it is one, and nothing between is
//! written. Each product and each sum is rounded as if it stood alone: whether a chain is made changes no number.

use smallvec::SmallVec;

use super::instruction::{ChainTerm, Instruction, Work};
use super::place::Place;
use crate::tape::{Binary, Op};

/// Terms that one chain takes at most.
pub(super) const LONGEST: usize = 16;
/// Instructions over which a chain waits for its next term at most: what it is made of stays in memory meanwhile.
const REACH: usize = 256;

type Terms = SmallVec<[ChainTerm; 2]>;

/// An instruction that a later one may take over.
struct Part {
    rows: (usize, usize),
    terms: Terms,
}

/// Makes chains of instructions. Every row is written once; `kept` are the rows that are read from outside.
pub(super) fn chained(
    instructions: Vec<Instruction>,
    kept: &[(usize, usize)],
    columns: &dyn Fn(usize) -> usize,
) -> Vec<Instruction> {
    let mut chains = Chains::new(&instructions, kept, columns);
    let mut list: Vec<Option<Instruction>> = Vec::with_capacity(instructions.len());
    for (at, mut instruction) in instructions.into_iter().enumerate() {
        if let Some(part) = chains.part(at, &instruction, &mut list) {
            let (out, count) = part.rows;
            if part.terms.len() > 2
                || part.terms.iter().any(|term| term.factor.is_some()) && part.terms.len() > 1
            {
                instruction.work = Work::Chain { out, count, terms: part.terms.to_vec() };
            }
            chains.writers[out] = at;
            chains.parts[at] = Some(part);
        }
        list.push(Some(instruction));
    }
    list.into_iter().flatten().collect()
}

struct Chains {
    /// By row: how often it is read.
    reads: Vec<u32>,
    /// By first row: the instruction that writes it, if it is a part.
    writers: Vec<usize>,
    parts: Vec<Option<Part>>,
}

impl Chains {
    fn new(
        instructions: &[Instruction],
        kept: &[(usize, usize)],
        columns: &dyn Fn(usize) -> usize,
    ) -> Chains {
        let mut reads: Vec<u32> = Vec::new();
        let mut count = |(first, length): (usize, usize), times: u32| {
            if reads.len() < first + length {
                reads.resize(first + length, 0);
            }
            reads[first..first + length].iter_mut().for_each(|read| *read += times);
        };
        for instruction in instructions {
            instruction.read(columns).into_iter().for_each(|rows| count(rows, 1));
        }
        kept.iter().for_each(|rows| count(*rows, 2));
        // Rows that nobody reads are written all the same.
        for instruction in instructions {
            instruction.written(&|_| 0).into_iter().for_each(|rows| count(rows, 0));
        }
        Chains {
            writers: vec![usize::MAX; reads.len()],
            reads,
            parts: (0..instructions.len()).map(|_| None).collect(),
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
        let rows = (segment.out, segment.count);
        let [mut a, mut b] = *segment.operands.as_slice() else { return None };
        let single = |place: Place| ChainTerm { negative: false, place, factor: None };
        let terms = match op {
            Op::Binary(Binary::Mul) => {
                SmallVec::from_slice(&[ChainTerm { negative: false, place: a, factor: Some(b) }])
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
                terms.push(ChainTerm { negative: *op == Op::Binary(Binary::Sub), ..last });
                terms
            }
            _ => return None,
        };
        Some(Part { rows, terms })
    }

    /// How many terms can be taken over from what wrote a place: none where somebody else reads it too.
    fn length(&self, at: usize, place: Place, count: usize) -> usize {
        if place.is_shared() {
            return 0;
        }
        let first = place.index();
        let writer = self.writers[first];
        match self.parts.get(writer) {
            Some(Some(part))
                if part.rows == (first, count)
                    && at - writer <= REACH
                    && self.reads[first..first + count].iter().all(|reads| *reads == 1) =>
            {
                part.terms.len()
            }
            _ => 0,
        }
    }

    fn take(&mut self, place: Place, list: &mut [Option<Instruction>]) -> Terms {
        let writer = self.writers[place.index()];
        list[writer] = None;
        self.parts[writer].take().expect("it was there to be taken").terms
    }
}
