//! Instructions of a compiled program: what is done for each chunk of rows.

use std::panic::Location;

use super::place::{Place, Segment};
use crate::kernel::Wanted;
use crate::tape::{Op, Shape};

/// One step of a chunk.
#[derive(Clone, Debug)]
pub(super) struct Instruction {
    pub work: Work,
    /// The operation it was made of, and who wrote that where.
    pub name: &'static str,
    pub place: &'static Location<'static>,
    /// Which elements of the node its rows are, where they are not all of them in order.
    pub elements: Option<Box<[u32]>>,
}

#[derive(Clone, Debug)]
pub(super) enum Work {
    /// An operation of one, two or three operands, element by element.
    Elementwise { op: Op, segments: Vec<Segment> },
    /// tanh of rows, and from the other rows on 1/cosh² of them, by segment.
    TanhAndSlope { segments: Vec<Segment>, slopes: Vec<usize> },
    /// The sum of terms, each of them rows one after another, shared numbers, or products of two of these.
    Chain { out: usize, count: usize, terms: Vec<ChainTerm> },
    /// The sum of some rows.
    Sum { out: usize, terms: Vec<Place> },
    /// A shared matrix times rows one after another (a vector, or a matrix of so many columns), added to shared
    /// numbers if there are any.
    Product { matrix: usize, from: usize, out: usize, bias: Option<Vec<Place>>, columns: usize },
    /// Sums of products, row by row: for matrices that differ from lane to lane.
    Dots { out: usize, rows: Vec<Vec<(Place, Place)>> },
    /// Rows brought together.
    Copy { out: usize, from: Vec<Place> },
    /// An operation on the numbers of one lane at a time, from rows one after another.
    Lanewise { op: Op, from: usize, out: usize, shapes: (Shape, Shape) },
    /// The batch sum of some places, added to sums from `to` on.
    AddLanes { from: Vec<Place>, to: usize },
    /// The batch sums of products of two rows each, added to sums from `to` on.
    AddProducts { pairs: Vec<(Place, Place)>, to: usize },
    /// The batch sum of an outer product of rows, added to the sums from `to` on as far as they are wanted.
    AddOuter { left: (usize, usize), right: (usize, usize), to: usize, wanted: Wanted },
    /// An equation is solved.
    Solve(Box<Equation>),
}

/// A term of a chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChainTerm {
    pub negative: bool,
    pub place: Place,
    /// What it is multiplied with.
    pub factor: Option<Place>,
}

impl ChainTerm {
    pub fn places(&self) -> impl Iterator<Item = Place> + '_ {
        [Some(self.place), self.factor].into_iter().flatten()
    }
}

/// An equation and the instructions that solve it.
#[derive(Clone, Debug)]
pub(super) enum Equation {
    /// Stage after stage, and after each an element of the unknown is taken over.
    Substitution { stages: Vec<Vec<Instruction>>, takes: Vec<(Place, usize)> },
    /// Newton's method on rows of the unknown, each with the rows of h and of its slope.
    Root { once: Vec<Instruction>, iterate: Vec<Instruction>, unknowns: Vec<Unknown>, ends: (f64, f64) },
}

/// An element of a root.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unknown {
    pub row: usize,
    pub value: Place,
    pub slope: Place,
}

