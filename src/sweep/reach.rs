//! The dependence sweep: which inputs an element depends on, and which outputs depend on it.
//!
//! All structural proofs use the *edges* of a program: element v of a node depends on element u of an operand. The
//! edges of an operation are one match (`Reach::edges`); highest and lowest indices, bit sets, slices and paths are
//! passes over them. A structural zero removes edges: a factor of an element that is the **constant** 0 (a mask,
//! padding) has none, while a parameter that happens to be 0.0 keeps them. So what follows holds for all inputs and
//! all parameters.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::equation::Dependence;
use super::function::is_flat;
use super::zeros::{product_sizes, structural_zeros};
use crate::tape::{Binary, Choice, NodeId, Op, Positions, Subgraph, Tape};

/// What counts as a dependence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Of the value: conditions count. For proofs of order and for inversion.
    Value,
    /// Of the derivative: conditions do not count. For tangents.
    Derivative,
}

/// A numbering of the elements of all nodes of a program, node by node.
#[derive(Clone, Debug)]
pub struct Layout {
    positions: Arc<Positions>,
    offsets: Vec<usize>,
}

impl Layout {
    /// Numbers the elements of a program.
    pub fn new(tape: &Tape, subgraph: &Subgraph) -> Layout {
        let mut offsets = Vec::with_capacity(subgraph.nodes().len() + 1);
        let mut total = 0;
        for id in subgraph.nodes() {
            offsets.push(total);
            total += tape.shape(*id).len();
        }
        offsets.push(total);
        Layout { positions: subgraph.positions(), offsets }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.offsets[self.offsets.len() - 1]
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The position of a node in the program, if it belongs to it.
    pub fn position(&self, id: NodeId) -> Option<usize> {
        self.positions.of(id)
    }

    /// The element numbers of a node.
    ///
    /// # Panics
    /// When the node is not of the program.
    pub fn elements(&self, id: NodeId) -> std::ops::Range<usize> {
        let position = self.position(id).expect("the node belongs to the program");
        self.offsets[position]..self.offsets[position + 1]
    }

    /// The position of the node that an element belongs to.
    pub fn node_of(&self, element: usize) -> usize {
        self.offsets.partition_point(|offset| *offset <= element) - 1
    }
}

/// The dependences between the elements of a program.
pub struct Reach<'a> {
    tape: &'a Tape,
    subgraph: &'a Subgraph,
    relation: Relation,
    layout: Layout,
    zeros: Vec<bool>,
    /// By position: whether the node depends on any input.
    active: Vec<bool>,
    /// By position: whether every element of the node depends on every element of its second operand and on nothing
    /// else, as in a product with a fixed matrix without zeros.
    full: Vec<bool>,
    /// By position: what the elements of a node that solves an equation depend on.
    equations: HashMap<usize, Dependence>,
    /// The elements that are held fixed, by number; empty if there are none.
    fixed: Vec<bool>,
}

/// A step of a path: an element of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The node.
    pub node: NodeId,
    /// The element of the node, counted row by row.
    pub element: usize,
}

/// No label: the element depends on no input, or no output depends on it.
pub const NONE: u32 = u32::MAX;

/// More than one label: the element depends on inputs, or leads to outputs, of different labels.
pub const SEVERAL: u32 = u32::MAX - 1;

/// Up to this number of edges a product is not visited as a whole.
const SMALL_PRODUCT: usize = 4096;

fn one_label(a: u32, b: u32) -> u32 {
    match (a, b) {
        (NONE, other) | (other, NONE) => other,
        (a, b) if a == b => a,
        _ => SEVERAL,
    }
}

