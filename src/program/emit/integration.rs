//! Loops over the steps of initial-value problems: their bodies, and batch sums that are added up within.

use std::collections::HashMap;

use super::{Emitter, LoopSum};
use crate::program::instruction::{Direction, Instruction, Integration};
use crate::program::lower::{Block, Kind, Part};
use crate::program::register::{Register, Rows};
use crate::tape::NodeId;

impl Emitter<'_, '_> {
    /// Finds the batch sums that are added up in the body of a loop, by its block, in the order in which they can be formed.
    pub(super) fn sums_of_loops(
        &self,
        sums: &HashMap<usize, usize>,
        pushes: &dyn Fn(usize) -> bool,
    ) -> HashMap<usize, Vec<LoopSum>> {
        let compiler = self.compiler;
        let mut found: HashMap<usize, Vec<LoopSum>> = HashMap::new();
        for (position, to) in sums {
            let Some(block) = compiler.loops.get(position) else { continue };
            let (id, pushed) = (compiler.subgraph.nodes()[*position], pushes(*position));
            let operands = compiler.tape.node(id).operands;
            let after = match pushed {
                true => operands.iter().map(|operand| compiler.position(*operand)).max().unwrap_or(0),
                false => *position,
            };
            found.entry(*block).or_default().push(LoopSum { after, position: *position, to: *to, pushed });
        }
        found.values_mut().for_each(|list| list.sort_unstable_by_key(|sum| (sum.after, sum.position)));
        found
    }

    /// Emits a loop over steps.
    pub(super) fn integration(&mut self, number: usize) -> Integration {
        let compiler = self.compiler;
        let block: &Block<NodeId> = &compiler.blocks[number];
        let list = |emitter: &Self, id: NodeId| emitter.registers(id).iter().collect::<Vec<Register>>();
        match &block.kind {
            Kind::Motion { problem, start, time, velocity, body, end, keeps, .. } => Integration {
                problem: problem.clone(),
                motion: number,
                state: self.variable(block.variable),
                time: self.variable(*time).first,
                body: self.body(number, body),
                direction: Direction::Forwards {
                    start: list(self, *start),
                    velocity: list(self, *velocity),
                    end: self.variable(*end),
                    keeps: *keeps,
                },
            },
            Kind::Adjoint {
                problem,
                motion,
                weight,
                time,
                stage_weight,
                body,
                back,
                initial,
                shares,
                ..
            } => {
                let body = self.body(number, body);
                // Of the others only the batch sums are needed, or nothing.
                let formed = shares.iter().filter(|share| {
                    let position = compiler.position(share.variable);
                    compiler.needs_value[position]
                });
                let shares = formed.map(|share| (list(self, share.node), self.variable(share.variable)));
                Integration {
                    problem: problem.clone(),
                    motion: *motion,
                    state: self.variable(block.variable),
                    time: self.variable(*time).first,
                    body,
                    direction: Direction::Backwards {
                        weight: list(self, *weight),
                        stage_weight: self.variable(*stage_weight),
                        back: back.map(|back| list(self, back)),
                        initial: initial.map(|initial| self.variable(initial)),
                        shares: shares.collect(),
                    },
                }
            }
            _ => unreachable!("an equation is no loop over steps"),
        }
    }

    /// The rows of an input that a block gives values to.
    fn variable(&self, id: NodeId) -> Rows {
        let registers = self.registers(id);
        let first = registers.first_row().expect("a variable has contiguous rows");
        Rows::new(first, registers.len())
    }

    fn body(&mut self, block: usize, parts: &[Part<NodeId>]) -> Vec<Instruction> {
        let outer = std::mem::take(&mut self.list);
        let sums = self.loop_sums.get(&block).cloned().unwrap_or_default();
        let mut waiting = sums.into_iter().peekable();
        for part in parts {
            let Part::Whole(node) = part else {
                let list = self.parts(std::slice::from_ref(part));
                self.list.extend(list);
                continue;
            };
            let position = self.compiler.position(*node);
            while let Some(sum) = waiting.next_if(|sum| sum.after < position) {
                self.sum(sum.position, sum.to, sum.pushed);
            }
            // Of what only a batch sum is formed there is no value for each row.
            if self.compiler.needs_value[position] {
                self.node(*node, None);
            }
        }
        waiting.for_each(|sum| self.sum(sum.position, sum.to, sum.pushed));
        std::mem::replace(&mut self.list, outer)
    }
}