impl Instruction {
    /// The rows that are written, as ranges.
    pub fn written(&self, matrix_rows: &dyn Fn(usize) -> usize) -> Vec<(usize, usize)> {
        match &self.work {
            Work::Elementwise { segments, .. } => {
                let end = segments.iter().map(|segment| segment.out + segment.count).max().unwrap_or(0);
                segments.first().map(|first| (first.out, end - first.out)).into_iter().collect()
            }
            Work::TanhAndSlope { segments, slopes } => segments
                .iter()
                .zip(slopes)
                .flat_map(|(segment, slope)| [(segment.out, segment.count), (*slope, segment.count)])
                .collect(),
            Work::Chain { out, count, .. } => vec![(*out, *count)],
            Work::Sum { out, .. } => vec![(*out, 1)],
            Work::Product { matrix, out, columns, .. } => vec![(*out, matrix_rows(*matrix) * columns)],
            Work::Dots { out, rows } => vec![(*out, rows.len())],
            Work::Copy { out, from } => vec![(*out, from.len())],
            Work::Lanewise { out, shapes, .. } => vec![(*out, shapes.1.len())],
            Work::AddLanes { .. } | Work::AddProducts { .. } | Work::AddOuter { .. } => Vec::new(),
            Work::Solve(equation) => {
                let mut written = Vec::new();
                match equation.as_ref() {
                    Equation::Substitution { takes, .. } => {
                        written.extend(takes.iter().map(|(_, row)| (*row, 1)));
                    }
                    Equation::Root { unknowns, .. } => {
                        written.extend(unknowns.iter().map(|unknown| (unknown.row, 1)));
                    }
                }
                for instruction in equation.instructions() {
                    written.extend(instruction.written(matrix_rows));
                }
                written
            }
        }
    }

    /// Every row that is read, as ranges; those of an equation's own instructions too.
    pub fn read(&self, matrix_columns: &dyn Fn(usize) -> usize) -> Vec<(usize, usize)> {
        let rows = |places: &[Place]| -> Vec<(usize, usize)> {
            places.iter().filter(|place| !place.is_shared()).map(|place| (place.index(), 1)).collect()
        };
        match &self.work {
            Work::Elementwise { segments, .. } | Work::TanhAndSlope { segments, .. } => segments
                .iter()
                .flat_map(|segment| segment.operands.iter().map(|place| (*place, segment.count)))
                .filter(|(place, _)| !place.is_shared())
                .map(|(place, count)| (place.index(), count))
                .collect(),
            Work::Chain { count, terms, .. } => terms
                .iter()
                .flat_map(ChainTerm::places)
                .filter(|place| !place.is_shared())
                .map(|place| (place.index(), *count))
                .collect(),
            Work::Sum { terms, .. } => rows(terms),
            Work::Product { matrix, from, columns, .. } => {
                vec![(*from, matrix_columns(*matrix) * columns)]
            }
            Work::Dots { rows: dots, .. } => {
                dots.iter().flatten().flat_map(|(a, b)| rows(&[*a, *b])).collect()
            }
            Work::Copy { from, .. } => rows(from),
            Work::Lanewise { from, shapes, .. } => vec![(*from, shapes.0.len())],
            Work::AddLanes { from, .. } => rows(from),
            Work::AddProducts { pairs, .. } => pairs.iter().flat_map(|(a, b)| rows(&[*a, *b])).collect(),
            Work::AddOuter { left, right, .. } => vec![*left, *right],
            Work::Solve(equation) => {
                let mut read = Vec::new();
                match equation.as_ref() {
                    Equation::Substitution { takes, .. } => {
                        read.extend(takes.iter().flat_map(|(from, _)| rows(&[*from])));
                    }
                    Equation::Root { unknowns, .. } => {
                        read.extend(
                            unknowns.iter().flat_map(|unknown| rows(&[unknown.value, unknown.slope])),
                        );
                    }
                }
                for instruction in equation.instructions() {
                    read.extend(instruction.read(matrix_columns));
                }
                read
            }
        }
    }

