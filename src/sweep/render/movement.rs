//! Data movement in formulas: a gather of a gather is written as one gather, a stack of numbers as a list, a scatter
//! onto the diagonal as a diagonal matrix.
//!
//! Small nodes are traced element by element to where each element was computed; of large ones one operation is
//! written at a time.

use std::collections::HashMap;

use crate::tape::{NodeId, Op, Shape, Subgraph, Tape};
use crate::typeset::Positions;

/// Maximum number of elements of a node that is traced element by element.
const SMALL: usize = 32;
/// Maximum number of entries of a matrix that is written out.
const WRITTEN_OUT: usize = 16;
/// Maximum number of parts of a list.
const PIECES: usize = 8;

/// Where an element comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Source {
    Number(f64),
    Element(NodeId, u32),
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Run {
    /// One number several times.
    Numbers(f64, usize),
    /// One scalar several times.
    Scalars(NodeId, usize),
    /// All of a node.
    Whole(NodeId),
    /// One element of a node.
    Element(NodeId, u32),
    /// Several elements of a node.
    Part(NodeId, Vec<u32>),
}

/// How a node that only moves data is written.
#[derive(Clone, Debug)]
pub(super) enum Shown {
    /// As another node.
    As(NodeId),
    Element(NodeId, u32),
    Part(NodeId, Vec<u32>),
    List(Vec<Run>),
    Table(Vec<Source>),
    /// A diagonal matrix with this on the diagonal.
    Diagonal(Vec<Run>),
    /// The identity matrix.
    Identity,
    Transposed(NodeId),
    /// The elements of a node at these places, and 0 elsewhere.
    Scattered(NodeId, Vec<u32>),
}

impl Shown {
    /// The nodes that occur in it, with repetitions.
    pub(super) fn operands(&self) -> Vec<NodeId> {
        let of_run = |run: &Run| match run {
            Run::Numbers(..) => None,
            Run::Scalars(id, _) | Run::Whole(id) | Run::Element(id, _) | Run::Part(id, _) => Some(*id),
        };
        let of_source = |source: &Source| match source {
            Source::Number(_) => None,
            Source::Element(id, _) => Some(*id),
        };
        match self {
            Shown::As(id) | Shown::Element(id, _) | Shown::Part(id, _) => vec![*id],
            Shown::Transposed(id) | Shown::Scattered(id, _) => vec![*id],
            Shown::List(runs) | Shown::Diagonal(runs) => runs.iter().filter_map(of_run).collect(),
            Shown::Identity => Vec::new(),
            Shown::Table(sources) => sources.iter().filter_map(of_source).collect(),
        }
    }
}

/// How the nodes of a program that only move data are written.
pub(super) struct Movement<'a> {
    tape: &'a Tape,
    shown: HashMap<NodeId, Shown>,
    sources: HashMap<NodeId, Vec<Source>>,
    /// Where the parts of a concatenation begin.
    starts: HashMap<NodeId, Vec<usize>>,
}

