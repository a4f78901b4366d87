//! The identity plus or minus a skew-symmetric matrix, which is never singular: xᵀ(1 ± (A - Aᵀ))x = xᵀx for all x.

use crate::tape::{Binary, NodeId, Op, Shape, Tape, Unary};

/// 1 + (A - Aᵀ) or 1 - (A - Aᵀ).
pub(in crate::sweep) struct Skew {
    /// The identity.
    pub one: NodeId,
    /// A.
    pub part: NodeId,
    /// Aᵀ.
    pub transpose: NodeId,
    /// Whether A is added.
    pub added: bool,
}

/// Reads a matrix as such a sum, in whichever order its terms stand.
pub(in crate::sweep) fn skew(tape: &Tape, matrix: NodeId) -> Option<Skew> {
    let Shape::Matrix(n, _) = tape.shape(matrix) else { return None };
    let (mut terms, mut waiting) = (Vec::new(), vec![(matrix, true)]);
    while let Some((id, added)) = waiting.pop() {
        let node = tape.node(id);
        match node.op {
            Op::Binary(Binary::Add) => waiting.extend([(node.operands[0], added), (node.operands[1], added)]),
            Op::Binary(Binary::Sub) => {
                waiting.extend([(node.operands[0], added), (node.operands[1], !added)])
            }
            Op::Unary(Unary::Neg) => waiting.push((node.operands[0], !added)),
            _ => terms.push((id, added)),
        }
        if terms.len() + waiting.len() > 3 {
            return None;
        }
    }
    let identity = |id: NodeId| {
        tape.with_node(id, |node| match &node.op {
            Op::Constant(data) => {
                data.values().iter().enumerate().all(|(e, v)| *v == f64::from(u8::from(e / n == e % n)))
            }
            _ => false,
        })
    };
    let (one, _) = *terms.iter().find(|(id, added)| *added && identity(*id))?;
    let rest: Vec<(NodeId, bool)> = terms.into_iter().filter(|(id, _)| *id != one).collect();
    let [first, second] = rest.as_slice() else { return None };
    let of = |a: &(NodeId, bool), b: &(NodeId, bool)| {
        let node = tape.node(b.0);
        (node.op == Op::Transpose && node.operands[0] == a.0 && a.1 != b.1).then_some(Skew {
            one,
            part: a.0,
            transpose: b.0,
            added: a.1,
        })
    };
    of(first, second).or_else(|| of(second, first))
}
