//! Shifts that cancel: numbers that powers are divided by and that no result depends on.
//!
//! A softmax is recorded as e^{a_k - m}/Σ e^{a_j - m} with the largest m of the a_j, so that nothing overflows. m has a
//! derivative, but what is computed from m by these powers alone does not depend on it.
//!
//! Let λ = e^{-δ}. Where m becomes m + δ in some differences a - m, of which nothing but powers e^{a - m} is computed, each of
//! these powers becomes λ times itself. A node has *degree* p if it becomes λᵖ times itself then: the powers have degree 1, what
//! does not depend on them degree 0, a product the sum of the degrees of its factors, and a sum of nodes of one degree that degree.
//! If each node that depends on the powers has a degree, and that of the outputs is 0, then no output depends on m
//! through these differences, for any m, and the derivative along them is exactly 0.

use std::collections::{BTreeSet, HashMap, HashSet};

use smallvec::SmallVec;

use crate::tape::{Binary, Choice, Node, NodeId, Op, Subgraph, Tape, Unary};

/// Returns the differences a - m that no output depends on through m.
pub(super) fn shifts_that_cancel(tape: &Tape, subgraph: &Subgraph, outputs: &[NodeId]) -> HashSet<NodeId> {
    let shifts = shifts(tape, subgraph);
    if shifts.is_empty() {
        return HashSet::new();
    }
    let users = Users::new(tape, subgraph);
    let outputs: HashSet<NodeId> = outputs.iter().copied().collect();
    let mut found = HashSet::new();
    for differences in shifts {
        let kept: Vec<NodeId> = differences
            .into_iter()
            .filter(|id| !outputs.contains(id) && users.of(*id).all(|user| is_power(tape, user)))
            .collect();
        let powers: Vec<NodeId> = kept.iter().flat_map(|id| users.of(*id)).collect();
        if !powers.is_empty() && cancel(tape, subgraph, &users, &powers, &outputs) {
            found.extend(kept);
        }
    }
    found
}

fn is_power(tape: &Tape, id: NodeId) -> bool {
    tape.with_node(id, |node| node.op == Op::Unary(Unary::Exp))
}

/// For each m, the differences a - m of which a power is computed; in the order of the program.
fn shifts(tape: &Tape, subgraph: &Subgraph) -> Vec<Vec<NodeId>> {
    let mut places: HashMap<NodeId, usize> = HashMap::new();
    let mut shifts: Vec<Vec<NodeId>> = Vec::new();
    for id in subgraph.nodes() {
        if subgraph.is_input(*id) {
            continue;
        }
        let Some(exponent) = tape.argument(*id, Unary::Exp) else { continue };
        if subgraph.position(exponent).is_none() || subgraph.is_input(exponent) {
            continue;
        }
        let shift = tape.with_node(exponent, |node| match (&node.op, node.operands.as_slice()) {
            (Op::Binary(Binary::Sub), [a, m]) if a != m => Some(*m),
            _ => None,
        });
        // What is constant has no derivative anyway.
        let Some(shift) = shift.filter(|m| subgraph.position(*m).is_some()) else { continue };
        let place = *places.entry(shift).or_insert(shifts.len());
        if place == shifts.len() {
            shifts.push(Vec::new());
        }
        if shifts[place].last() != Some(&exponent) {
            shifts[place].push(exponent);
        }
    }
    shifts
}

/// By position, the nodes of a program that a node is an operand of.
struct Users<'a> {
    subgraph: &'a Subgraph,
    of: Vec<SmallVec<[u32; 4]>>,
}

impl<'a> Users<'a> {
    fn new(tape: &Tape, subgraph: &'a Subgraph) -> Users<'a> {
        let mut of = vec![SmallVec::new(); subgraph.nodes().len()];
        for (position, id) in subgraph.nodes().iter().enumerate() {
            if subgraph.is_input(*id) {
                continue;
            }
            tape.with_node(*id, |node| {
                for at in node.operands.iter().filter_map(|operand| subgraph.position(*operand)) {
                    let users: &mut SmallVec<[u32; 4]> = &mut of[at];
                    if users.last() != Some(&(position as u32)) {
                        users.push(position as u32);
                    }
                }
            });
        }
        Users { subgraph, of }
    }

    fn positions(&self, id: NodeId) -> &[u32] {
        self.subgraph.position(id).map_or(&[], |at| &self.of[at])
    }

    fn of(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.positions(id).iter().map(|user| self.subgraph.nodes()[*user as usize])
    }
}

/// Whether all that depends on these powers has a degree, and the outputs have degree 0.
fn cancel(
    tape: &Tape,
    subgraph: &Subgraph,
    users: &Users<'_>,
    powers: &[NodeId],
    outputs: &HashSet<NodeId>,
) -> bool {
    // Degrees other than 0.
    let mut degrees: HashMap<NodeId, i32> = HashMap::new();
    let mut waiting: BTreeSet<u32> = BTreeSet::new();
    for id in powers {
        if outputs.contains(id) {
            return false;
        }
        waiting.extend(users.positions(*id));
        degrees.insert(*id, 1);
    }
    while let Some(position) = waiting.pop_first() {
        let id = subgraph.nodes()[position as usize];
        let degree =
            tape.with_node(id, |node| degree(node, |operand| degrees.get(&operand).copied().unwrap_or(0)));
        match degree {
            None => return false,
            Some(0) => {}
            Some(_) if outputs.contains(&id) => return false,
            Some(degree) => {
                waiting.extend(users.positions(id));
                degrees.insert(id, degree);
            }
        }
    }
    true
}

/// The degree of a node whose operands have these degrees; `None` if it has none.
fn degree(node: &Node, of: impl Fn(NodeId) -> i32) -> Option<i32> {
    let degrees: SmallVec<[i32; 3]> = node.operands.iter().map(|operand| of(*operand)).collect();
    let same = || degrees.windows(2).all(|pair| pair[0] == pair[1]).then(|| degrees[0]);
    match (&node.op, degrees.as_slice()) {
        (Op::Unary(Unary::Neg | Unary::Abs), [a]) => Some(*a),
        (Op::Unary(Unary::Recip), [a]) => Some(-a),
        (Op::Binary(Binary::Mul), [a, b]) => a.checked_add(*b),
        (Op::Binary(Binary::Div), [a, b]) => a.checked_sub(*b),
        (Op::Binary(Binary::Add | Binary::Sub) | Op::Choice(Choice::Min | Choice::Max) | Op::Concat, _) => {
            same()
        }
        // λ is positive, so that both sides of a comparison are multiplied by it or neither.
        (Op::Binary(Binary::Less | Binary::LessEq), _) => same().map(|_| 0),
        (Op::Choice(Choice::Select), [0, a, b]) if a == b => Some(*a),
        // They move elements, repeat them or add those of one node.
        (Op::Broadcast | Op::Sum | Op::Gather(_) | Op::Scatter(_) | Op::Transpose, [a]) => Some(*a),
        // Whatever it is, of what does not change it does not change.
        _ => degrees.iter().all(|degree| *degree == 0).then_some(0),
    }
}