impl<'a> Movement<'a> {
    /// Analyses a program; a node that has a name is not expanded.
    pub(super) fn new(tape: &'a Tape, subgraph: &Subgraph, named: impl Fn(NodeId) -> bool) -> Movement<'a> {
        let mut movement =
            Movement { tape, shown: HashMap::new(), sources: HashMap::new(), starts: HashMap::new() };
        for id in subgraph.nodes().iter().filter(|id| !named(**id)) {
            movement.look(*id);
        }
        movement
    }

    /// Returns how a node is written, if it only moves data.
    pub(super) fn of(&self, id: NodeId) -> Option<&Shown> {
        self.shown.get(&id)
    }

    /// Returns how a node is written that only moves data and has no name.
    pub(super) fn shown(&self, id: NodeId) -> &Shown {
        &self.shown[&id]
    }

    /// Returns the node that is written in place of this one.
    pub(super) fn target(&self, id: NodeId) -> NodeId {
        match self.shown.get(&id) {
            Some(Shown::As(other)) => *other,
            _ => id,
        }
    }

    fn look(&mut self, id: NodeId) {
        let node = self.tape.node(id);
        if !matches!(node.op, Op::Broadcast | Op::Gather(_) | Op::Scatter(_) | Op::Concat | Op::Transpose) {
            return;
        }
        if node.op == Op::Concat {
            let mut start = 0;
            let starts = node.operands.iter().map(|part| {
                let first = start;
                start += self.tape.shape(*part).len();
                first
            });
            let starts = starts.collect();
            self.starts.insert(id, starts);
        }
        let length = node.shape.len();
        if node.op == Op::Broadcast {
            self.shown.insert(id, Shown::As(self.target(node.operands[0])));
            return;
        }
        let followed = (length <= SMALL)
            .then(|| (0..length as u32).map(|e| self.follow(id, e)).collect::<Option<Vec<_>>>())
            .flatten();
        let shown = followed.as_deref().and_then(|sources| self.small(sources, node.shape));
        if let Some(sources) = followed {
            self.sources.insert(id, sources);
        }
        let shown = shown.unwrap_or_else(|| self.one_operation(id));
        self.shown.insert(id, shown);
    }

    /// Traces an element to where it is computed; `None` if it is a sum of several elements.
    fn follow(&self, id: NodeId, element: u32) -> Option<Source> {
        let (mut id, mut element) = (id, element);
        let mut first = true;
        loop {
            if let Some(sources) = self.sources.get(&id) {
                return Some(sources[element as usize]);
            }
            // An element of a named or computed node is a source.
            let moved = first || self.shown.contains_key(&id);
            first = false;
            let node = self.tape.node(id);
            match &node.op {
                Op::Constant(data) => return Some(Source::Number(data.values()[element as usize])),
                _ if !moved => return Some(Source::Element(id, element)),
                Op::Broadcast => (id, element) = (node.operands[0], 0),
                Op::Gather(indices) => (id, element) = (node.operands[0], indices[element as usize]),
                Op::Transpose => {
                    let (rows, columns) = node.shape.matrix_dims();
                    let (row, column) = (element as usize / columns, element as usize % columns);
                    (id, element) = (node.operands[0], (column * rows + row) as u32);
                }
                Op::Concat => {
                    let starts = &self.starts[&id];
                    let part = starts.partition_point(|start| *start <= element as usize) - 1;
                    (id, element) = (node.operands[part], element - starts[part] as u32);
                }
                Op::Scatter(places) => {
                    let mut sources = (0..places.len()).filter(|k| places[*k] == element);
                    match (sources.next(), sources.next()) {
                        (None, _) => return Some(Source::Number(0.0)),
                        (Some(k), None) => (id, element) = (node.operands[0], k as u32),
                        _ => return None,
                    }
                }
                _ => return Some(Source::Element(id, element)),
            }
        }
    }

    /// Returns the simplest way to write these elements in this shape.
    fn small(&self, sources: &[Source], shape: Shape) -> Option<Shown> {
        if let (Shape::Matrix(rows, columns), false) = (shape, sources.len() == 1) {
            if let Some(base) = self.whole(sources, shape) {
                return Some(Shown::As(base));
            }
            let off = |e: usize| e / columns != e % columns;
            let diagonal = rows == columns
                && rows > 1
                && (0..sources.len()).all(|e| !off(e) || sources[e] == Source::Number(0.0));
            if diagonal {
                let entries: Vec<Source> = (0..rows).map(|i| sources[i * columns + i]).collect();
                return Some(match self.runs(&entries) {
                    runs if runs == [Run::Numbers(1.0, rows)] => Shown::Identity,
                    runs => Shown::Diagonal(runs),
                });
            }
            if let Some((base, indices)) = self.part(sources)
                && matches!(positions(&indices, self.tape.shape(base), shape), Positions::Block(..))
            {
                return Some(Shown::Part(base, indices));
            }
            return (sources.len() <= WRITTEN_OUT).then(|| Shown::Table(sources.to_vec()));
        }
        let runs = self.runs(sources);
        match (shape, runs.as_slice()) {
            (_, [Run::Whole(id)]) if self.tape.shape(*id) == shape => Some(Shown::As(*id)),
            // A vector of one element is written as a number.
            (_, [Run::Scalars(id, 1)]) => Some(Shown::As(*id)),
            (_, [Run::Element(id, e)]) => Some(Shown::Element(*id, *e)),
            (_, [Run::Part(id, indices)]) => Some(Shown::Part(*id, indices.clone())),
            _ if runs.len() > PIECES && runs.len() > sources.len() / 2 && sources.len() > PIECES => None,
            _ => Some(Shown::List(runs)),
        }
    }

    /// The node whose elements these are, all of them in order.
    fn whole(&self, sources: &[Source], shape: Shape) -> Option<NodeId> {
        let (base, indices) = self.part(sources)?;
        let all = indices.iter().enumerate().all(|(k, index)| k == *index as usize);
        (all && self.tape.shape(base) == shape).then_some(base)
    }

    /// One node that all elements come from.
    fn part(&self, sources: &[Source]) -> Option<(NodeId, Vec<u32>)> {
        let Some(Source::Element(base, _)) = sources.first().copied() else { return None };
        let of_base = |source: &Source| match source {
            Source::Element(id, e) if *id == base && self.tape.shape(base).len() > 1 => Some(*e),
            _ => None,
        };
        Some((base, sources.iter().map(of_base).collect::<Option<_>>()?))
    }

    /// Merges adjacent parts of a list that belong together.
    fn runs(&self, sources: &[Source]) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for source in sources {
            match (*source, runs.last_mut()) {
                (Source::Number(x), Some(Run::Numbers(y, n))) if x.to_bits() == y.to_bits() => *n += 1,
                (Source::Number(x), _) => runs.push(Run::Numbers(x, 1)),
                (Source::Element(id, _), Some(Run::Scalars(other, n))) if *other == id => *n += 1,
                (Source::Element(id, e), Some(Run::Part(other, list))) if *other == id => list.push(e),
                (Source::Element(id, e), _) => match self.tape.shape(id).len() {
                    1 => runs.push(Run::Scalars(id, 1)),
                    _ => runs.push(Run::Part(id, vec![e])),
                },
            }
        }
        for run in &mut runs {
            let Run::Part(id, list) = run else { continue };
            let whole = list.len() == self.tape.shape(*id).len()
                && list.iter().enumerate().all(|(k, e)| k == *e as usize)
                && matches!(self.tape.shape(*id), Shape::Vector(_));
            match list.as_slice() {
                _ if whole => *run = Run::Whole(*id),
                [only] => *run = Run::Element(*id, *only),
                _ => {}
            }
        }
        runs
    }