    /// Scalar operations for one lane, with the entries of each matrix that are no structural zeros.
    pub fn operations(&self, nonzeros: &dyn Fn(usize) -> usize) -> u64 {
        match &self.work {
            Work::Elementwise { segments, .. } => segments.iter().map(|segment| segment.count as u64).sum(),
            Work::TanhAndSlope { segments, .. } => {
                segments.iter().map(|segment| 2 * segment.count as u64).sum()
            }
            Work::Chain { count, terms, .. } => {
                let each = terms.iter().map(|term| term.places().count()).sum::<usize>() - 1;
                (count * each) as u64
            }
            Work::Sum { terms, .. } => terms.len() as u64,
            Work::Product { matrix, bias, columns, .. } => {
                (2 * nonzeros(*matrix) * columns + bias.as_ref().map_or(0, Vec::len)) as u64
            }
            Work::Dots { rows, .. } => rows.iter().map(|pairs| 2 * pairs.len() as u64).sum(),
            Work::Copy { .. } => 0,
            Work::Lanewise { op, shapes, .. } => {
                // An elimination takes 2/3 d³ operations, an inverse three times that.
                let cube = (shapes.0.rows() as u64).pow(3);
                if *op == Op::LogAbsDet { 2 * cube / 3 } else { 2 * cube }
            }
            Work::AddLanes { from, .. } => from.len() as u64,
            Work::AddProducts { pairs, .. } => 2 * pairs.len() as u64,
            Work::AddOuter { wanted, .. } => 2 * wanted.entries() as u64,
            Work::Solve(equation) => {
                equation.instructions().into_iter().map(|instruction| instruction.operations(nonzeros)).sum()
            }
        }
    }

    /// Gives every row another number.
    pub fn renumber(&mut self, row: &dyn Fn(usize) -> usize) {
        let moved = |place: &mut Place| {
            if !place.is_shared() {
                *place = Place::row(row(place.index()));
            }
        };
        match &mut self.work {
            Work::Elementwise { segments, .. } => {
                for segment in segments {
                    segment.out = row(segment.out);
                    segment.operands.iter_mut().for_each(moved);
                }
            }
            Work::TanhAndSlope { segments, slopes } => {
                for (segment, slope) in segments.iter_mut().zip(slopes) {
                    (segment.out, *slope) = (row(segment.out), row(*slope));
                    segment.operands.iter_mut().for_each(moved);
                }
            }
            Work::Chain { out, terms, .. } => {
                *out = row(*out);
                for term in terms {
                    moved(&mut term.place);
                    term.factor.iter_mut().for_each(moved);
                }
            }
            Work::Sum { out, terms } => {
                *out = row(*out);
                terms.iter_mut().for_each(moved);
            }
            Work::Product { from, out, .. } => (*from, *out) = (row(*from), row(*out)),
            Work::Dots { out, rows } => {
                *out = row(*out);
                for (a, b) in rows.iter_mut().flatten() {
                    moved(a);
                    moved(b);
                }
            }
            Work::Copy { out, from } => {
                *out = row(*out);
                from.iter_mut().for_each(moved);
            }
            Work::Lanewise { from, out, .. } => (*from, *out) = (row(*from), row(*out)),
            Work::AddLanes { from, .. } => from.iter_mut().for_each(moved),
            Work::AddProducts { pairs, .. } => {
                for (a, b) in pairs {
                    moved(a);
                    moved(b);
                }
            }
            Work::AddOuter { left, right, .. } => (left.0, right.0) = (row(left.0), row(right.0)),
            Work::Solve(equation) => match equation.as_mut() {
                Equation::Substitution { stages, takes } => {
                    stages.iter_mut().flatten().for_each(|instruction| instruction.renumber(row));
                    for (from, to) in takes {
                        moved(from);
                        *to = row(*to);
                    }
                }
                Equation::Root { once, iterate, unknowns, .. } => {
                    once.iter_mut().chain(iterate).for_each(|instruction| instruction.renumber(row));
                    for unknown in unknowns {
                        unknown.row = row(unknown.row);
                        moved(&mut unknown.value);
                        moved(&mut unknown.slope);
                    }
                }
            },
        }
    }
}

impl Equation {
    /// The instructions it runs, a root's once.
    pub fn instructions(&self) -> Vec<&Instruction> {
        match self {
            Equation::Substitution { stages, .. } => stages.iter().flatten().collect(),
            Equation::Root { once, iterate, .. } => once.iter().chain(iterate).collect(),
        }
    }
}
