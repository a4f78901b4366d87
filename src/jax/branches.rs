//! Which nodes are needed in which branches only.
//!
//! `jnp.where` computes both of its branches, and gives the one that is not taken the derivative 0, which is NaN after a
//! factor that is ∞ or NaN there. So what enters a branch does so with derivatives only where the branch is taken.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::tape::{Binary, Choice, NodeId, Op, Subgraph, Tape, Unary};

/// Conditions that hold, or do not, all at once; in the order of their nodes.
pub(super) type Conditions = Vec<(NodeId, bool)>;

/// For each node that has derivatives, the conditions under which they are needed.
pub(super) struct Branches {
    needed: HashMap<NodeId, Conditions>,
    /// The conditions of operations whose derivatives are not finite everywhere.
    steep: Vec<Conditions>,
}

impl Branches {
    pub fn new(tape: &Tape, subgraph: &Subgraph) -> Branches {
        let mut needed: HashMap<NodeId, Conditions> = HashMap::new();
        for output in subgraph.outputs() {
            needed.insert(*output, Conditions::new());
        }
        let mut varies: HashSet<NodeId> = HashSet::new();
        for id in subgraph.nodes() {
            let node = tape.node(*id);
            let given = subgraph.is_input(*id) || matches!(node.op, Op::Input(_) | Op::Parameter(_));
            if given || node.operands.iter().any(|operand| varies.contains(operand)) {
                varies.insert(*id);
            }
        }
        let mut steep: Vec<Conditions> = Vec::new();
        for id in subgraph.nodes().iter().rev() {
            let Some(own) = needed.get(id).cloned() else { continue };
            let node = tape.node(*id);
            if !own.is_empty() && is_steep(&node.op) && !steep.contains(&own) {
                steep.push(own.clone());
            }
            for (place, operand) in node.operands.iter().enumerate() {
                if !varies.contains(operand) {
                    continue;
                }
                // What moves elements stands outside of every branch: conditions are of the elements that it makes.
                if !tape.with_node(*operand, |operand| operand.op.is_elementwise()) {
                    needed.insert(*operand, Conditions::new());
                    continue;
                }
                let under = match (&node.op, place) {
                    (Op::Choice(Choice::Select), 0) => continue,
                    (Op::Choice(Choice::Select), _) => with(&own, (node.operands[0], place == 1)),
                    (op, _) if op.is_elementwise() => own.clone(),
                    _ => Conditions::new(),
                };
                let common = match needed.get(operand) {
                    Some(known) => known.iter().copied().filter(|one| under.contains(one)).collect(),
                    None => under,
                };
                needed.insert(*operand, common);
            }
        }
        Branches { needed, steep }
    }

    /// The conditions under which a node passes derivatives on to an operand that has them elsewhere, too: those of steep
    /// operations that lead to the node.
    pub fn between(&self, node: NodeId, operand: NodeId) -> Conditions {
        let (Some(own), Some(outer)) = (self.needed.get(&node), self.needed.get(&operand)) else {
            return Conditions::new();
        };
        let within = |steep: &&Conditions| steep.iter().all(|one| own.contains(one));
        let all: BTreeSet<(NodeId, bool)> = self.steep.iter().filter(within).flatten().copied().collect();
        // All of them, also those that the operand shares: where they fail, NaN would go on from there.
        match all.iter().all(|one| outer.contains(one)) {
            true => Conditions::new(),
            false => all.into_iter().collect(),
        }
    }
}

fn with(conditions: &Conditions, one: (NodeId, bool)) -> Conditions {
    let mut all = conditions.clone();
    if !all.contains(&one) {
        all.push(one);
        all.sort_unstable();
    }
    all
}

/// Whether an operation has a derivative that may be infinite, or NaN.
fn is_steep(op: &Op) -> bool {
    match op {
        Op::Unary(function) => !matches!(
            function,
            Unary::Neg
                | Unary::Abs
                | Unary::Sign
                | Unary::Tanh
                | Unary::Sigmoid
                | Unary::Softplus
                | Unary::Sin
                | Unary::Cos
                | Unary::Erf
                | Unary::NormalCdf
        ),
        Op::Binary(function) => matches!(function, Binary::Div | Binary::Pow | Binary::LogAddExp),
        _ => false,
    }
}

/// The nodes in an order in which operands, and the conditions of operands, come before a node; with the conditions of each
/// operand, but for those that depend on the node themselves.
pub(super) fn in_order(
    tape: &Tape,
    branches: &Branches,
    computed: &[NodeId],
) -> Vec<(NodeId, Vec<Conditions>)> {
    let mut left: BTreeSet<NodeId> = computed.iter().copied().collect();
    let mut users: HashMap<NodeId, Vec<NodeId>> = HashMap::new();
    let mut waits: HashMap<NodeId, usize> = HashMap::new();
    for id in computed {
        let operands = tape.node(*id).operands;
        let asked = operands.iter().flat_map(|operand| branches.between(*id, *operand));
        let before: HashSet<NodeId> = operands
            .iter()
            .copied()
            .chain(asked.map(|(condition, _)| condition))
            .filter(|one| left.contains(one))
            .collect();
        waits.insert(*id, before.len());
        before.into_iter().for_each(|one| users.entry(one).or_default().push(*id));
    }
    let mut ready: BTreeSet<NodeId> = computed.iter().copied().filter(|id| waits[id] == 0).collect();
    let mut found = Vec::with_capacity(computed.len());
    while let Some(first) = left.first().copied() {
        // Where every node waits for a condition, the operands of the first are there: it does without the conditions.
        let id = ready.pop_first().unwrap_or(first);
        if !left.remove(&id) {
            continue;
        }
        let operands = tape.node(id).operands;
        let conditions = operands.iter().map(|operand| {
            branches
                .between(id, *operand)
                .into_iter()
                .filter(|(condition, _)| !left.contains(condition))
                .collect()
        });
        found.push((id, conditions.collect()));
        for user in users.remove(&id).unwrap_or_default() {
            if let Some(count) = waits.get_mut(&user) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(user);
                }
            }
        }
    }
    found
}
