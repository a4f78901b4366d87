//! Registers: rows of lanes, and shared numbers that serve all lanes.
//!
//! An element of a batched node is a *row*: a number for each lane. Data movement (a gather, a concatenation, a
//! transpose, a scatter) has no rows of its own: its registers are registers of its operands, so data movement costs
//! nothing.

use std::ops::Range;

use smallvec::SmallVec;

/// The index of a row of lanes in the memory of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Row(u32);

impl Row {
    pub fn new(index: usize) -> Row {
        assert!(index < SHARED as usize, "a program has fewer than 2³¹ rows");
        Row(index as u32)
    }

    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// The row `count` rows on.
    pub fn after(self, count: usize) -> Row {
        Row::new(self.index() + count)
    }
}

/// Contiguous rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rows {
    pub first: Row,
    pub count: usize,
}

impl Rows {
    pub fn new(first: Row, count: usize) -> Rows {
        Rows { first, count }
    }

    pub fn one(row: Row) -> Rows {
        Rows { first: row, count: 1 }
    }

    pub fn iter(self) -> impl Iterator<Item = Row> {
        self.indices().map(Row::new)
    }

    pub fn indices(self) -> Range<usize> {
        self.first.index()..self.first.index() + self.count
    }

    pub fn contains(self, row: Row) -> bool {
        self.indices().contains(&row.index())
    }
}

/// A row of lanes, or a shared number, as one integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Register(u32);

/// A register decoded: a row, or a shared number by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Row(Row),
    Shared(usize),
}

/// The bit that marks a shared number.
const SHARED: u32 = 1 << 31;

impl Register {
    /// The shared number 0.
    pub const ZERO: Register = Register(SHARED);
    /// A placeholder for an element that is not computed yet, inside of an equation. It is overwritten before it is
    /// read.
    pub const UNKNOWN: Register = Register(u32::MAX);

    pub fn shared(index: usize) -> Register {
        assert!(index < (SHARED - 1) as usize, "a program has fewer than 2³¹ shared numbers");
        Register(index as u32 | SHARED)
    }

    pub fn is_shared(self) -> bool {
        self.0 & SHARED != 0
    }

    #[inline(always)]
    pub fn kind(self) -> Kind {
        match self.is_shared() {
            true => Kind::Shared((self.0 & !SHARED) as usize),
            false => Kind::Row(Row(self.0)),
        }
    }

    pub fn row(self) -> Option<Row> {
        match self.kind() {
            Kind::Row(row) => Some(row),
            Kind::Shared(_) => None,
        }
    }

    /// Returns the register of the same kind `count` further on.
    fn after(self, count: usize) -> Register {
        Register(self.0.wrapping_add(count as u32))
    }

    /// Returns the register with its row renumbered.
    pub fn renumbered(self, row: &dyn Fn(Row) -> Row) -> Register {
        self.row().map_or(self, |own| row(own).into())
    }
}

impl From<Row> for Register {
    fn from(row: Row) -> Register {
        Register(row.0)
    }
}

/// The registers of a node's elements, in their order.
#[derive(Clone, Debug)]
pub(super) enum Registers {
    /// Contiguous.
    Run { first: Register, count: usize },
    /// One register for every element.
    Repeat { register: Register, count: usize },
    /// In any order.
    List(Vec<Register>),
}

impl Registers {
    pub fn len(&self) -> usize {
        match self {
            Registers::Run { count, .. } | Registers::Repeat { count, .. } => *count,
            Registers::List(list) => list.len(),
        }
    }

