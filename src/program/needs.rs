//! Liveness of nodes: whether a node's per-row value, its batch sum, or neither is needed, and how batch sums are
//! computed from one another.

use std::collections::{HashMap, HashSet};

use super::compile::Compiler;
use super::lower::{Block, Kind, Part};
use super::plan::Output;
use crate::tape::{Binary, NodeId, Op, Unary};

/// Minimum number of entries of outer products whose sums are deferred, if all of them have as many.
const DEFERRED_LENGTH: usize = 1 << 12;
const DEFERRED_LENGTH_IN_ALL: usize = 1 << 19;

impl Compiler<'_> {
    /// Returns the positions of outer products whose batch sums are deferred, if they are so large together that a
    /// copy of the sums for each shard would be most of the memory traffic.
    pub(super) fn deferred_sums(&self) -> Vec<usize> {
        let is_large = |position: &usize| {
            let (op, shape) =
                self.tape.with_node(self.subgraph.nodes()[*position], |node| (node.op.clone(), node.shape));
            self.needs_sum[*position]
                && self.pushes_sum[*position]
                && op == Op::Outer
                && !self.loops.contains_key(position)
                && shape.len() >= DEFERRED_LENGTH
        };
        let large: Vec<usize> = (0..self.subgraph.nodes().len()).filter(is_large).collect();
        let length: usize =
            large.iter().map(|position| self.tape.shape(self.subgraph.nodes()[*position]).len()).sum();
        if length >= DEFERRED_LENGTH_IN_ALL { large } else { Vec::new() }
    }

    /// By position of an outer product: the entries of its batch sum that are not needed, because every use
    /// multiplies them with a zero of a mask.
    pub(super) fn find_unread(&self) -> HashMap<usize, Vec<bool>> {
        let mut unread: HashMap<usize, Vec<bool>> = HashMap::new();
        for (user, id) in self.subgraph.nodes().iter().enumerate() {
            if !self.needs_sum[user] || self.subgraph.is_input(*id) {
                continue;
            }
            let node = self.tape.node(*id);
            let zeros = self.zeros_of(*id);
            for operand in &node.operands {
                let (op, shape) = self.tape.with_node(*operand, |node| (node.op.clone(), node.shape));
                if op != Op::Outer {
                    continue;
                }
                let all = || vec![true; shape.len()];
                let entries = unread.entry(self.position(*operand)).or_insert_with(all);
                match node.op == Op::Binary(Binary::Mul) && node.shape == shape && !zeros.is_empty() {
                    true => entries.iter_mut().zip(zeros).for_each(|(entry, zero)| *entry &= zero),
                    false => entries.fill(false),
                }
            }
        }
        for output in &self.outputs {
            unread.remove(&self.position(output.node()));
        }
        unread.retain(|_, entries| entries.iter().any(|entry| *entry));
        unread
    }

    /// The entries of a node's batch sum that are not needed; empty where all are.
    pub(super) fn unread(&self, position: usize) -> &[bool] {
        self.unread.get(&position).map_or(&[], Vec::as_slice)
    }

    /// Marks which nodes are batched, and through which the batch sum is pushed.
    pub(super) fn classify(&mut self) {
        let summed: HashSet<NodeId> = self
            .outputs
            .iter()
            .filter(|output| matches!(output, Output::Sum(_)))
            .map(|output| output.node())
            .collect();
        let shares: HashSet<NodeId> =
            self.blocks.iter().flat_map(Block::shares).map(|share| share.variable).collect();
        for (position, id) in self.subgraph.nodes().iter().enumerate() {
            if self.subgraph.is_input(*id) {
                self.batched[position] = true;
                // The batch sum of a share is added up in its loop, if nothing else is needed of it.
                self.pushes_sum[position] = shares.contains(id);
                continue;
            }
            let node = self.tape.node(*id);
            let positions: Vec<usize> = node.operands.iter().map(|o| self.position(*o)).collect();
            self.batched[position] = positions.iter().any(|p| self.batched[*p]);
            if self.batched[position] {
                let linear = summed_operands(&node.op, |k| self.batched[positions[k]]);
                // A product of two rows of which only the batch sum is needed is not computed by itself.
                let product = node.op == Op::Binary(Binary::Mul)
                    && summed.contains(id)
                    && positions.iter().all(|position| self.batched[*position]);
                self.pushes_sum[position] =
                    node.op == Op::Outer || product || linear.iter().any(|k| self.pushes_sum[positions[*k]]);
            }
        }
    }

    pub(super) fn mark_needs(&mut self) {
        let results: Vec<NodeId> = self.blocks.iter().flat_map(Block::results).collect();
        let shares: Vec<NodeId> =
            self.blocks.iter().flat_map(Block::shares).map(|share| share.variable).collect();
        let inputs = self.subgraph.inputs().iter().filter(|id| !shares.contains(id));
        for id in inputs.copied().chain(results).collect::<Vec<NodeId>>() {
            let id = &id;
            let position = self.position(*id);
            self.needs_value[position] = true;
            self.uses[position] += 1;
        }
        for output in self.outputs.clone() {
            let position = self.position(output.node());
            self.uses[position] += 1;
            match output {
                Output::Each(_) => self.needs_value[position] = true,
                Output::Sum(_) => self.needs_sum[position] = true,
            }
        }
        let shares: HashMap<NodeId, NodeId> =
            (self.blocks.iter().flat_map(Block::shares)).map(|share| (share.variable, share.node)).collect();
        self.loops = self.nodes_of_loops();
        for position in (0..self.subgraph.nodes().len()).rev() {
            let id = self.subgraph.nodes()[position];
            if let Some(node) = shares.get(&id) {
                // A share of which only the batch sum is needed is not formed for each row.
                let node = self.position(*node);
                match self.needs_value[position] {
                    true => {
                        self.needs_value[node] = true;
                        self.pushes_sum[position] = false;
                    }
                    false if self.needs_sum[position] => {
                        self.needs_sum[node] = true;
                        self.summed_as.insert(position, node);
                    }
                    false => {}
                }
                self.uses[node] += 1;
                continue;
            }
            let node = self.tape.node(id);
            let operands: Vec<usize> = if self.subgraph.is_input(id) {
                Vec::new()
            } else {
                node.operands.iter().map(|operand| self.position(*operand)).collect()
            };
            if !self.needs_sum[position] && !self.needs_value[position] {
                continue;
            }
            operands.iter().for_each(|operand| self.uses[*operand] += 1);
            if self.needs_sum[position] && self.pushes_sum[position] {
                let summed = summed_operands(&node.op, |k| self.batched[operands[k]]);
                for (k, operand) in operands.iter().enumerate() {
                    if summed.contains(&k) {
                        self.needs_sum[*operand] = true;
                    } else {
                        self.needs_value[*operand] = true;
                    }
                }
            } else if self.needs_sum[position] {
                self.needs_value[position] = true;
            }
            if self.needs_value[position] {
                // Inside of an equation a matrix times a matrix is computed entry by entry.
                let packed =
                    self.packs(&node.op, &operands) && (node.op == Op::MatVec || !self.has_equations());
                for (k, operand) in operands.iter().enumerate() {
                    // Of a matrix that is only laid out for products, only the source is needed.
                    let needed = if packed && k == 0 {
                        self.position(self.source(node.operands[0]).0)
                    } else {
                        *operand
                    };
                    self.needs_value[needed] = true;
                }
            }
        }
    }

    /// By position: the block of the adjoints in whose body a node is, or whose variable it is.
    fn nodes_of_loops(&self) -> HashMap<usize, usize> {
        let mut loops = HashMap::new();
        for (number, block) in self.blocks.iter().enumerate() {
            let Kind::Adjoint { time, stage_weight, body, .. } = &block.kind else { continue };
            let whole = |part: &Part<NodeId>| match part {
                Part::Whole(node) => Some(*node),
                Part::Run { .. } | Part::Solve { .. } => None,
            };
            let nodes = body.iter().filter_map(whole).chain([block.variable, *time, *stage_weight]);
            loops.extend(nodes.filter_map(|node| Some((self.layout.position(node)?, number))));
        }
        loops
    }

    /// Returns the position of an operand.
    pub(super) fn operand(&self, position: usize, k: usize) -> usize {
        self.position(self.tape.with_node(self.subgraph.nodes()[position], |node| node.operands[k]))
    }

    /// Whether an operation is a product of a shared matrix with something batched.
    fn packs(&self, op: &Op, operands: &[usize]) -> bool {
        matches!(op, Op::MatVec | Op::MatMul) && !self.batched[operands[0]] && self.batched[operands[1]]
    }

    /// Returns the source of a matrix's numbers, and whether the matrix is its transpose: a transpose is part of the
    /// layout, and a mask of zeros and ones is part of the structural zeros.
    pub(super) fn source(&self, matrix: NodeId) -> (NodeId, bool) {
        // An equation asks for each of its stages.
        *self.sources.borrow_mut().entry(matrix).or_insert_with(|| self.find_source(matrix))
    }

    fn find_source(&self, matrix: NodeId) -> (NodeId, bool) {
        let (mut id, mut transposed) = (matrix, false);
        loop {
            let node = self.tape.node(id);
            let mask = |k: usize| {
                self.tape.with_node(node.operands[k], |operand| match &operand.op {
                    Op::Constant(data) => data.values().iter().all(|value| *value == 0.0 || *value == 1.0),
                    _ => false,
                })
            };
            id = match node.op {
                Op::Transpose => {
                    transposed = !transposed;
                    node.operands[0]
                }
                Op::Binary(Binary::Mul) if mask(1) => node.operands[0],
                Op::Binary(Binary::Mul) if mask(0) => node.operands[1],
                _ => return (id, transposed),
            };
        }
    }
}

/// Returns the operands to replace by their batch sums, where Σ op(…) = op(Σ …); none where this does not hold.
pub(super) fn summed_operands(op: &Op, batched: impl Fn(usize) -> bool) -> Vec<usize> {
    match op {
        Op::Unary(Unary::Neg) | Op::Gather(_) | Op::Scatter(_) | Op::Transpose | Op::Broadcast | Op::Sum => {
            vec![0]
        }
        Op::Binary(Binary::Add | Binary::Sub) => vec![0, 1],
        Op::Binary(Binary::Mul) | Op::MatVec | Op::MatMul if !batched(0) => vec![1],
        Op::Binary(Binary::Mul | Binary::Div) | Op::MatVec | Op::MatMul if !batched(1) => vec![0],
        _ => Vec::new(),
    }
}