impl<'a> Reach<'a> {
    /// Analyses a program: numbers its elements and finds its structural zeros.
    pub fn new(tape: &'a Tape, subgraph: &'a Subgraph, relation: Relation) -> Reach<'a> {
        let layout = Layout::new(tape, subgraph);
        let zeros = structural_zeros(tape, subgraph, &layout);
        let mut active = vec![false; subgraph.nodes().len()];
        for (position, id) in subgraph.nodes().iter().enumerate() {
            active[position] = subgraph.is_input(*id)
                || tape.with_node(*id, |node| {
                    node.operands
                        .iter()
                        .any(|operand| layout.position(*operand).is_some_and(|position| active[position]))
                });
        }
        let equation = |(position, id): (usize, &NodeId)| {
            if !active[position] || subgraph.is_input(*id) {
                return None;
            }
            let node = tape.node(*id);
            let moves = |k: usize| layout.position(node.operands[k]).is_some_and(|at| active[at]);
            Some((position, Dependence::new((&node.op, node.shape), relation, moves)?))
        };
        let equations = subgraph.nodes().iter().enumerate().filter_map(equation).collect();
        let is_full = |(position, id): (usize, &NodeId)| {
            active[position]
                && !subgraph.is_input(*id)
                && tape.with_node(*id, |node| {
                    let moves = |k: usize| layout.position(node.operands[k]).is_some_and(|at| active[at]);
                    let none_zero = |k: usize| !zeros[layout.elements(node.operands[k])].contains(&true);
                    node.op == Op::MatVec && !moves(0) && none_zero(0) && none_zero(1)
                })
        };
        let full = subgraph.nodes().iter().enumerate().map(is_full).collect();
        // The program begins at its inputs: their ancestors are not visited.
        Reach { tape, subgraph, relation, layout, zeros, active, full, equations, fixed: Vec::new() }
    }

    /// Holds these elements fixed, as if they were constants: nothing depends on an input through them.
    pub fn fixing(mut self, elements: &[usize]) -> Reach<'a> {
        self.fixed = vec![false; self.layout.len()];
        for element in elements {
            self.fixed[*element] = true;
            self.full[self.layout.node_of(*element)] = false;
        }
        self
    }

    /// Whether a node depends on any input.
    pub fn depends_on_input(&self, id: NodeId) -> bool {
        self.layout.position(id).is_some_and(|position| self.active[position])
    }

    /// The numbering of the elements.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The element numbers of all inputs, in the order of the inputs.
    pub fn input_elements(&self) -> Vec<usize> {
        self.subgraph.inputs().iter().flat_map(|id| self.layout.elements(*id)).collect()
    }

    /// The element numbers of all outputs, in the order of the outputs.
    pub fn output_elements(&self) -> Vec<usize> {
        self.subgraph.outputs().iter().flat_map(|id| self.layout.elements(*id)).collect()
    }

    /// Visits every edge of the node at this position: (element of the node, element of the operand).
    fn edges(&self, position: usize, mut visit: impl FnMut(usize, usize)) {
        let id = self.subgraph.nodes()[position];
        if !self.active[position] || self.subgraph.is_input(id) {
            return;
        }
        let node = self.tape.node(id);
        let start = self.layout.elements(id).start;
        let value = self.relation == Relation::Value;
        let range = |k: usize| {
            let range = self.layout.elements(node.operands[k]);
            let position = self.layout.position(node.operands[k]).expect("operands belong to the program");
            self.active[position].then_some(range)
        };
        // The structural zeros of an operand, whether or not it depends on an input.
        let zero = |k: usize, e: usize| self.zeros[self.layout.elements(node.operands[k]).start + e];
        let mut elementwise = |k: usize| {
            for (e, u) in range(k).into_iter().flatten().enumerate() {
                visit(start + e, u);
            }
        };
        match &node.op {
            Op::Input(_) | Op::Parameter(_) | Op::Constant(_) => {}
            Op::Unary(op) if !value && is_flat(*op) => {}
            Op::Unary(_) => elementwise(0),
            Op::Binary(Binary::Less | Binary::LessEq) if !value => {}
            Op::Binary(
                Binary::Add
                | Binary::Sub
                | Binary::Div
                | Binary::Pow
                | Binary::LogAddExp
                | Binary::Less
                | Binary::LessEq,
            )
            | Op::Choice(Choice::Min | Choice::Max) => {
                elementwise(0);
                elementwise(1);
            }
            Op::Binary(Binary::Mul) => {
                for k in 0..2 {
                    for (e, u) in range(k).into_iter().flatten().enumerate() {
                        if !zero(1 - k, e) {
                            visit(start + e, u);
                        }
                    }
                }
            }
            Op::Choice(Choice::Select) => {
                if value {
                    elementwise(0);
                }
                elementwise(1);
                elementwise(2);
            }
            Op::Broadcast => {
                for u in range(0).into_iter().flatten() {
                    (0..node.shape.len()).for_each(|e| visit(start + e, u));
                }
            }
            Op::Sum | Op::LogAbsDet => range(0).into_iter().flatten().for_each(|u| visit(start, u)),
            Op::Gather(indices) => {
                if let Some(range) = range(0) {
                    for (e, index) in indices.iter().enumerate() {
                        visit(start + e, range.start + *index as usize);
                    }
                }
            }
            Op::Scatter(indices) => {
                for (index, u) in indices.iter().zip(range(0).into_iter().flatten()) {
                    visit(start + *index as usize, u);
                }
            }
            Op::Concat => {
                let mut next = start;
                for k in 0..node.operands.len() {
                    let length = self.layout.elements(node.operands[k]).len();
                    for (e, u) in range(k).into_iter().flatten().enumerate() {
                        visit(next + e, u);
                    }
                    next += length;
                }
            }
            Op::Transpose => {
                let (rows, columns) = node.shape.matrix_dims();
                if let Some(range) = range(0) {
                    for e in 0..node.shape.len() {
                        visit(start + e, range.start + (e % columns) * rows + e / columns);
                    }
                }
            }
            Op::MatVec | Op::MatMul => {
                let (rows, inner, columns) = product_sizes(self.tape, &node);
                let (left, right) = (range(0), range(1));
                for row in 0..rows {
                    for k in 0..inner {
                        for column in 0..columns {
                            let (a, b) = (row * inner + k, k * columns + column);
                            if zero(0, a) || zero(1, b) {
                                continue;
                            }
                            let out = start + row * columns + column;
                            left.iter().for_each(|range| visit(out, range.start + a));
                            right.iter().for_each(|range| visit(out, range.start + b));
                        }
                    }
                }
            }
            Op::Outer => {
                let (rows, columns) = node.shape.matrix_dims();
                let (left, right) = (range(0), range(1));
                for row in 0..rows {
                    for column in 0..columns {
                        if zero(0, row) || zero(1, column) {
                            continue;
                        }
                        let out = start + row * columns + column;
                        left.iter().for_each(|range| visit(out, range.start + row));
                        right.iter().for_each(|range| visit(out, range.start + column));
                    }
                }
            }
            Op::Inverse | Op::MatrixExp => {
                for u in range(0).into_iter().flatten() {
                    (0..node.shape.len()).for_each(|e| visit(start + e, u));
                }
            }
            Op::Equation(_) | Op::Solution(_) => {
                let equation = &self.equations[&position];
                for k in 0..node.operands.len() {
                    if let Some(range) = range(k) {
                        equation.edges(k, |e, u| visit(start + e, range.start + u));
                    }
                }
            }
        }
    }

    /// Propagates values along all edges into a node: `join` combines the values of the elements that an element
    /// depends on; it must be associative, commutative and idempotent.
    fn carry<T: Copy>(&self, position: usize, values: &mut [T], join: impl Fn(T, T) -> T) {
        let Some((to, from)) = self.all_to_all(position) else {
            self.edges(position, |v, u| {
                if self.alive(v) {
                    values[v] = join(values[v], values[u]);
                }
            });
            return;
        };
        if let Some(all) = values[from].iter().copied().reduce(&join) {
            values[to].iter_mut().for_each(|value| *value = join(*value, all));
        }
    }

    /// Propagates values from a node to the elements it depends on.
    fn carry_back<T: Copy>(&self, position: usize, values: &mut [T], join: impl Fn(T, T) -> T) {
        let Some((to, from)) = self.all_to_all(position) else {
            self.edges(position, |v, u| {
                if self.alive(v) {
                    values[u] = join(values[u], values[v]);
                }
            });
            return;
        };
        if let Some(all) = values[to].iter().copied().reduce(&join) {
            values[from].iter_mut().for_each(|value| *value = join(*value, all));
        }
    }

    /// Returns the elements of a node and of an operand if each depends on each, so that edges need not be
    /// enumerated.
    fn all_to_all(&self, position: usize) -> Option<(Range<usize>, Range<usize>)> {
        let id = self.subgraph.nodes()[position];
        let vector = || self.tape.with_node(id, |node| node.operands[1]);
        self.full[position].then(|| (self.layout.elements(id), self.layout.elements(vector())))
    }

    /// Visits every edge of the program: (element, element of an operand that it depends on).
    pub fn each_edge(&self, mut visit: impl FnMut(usize, usize)) {
        for position in 0..self.subgraph.nodes().len() {
            self.edges(position, |to, from| {
                if self.alive(to) {
                    visit(to, from);
                }
            });
        }
    }

    /// Visits every edge of the program, in the order of its nodes. A product in which each of several elements depends on
    /// each of several others is visited as a whole.
    pub fn each_edge_or_product(
        &self,
        mut edge: impl FnMut(usize, usize),
        mut product: impl FnMut(Range<usize>, Range<usize>),
    ) {
        for position in 0..self.subgraph.nodes().len() {
            match self.all_to_all(position) {
                Some((to, from)) if to.len() * from.len() > SMALL_PRODUCT && to.len() > 1 => {
                    product(to, from)
                }
                _ => self.edges(position, |to, from| {
                    if self.alive(to) {
                        edge(to, from);
                    }
                }),
            }
        }
    }

    /// Whether an edge exists: a structural zero depends on nothing, nor does what is held fixed.
    fn alive(&self, element: usize) -> bool {
        !self.zeros[element] && !self.fixed.get(element).is_some_and(|fixed| *fixed)
    }

    /// For every element the label of the inputs it depends on, if they all have this one; else [`SEVERAL`] or [`NONE`].
    pub fn only_input(&self, labels: &[u32]) -> Vec<u32> {
        let mut only = vec![NONE; self.layout.len()];
        for (element, label) in self.input_elements().into_iter().zip(labels) {
            only[element] = *label;
        }
        for position in 0..self.subgraph.nodes().len() {
            self.carry(position, &mut only, one_label);
        }
        only
    }

    /// For every element the label of the outputs that depend on it, if they all have this one; else [`SEVERAL`] or
    /// [`NONE`].
    pub fn only_output(&self, labels: &[u32]) -> Vec<u32> {
        let mut only = vec![NONE; self.layout.len()];
        for (element, label) in self.output_elements().into_iter().zip(labels) {
            only[element] = one_label(only[element], *label);
        }
        for position in (0..self.subgraph.nodes().len()).rev() {
            self.carry_back(position, &mut only, one_label);
        }
        only
    }

    /// hi: for every element the largest label among the inputs it depends on, or [`NONE`].
    ///
    /// `labels` gives a label to each input element.
    pub fn highest(&self, labels: &[u32]) -> Vec<u32> {
        let mut highest = vec![NONE; self.layout.len()];
        for (element, label) in self.input_elements().into_iter().zip(labels) {
            highest[element] = *label;
        }
        for position in 0..self.subgraph.nodes().len() {
            self.carry(position, &mut highest, |a, b| match (a, b) {
                (NONE, other) | (other, NONE) => other,
                (a, b) => a.max(b),
            });
        }
        highest
    }

    /// lo: for every element the smallest label among the outputs that depend on it, or [`NONE`].
    ///
    /// `labels` gives a label to each output element.
    pub fn lowest(&self, labels: &[u32]) -> Vec<u32> {
        let mut lowest = vec![NONE; self.layout.len()];
        for (element, label) in self.output_elements().into_iter().zip(labels) {
            // Two outputs may be one node (the tape is hash-consed): the smaller label is used. NONE is the largest
            // number, so min handles it.
            lowest[element] = lowest[element].min(*label);
        }
        for position in (0..self.subgraph.nodes().len()).rev() {
            self.carry_back(position, &mut lowest, |a, b| a.min(b));
        }
        lowest
    }

    /// For every element a 64-bit set: the inputs among `block*64 .. block*64 + 64` it depends on.
    pub fn inputs_of(&self, block: usize) -> Vec<u64> {
        let mut sets = vec![0u64; self.layout.len()];
        for (number, element) in self.input_elements().into_iter().enumerate() {
            if number / 64 == block {
                sets[element] |= 1 << (number % 64);
            }
        }
        for position in 0..self.subgraph.nodes().len() {
            self.carry(position, &mut sets, |a, b| a | b);
        }
        sets
    }

    /// For every element a 64-bit set: the outputs among `block*64 .. block*64 + 64` that depend on it.
    pub fn outputs_of(&self, block: usize) -> Vec<u64> {
        let mut sets = vec![0u64; self.layout.len()];
        for (number, element) in self.output_elements().into_iter().enumerate() {
            if number / 64 == block {
                sets[element] |= 1 << (number % 64);
            }
        }
        for position in (0..self.subgraph.nodes().len()).rev() {
            self.carry_back(position, &mut sets, |a, b| a | b);
        }
        sets
    }

    /// The pattern of the Jacobian: for each output element the input elements it depends on, ascending.
    pub fn pattern(&self) -> Vec<Vec<u32>> {
        let (inputs, outputs) = (self.input_elements().len(), self.output_elements());
        let mut rows = vec![Vec::new(); outputs.len()];
        for block in 0..inputs.div_ceil(64) {
            let sets = self.inputs_of(block);
            for (row, element) in rows.iter_mut().zip(&outputs) {
                let mut set = sets[*element];
                while set != 0 {
                    row.push((block * 64) as u32 + set.trailing_zeros());
                    set &= set - 1;
                }
            }
        }
        rows
    }

    /// A shortest path from input element `input` to output element `output`, both ends included.
    pub fn path(&self, input: usize, output: usize) -> Option<Vec<Step>> {
        let from = self.input_elements()[input];
        let mut distance = vec![NONE; self.layout.len()];
        distance[from] = 0;
        for position in 0..self.subgraph.nodes().len() {
            self.edges(position, |v, u| {
                if self.alive(v) && distance[u] != NONE {
                    distance[v] = distance[v].min(distance[u] + 1);
                }
            });
        }
        let mut here = self.output_elements()[output];
        if distance[here] == NONE {
            return None;
        }
        let mut path = vec![self.step(here)];
        while here != from {
            let mut before = None;
            self.edges(self.layout.node_of(here), |v, u| {
                if v == here && before.is_none() && distance[u] != NONE && distance[u] + 1 == distance[v] {
                    before = Some(u);
                }
            });
            here = before.expect("an element that is reached has a predecessor");
            path.push(self.step(here));
        }
        path.reverse();
        Some(path)
    }

    /// The node that an element belongs to, and its place there.
    pub fn step(&self, element: usize) -> Step {
        let node = self.subgraph.nodes()[self.layout.node_of(element)];
        Step { node, element: element - self.layout.elements(node).start }
    }
}