    pub fn get(&self, element: usize) -> Register {
        match self {
            Registers::Run { first, .. } => first.after(element),
            Registers::Repeat { register, .. } => *register,
            Registers::List(list) => list[element],
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = Register> + '_ {
        (0..self.len()).map(|element| self.get(element))
    }

    /// Makes the shortest representation of a list.
    pub fn of(list: Vec<Register>) -> Registers {
        let Some(first) = list.first().copied() else { return Registers::List(list) };
        let count = list.len();
        if list.iter().all(|register| *register == first) {
            return Registers::Repeat { register: first, count };
        }
        let run = list.iter().enumerate().all(|(k, register)| register.0 == first.0.wrapping_add(k as u32));
        if run { Registers::Run { first, count } } else { Registers::List(list) }
    }

    /// Returns the registers with their rows renumbered.
    pub fn renumbered(&self, row: &dyn Fn(Row) -> Row) -> Registers {
        match self {
            // Rows of one block stay contiguous.
            Registers::Run { first, count } if *count > 0 => {
                Registers::Run { first: first.renumbered(row), count: *count }
            }
            Registers::Repeat { register, count } => {
                Registers::Repeat { register: register.renumbered(row), count: *count }
            }
            Registers::List(list) => {
                Registers::List(list.iter().map(|register| register.renumbered(row)).collect())
            }
            empty @ Registers::Run { .. } => empty.clone(),
        }
    }

    /// Returns the first row, if all elements are contiguous rows.
    pub fn first_row(&self) -> Option<Row> {
        match self {
            Registers::Run { first, .. } => first.row(),
            Registers::Repeat { register, count: 1 } => register.row(),
            Registers::Repeat { .. } | Registers::List(_) => None,
        }
    }
}

/// Contiguous elements of a result, for which each operand is contiguous registers or one register.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// The first row written.
    pub out: Row,
    pub count: usize,
    /// The operands of the first element.
    pub operands: SmallVec<[Register; 3]>,
    /// By operand: whether each element has the register after that of the element before it; otherwise all have the
    /// same one.
    pub moves: SmallVec<[bool; 3]>,
    plain: bool,
}

impl Segment {
    fn new(out: Row, count: usize, operands: SmallVec<[Register; 3]>, moves: SmallVec<[bool; 3]>) -> Segment {
        let plain = operands.iter().zip(&moves).all(|(operand, moves)| *moves != operand.is_shared());
        Segment { out, count, operands, moves, plain }
    }

    /// The rows written.
    pub fn rows(&self) -> Rows {
        Rows::new(self.out, self.count)
    }

    /// The rows read.
    pub fn read(&self) -> impl Iterator<Item = Rows> + '_ {
        let count = |moves: bool| if moves { self.count } else { 1 };
        self.operands
            .iter()
            .zip(&self.moves)
            .filter_map(move |(operand, moves)| operand.row().map(|first| Rows::new(first, count(*moves))))
    }

    /// The operand of an element.
    pub fn operand(&self, k: usize, element: usize) -> Register {
        if self.moves[k] { self.operands[k].after(element) } else { self.operands[k] }
    }

    /// Whether each operand is contiguous rows or one shared number.
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// One element, as a segment.
    pub fn element(&self, element: usize) -> Segment {
        let operands: SmallVec<[Register; 3]> =
            (0..self.operands.len()).map(|k| self.operand(k, element)).collect();
        let moves = operands.iter().map(|operand| !operand.is_shared()).collect();
        Segment::new(self.out.after(element), 1, operands, moves)
    }
}

/// Splits an elementwise operation into segments: for each element the row it is written to, and its operands.
pub(super) fn segments(elements: impl Iterator<Item = (Row, SmallVec<[Register; 3]>)>) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    for (out, operands) in elements {
        if let Some(last) = segments.last_mut() {
            let count = last.count;
            let moves: SmallVec<[Option<bool>; 3]> = (last.operands.iter().zip(&last.moves).zip(&operands))
                .map(|((first, moves), register)| {
                    // The second element decides.
                    let next =
                        if first.is_shared() == register.is_shared() { first.after(count) } else { *first };
                    let goes_on = |moves: bool| *register == if moves { next } else { *first };
                    let found = [*moves, !moves].into_iter().find(|moves| goes_on(*moves));
                    found.filter(|found| count == 1 || found == moves)
                })
                .collect();
            if out == last.out.after(count)
                && let Some(moves) = moves.into_iter().collect()
            {
                let operands = std::mem::take(&mut last.operands);
                *last = Segment::new(last.out, count + 1, operands, moves);
                continue;
            }
        }
        let moves = operands.iter().map(|operand| !operand.is_shared()).collect();
        segments.push(Segment::new(out, 1, operands, moves));
    }
    segments
}
