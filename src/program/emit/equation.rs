//! Equations: rows for their nodes, and the instructions that solve them.

use std::collections::{BTreeMap, HashMap};

use super::Emitter;
use crate::program::instruction::{Equation, Instruction, Unknown, Work};
use crate::program::lower::{Block, Kind, Part};
use crate::tape::NodeId;

impl Emitter<'_, '_> {
    /// Reserves rows for the nodes of an equation in the order in which their elements become known, so that elements
    /// that are computed together are contiguous.
    pub(super) fn reserve(&mut self, block: &Block<NodeId>) {
        let mut order: HashMap<NodeId, Vec<usize>> = HashMap::new();
        for part in block.parts() {
            if let Part::Run { node, elements } = part {
                order.entry(*node).or_default().extend(elements);
            }
        }
        let mut nodes: Vec<NodeId> = order.keys().copied().collect();
        nodes.sort_unstable();
        for id in nodes {
            let mut place = vec![0; self.compiler.tape.shape(id).len()];
            order[&id].iter().enumerate().for_each(|(k, e)| place[*e] = k);
            let first = self.new_rows(place.len());
            self.inside.insert(id, (first, place));
        }
    }

    /// Blocks that are not part of another block, by the last node that they need.
    pub(super) fn blocks_by_last_node(&self) -> HashMap<NodeId, Vec<usize>> {
        let mut ready: HashMap<NodeId, Vec<usize>> = HashMap::new();
        for (number, _) in self.compiler.blocks.iter().enumerate().filter(|(_, block)| !block.inner) {
            ready.entry(self.last_node(number)).or_default().push(number);
        }
        ready
    }

    /// Returns the last node that a block needs, in the order of the tape.
    pub(super) fn last_node(&self, block: usize) -> NodeId {
        let blocks = self.compiler.blocks;
        let mut last = blocks[block].variables().into_iter().fold(blocks[block].variable, NodeId::max);
        let mut open = vec![block];
        while let Some(block) = open.pop() {
            last = blocks[block].results().into_iter().fold(last, NodeId::max);
            last = blocks[block].variables().into_iter().fold(last, NodeId::max);
            for part in blocks[block].parts() {
                match part {
                    Part::Run { node, .. } | Part::Whole(node) => last = last.max(*node),
                    Part::Solve { block, .. } => open.push(*block),
                }
            }
        }
        last
    }

    /// Emits the work of a block, for all or some elements of its unknown.
    pub(super) fn block(&mut self, block: usize, elements: Option<&[usize]>) -> (Work, &'static str) {
        match self.compiler.blocks[block].is_integration() {
            true => (Work::Integrate(Box::new(self.integration(block))), "initial value problem"),
            false => {
                let name = match self.compiler.blocks[block].kind {
                    Kind::System { .. } => "system of equations",
                    _ => "solve",
                };
                (Work::Solve(Box::new(self.equation(block, elements))), name)
            }
        }
    }

    /// Emits the instructions that solve a block's equation, for all or some elements of its unknown.
    fn equation(&mut self, block: usize, elements: Option<&[usize]>) -> Equation {
        let compiler = self.compiler;
        let Block { variable, kind, .. } = &compiler.blocks[block];
        let unknown = self.registers(*variable);
        match kind {
            Kind::Motion { .. } | Kind::Adjoint { .. } => unreachable!("a loop over steps is no equation"),
            Kind::Substitution { output, stages, order } => {
                let stages: Vec<Vec<Instruction>> = stages.iter().map(|stage| self.parts(stage)).collect();
                let found = self.registers(*output);
                let takes = order
                    .iter()
                    .map(|e| (found.get(*e), unknown.get(*e).row().expect("an unknown has rows")))
                    .collect();
                Equation::Substitution { stages, takes }
            }
            Kind::Contraction { output, lipschitz, once, iterate } => {
                let (once, iterate) = (self.parts(once), self.parts(iterate));
                let found = self.registers(*output);
                let takes = (0..self.compiler.tape.shape(*variable).len())
                    .map(|e| (found.get(e), unknown.get(e).row().expect("an unknown has rows")))
                    .collect();
                Equation::Contraction { once, iterate, takes, lipschitz: *lipschitz }
            }
            Kind::System { value, jacobian, once, iterate } => {
                let (once, iterate) = (self.parts(once), self.parts(iterate));
                let (value, jacobian) = (self.registers(*value), self.registers(*jacobian));
                let count = self.compiler.tape.shape(*variable).len();
                Equation::System {
                    once,
                    iterate,
                    unknowns: (0..count)
                        .map(|e| unknown.get(e).row().expect("an unknown has rows"))
                        .collect(),
                    values: (0..count).map(|e| value.get(e)).collect(),
                    jacobian: (0..count * count).map(|e| jacobian.get(e)).collect(),
                }
            }
            Kind::Root { value, slope, ends, once, slices } => {
                let once = self.parts(once);
                let all: Vec<usize> = (0..slices.len()).collect();
                let elements = elements.unwrap_or(&all);
                let iterate = match elements.len() == slices.len() {
                    true => self.parts(&self.joined(slices)),
                    false => elements.iter().flat_map(|e| self.parts(&slices[*e])).collect(),
                };
                let (value, slope) = (self.registers(*value), self.registers(*slope));
                let unknowns = elements.iter().map(|e| Unknown {
                    row: unknown.get(*e).row().expect("an unknown has rows"),
                    value: value.get(*e),
                    slope: slope.get(*e),
                });
                Equation::Root { once, iterate, unknowns: unknowns.collect(), ends: *ends }
            }
        }
    }

    /// Merges all slices into one list in the order of the tape: each node once, with all of its elements.
    pub(super) fn joined(&self, slices: &[Vec<Part<NodeId>>]) -> Vec<Part<NodeId>> {
        let mut joined: BTreeMap<(NodeId, Option<usize>), Part<NodeId>> = BTreeMap::new();
        for part in slices.iter().flatten() {
            let (key, own) = match part {
                Part::Run { node, elements } => ((*node, None), elements),
                Part::Solve { block, elements } => ((self.last_node(*block), Some(*block)), elements),
                Part::Whole(_) => unreachable!("a root's nodes are computed element by element"),
            };
            match joined.get_mut(&key) {
                Some(Part::Run { elements, .. } | Part::Solve { elements, .. }) => elements.extend(own),
                Some(Part::Whole(_)) | None => {
                    joined.insert(key, part.clone());
                }
            }
        }
        joined.into_values().collect()
    }

    pub(super) fn parts(&mut self, parts: &[Part<NodeId>]) -> Vec<Instruction> {
        let outer = std::mem::take(&mut self.list);
        for part in parts {
            match part {
                Part::Run { node, elements } => self.node(*node, Some(elements)),
                Part::Whole(node) => self.node(*node, None),
                Part::Solve { block, elements } => {
                    let (work, name) = self.block(*block, Some(elements));
                    self.push_block(work, *block, name);
                }
            }
        }
        std::mem::replace(&mut self.list, outer)
    }
}
