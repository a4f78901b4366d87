//! The canonical order of terms and factors: the same however an expression was recorded.
//!
//! Constants first, then parameters by name, inputs by index, and everything else by height, operation and
//! structure. Keys are computed bottom-up, once a node, without addresses or random hashes.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::tape::{Function, Node, NodeId, Op, Solution, Tape};

/// Where a node stands among others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    class: u8,
    height: u32,
    /// Of a parameter, or of an element of one.
    name: Option<Arc<str>>,
    rank: u64,
    structure: u64,
}

/// The keys of nodes, computed as they are asked for: only what a node is made of is looked at, down to where the
/// program starts.
pub(super) struct Keys<'t> {
    tape: &'t Tape,
    /// Nodes that stand as inputs, in this order: the z of a layer, wherever that z comes from.
    starts: FxHashMap<NodeId, u64>,
    known: FxHashMap<NodeId, Key>,
}

impl<'t> Keys<'t> {
    pub(super) fn new(tape: &'t Tape, starts: &[NodeId]) -> Keys<'t> {
        let is_leaf = |id: &NodeId| tape.with_node(*id, |node| node.operands.is_empty());
        let starts = starts.iter().enumerate().filter(|(_, id)| !is_leaf(id));
        let starts = starts.map(|(place, id)| (*id, place as u64)).collect();
        Keys { tape, starts, known: FxHashMap::default() }
    }

    pub(super) fn of(&mut self, id: NodeId) -> Key {
        let mut waiting = vec![id];
        while let Some(id) = waiting.last().copied() {
            if self.known.contains_key(&id) {
                waiting.pop();
                continue;
            }
            let key = match self.starts.get(&id) {
                Some(place) => Key {
                    class: 2,
                    height: 0,
                    name: None,
                    rank: *place,
                    structure: mix(mix(SEED, name_hash("start")), *place),
                },
                None => {
                    let node = self.tape.node(id);
                    let before = waiting.len();
                    waiting.extend(node.operands.iter().filter(|operand| !self.known.contains_key(operand)));
                    if waiting.len() > before {
                        continue;
                    }
                    self.node(&node)
                }
            };
            self.known.insert(id, key);
            waiting.pop();
        }
        self.known[&id].clone()
    }

    fn node(&self, node: &Node) -> Key {
        let of = |k: usize| &self.known[&node.operands[k]];
        let operands = || node.operands.iter().map(|operand| &self.known[operand]);
        let mut structure = mix(SEED, name_hash(node.op.name()));
        for operand in operands() {
            structure = mix(structure, operand.structure);
        }
        let mut key = Key {
            class: 3,
            name: None,
            height: operands().map(|key| key.height + 1).max().unwrap_or(0),
            rank: name_hash(node.op.name()),
            structure,
        };
        let mut detail = |value: u64| key.structure = mix(key.structure, value);
        match &node.op {
            Op::Constant(data) => {
                data.values().iter().for_each(|value| detail(value.to_bits()));
                key.class = 0;
                key.rank = ordered_bits(data.values().first().copied().unwrap_or(0.0));
            }
            Op::Broadcast => {
                (key.class, key.rank, key.height) = (of(0).class, of(0).rank, of(0).height);
                key.name = of(0).name.clone();
            }
            Op::Parameter(number) => {
                let name = self.tape.declaration(*number).name;
                detail(name_hash(&name));
                (key.class, key.rank, key.name) = (1, 0, Some(name.into()));
            }
            Op::Input(number) => {
                detail(u64::from(*number));
                (key.class, key.rank) = (2, u64::from(*number));
            }
            Op::Gather(indices) => {
                indices.iter().for_each(|index| detail(u64::from(*index)));
                // An element of an input is an input; one of anything else stands beside it.
                let first = indices.first().copied().map_or(0, u64::from);
                (key.class, key.height, key.rank) = (of(0).class, of(0).height, of(0).rank);
                key.name = of(0).name.clone();
                if key.class != 3 {
                    key.rank = key.rank.wrapping_mul(1 << 32).wrapping_add(1 + first);
                }
            }
            Op::Scatter(indices) => indices.iter().for_each(|index| detail(u64::from(*index))),
            Op::Unary(op) => op.number().into_iter().for_each(|number| detail(number as u64)),
            Op::Equation(equation) => function(equation.function(), &mut detail),
            Op::Solution(solution) => {
                function(&solution.problem().function, &mut detail);
                if let Solution::Adjoint(_, of) = solution {
                    detail(u64::from(*of));
                }
            }
            _ => {}
        }
        key
    }
}

/// What tells one equation from another.
fn function(function: &Function, detail: &mut impl FnMut(u64)) {
    detail(u64::from(function.output().0));
    for node in function.nodes() {
        detail(name_hash(node.op.name()));
        node.operands.iter().for_each(|operand| detail(u64::from(operand.0)));
    }
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;

fn mix(hash: u64, value: u64) -> u64 {
    let mut x = hash.rotate_left(5) ^ value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x ^= x >> 32;
    x.wrapping_mul(0xd6e8_feb8_6659_fd93)
}

fn name_hash(name: &str) -> u64 {
    name.bytes().fold(SEED, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Bits that are ordered as the numbers are.
fn ordered_bits(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}