    /// A large node: its own operation, with gathers of gathers composed.
    fn one_operation(&self, id: NodeId) -> Shown {
        let node = self.tape.node(id);
        let operand = |k: usize| self.target(node.operands[k]);
        match &node.op {
            Op::Gather(indices) => {
                let (base, indices) = match self.shown.get(&operand(0)) {
                    Some(Shown::Part(base, inner)) => {
                        (*base, indices.iter().map(|index| inner[*index as usize]).collect())
                    }
                    _ => (operand(0), indices.to_vec()),
                };
                let all = indices.iter().enumerate().all(|(k, index)| k == *index as usize);
                match self.tape.shape(base) == node.shape && all {
                    true => Shown::As(base),
                    false if node.shape.len() == 1 => Shown::Element(base, indices[0]),
                    false => Shown::Part(base, indices),
                }
            }
            Op::Concat => {
                let mut runs: Vec<Run> = Vec::new();
                for part in &node.operands {
                    let target = self.target(*part);
                    let length = self.tape.shape(*part).len();
                    match (self.tape.shape(target), runs.last_mut()) {
                        (Shape::Scalar, Some(Run::Scalars(other, n))) if *other == target => *n += length,
                        (Shape::Scalar, _) => runs.push(Run::Scalars(target, length)),
                        _ => runs.push(Run::Whole(target)),
                    }
                }
                Shown::List(runs)
            }
            Op::Scatter(places) => {
                let diagonal = |(k, place): (usize, &u32), columns: usize| *place as usize == k * columns + k;
                match node.shape {
                    Shape::Matrix(rows, columns)
                        if rows == columns
                            && places.len() == rows
                            && places.iter().enumerate().all(|pair| diagonal(pair, columns)) =>
                    {
                        Shown::Diagonal(vec![Run::Whole(operand(0))])
                    }
                    _ => Shown::Scattered(operand(0), places.to_vec()),
                }
            }
            _ => Shown::Transposed(operand(0)),
        }
    }
}

/// Positions in a node of this shape, as rows and columns where it is a matrix.
pub(super) fn positions(indices: &[u32], of: Shape, shown: Shape) -> Positions {
    let Shape::Matrix(rows, columns) = of else { return Positions::Items(indices.to_vec()) };
    let columns = columns as u32;
    let pairs: Vec<(u32, u32)> = indices.iter().map(|index| (index / columns, index % columns)).collect();
    let mut down: Vec<u32> = pairs.iter().map(|(row, _)| *row).collect();
    down.dedup();
    let across: Vec<u32> = pairs
        .iter()
        .take_while(|(row, _)| pairs.first().is_some_and(|first| first.0 == *row))
        .map(|p| p.1)
        .collect();
    let block = down.iter().flat_map(|row| across.iter().map(move |column| (*row, *column)));
    let fits = match shown {
        Shape::Matrix(n, m) => (n, m) == (down.len(), across.len()),
        _ => down.len() == 1 || across.len() == 1,
    };
    if pairs.iter().all(|(row, column)| row == column) && !matches!(shown, Shape::Matrix(..)) {
        let places: Vec<u32> = pairs.iter().map(|(row, _)| *row).collect();
        let whole = places.len() == rows.min(columns as usize)
            && places.iter().enumerate().all(|(k, i)| k == *i as usize);
        return Positions::Diagonal((!whole).then_some(places));
    }
    if !fits || !block.eq(pairs.iter().copied()) {
        return Positions::Pairs(pairs);
    }
    let all = |list: Vec<u32>, length: usize| {
        let whole = list.len() == length && list.iter().enumerate().all(|(k, item)| k == *item as usize);
        (!whole || length == 1).then_some(list)
    };
    Positions::Block(all(down, rows), all(across, columns as usize))
}
