//! Inverts one operation: the unknown operand from the result and the other operand, one line for each operation.

use super::{InversionError, Sweep};
use crate::sweep::function::{self, NoInverse};
use crate::sweep::reach::{Reach, Relation};
use crate::tape::{Binary, Node, NodeId, Op, Shape, Subgraph, Unary, Var};

impl<'t> Sweep<'t, '_> {
    /// v with W·v = y, where W is square and the whole of v is unknown.
    pub(super) fn solve(
        &self,
        recorded: &Node,
        id: NodeId,
        outputs: &[usize],
        elements: &[usize],
        value: Var<'t>,
    ) -> Result<Var<'t>, InversionError> {
        let matrix = recorded.operands[0];
        let fixed = {
            let part = Subgraph::new(self.tape, self.map.inputs(), &[matrix]);
            !Reach::new(self.tape, &part, Relation::Value).depends_on_input(matrix)
        };
        let shape = self.tape.shape(matrix);
        let whole = elements.iter().enumerate().all(|(k, e)| k == *e);
        if !fixed || !whole || shape != Shape::Matrix(elements.len(), elements.len()) {
            let reason =
                "passes through a matrix that is not square, used only in part, or dependent on the variable";
            return self.fail(outputs[0], id, reason);
        }
        Ok(self.tape.var(matrix).inverse().matvec(value))
    }

    /// Returns the unknown operand of one operation, from its result and the other operand.
    pub(super) fn undo(
        &self,
        recorded: &Node,
        id: NodeId,
        outputs: &[usize],
        elements: &[usize],
        unknown: usize,
        y: Var<'t>,
    ) -> Result<Var<'t>, InversionError> {
        let other = || self.known(recorded.operands[1 - unknown], elements);
        let two = |what: &str| {
            self.fail(outputs[0], id, format!("passes through {what}, which maps two values to one"))
        };
        let none = || {
            let reason = format!("passes through {}, which has no inverse here", recorded.op.name());
            self.fail(outputs[0], id, reason)
        };
        Ok(match &recorded.op {
            Op::Unary(op) => match function::inverse(*op, y, &self.bounds) {
                Ok(a) => a,
                Err(NoInverse::TwoToOne(what)) => return two(what),
                Err(NoInverse::Unknown) => return none(),
            },
            Op::Binary(Binary::Add) => y - other(),
            Op::Binary(Binary::Sub) if unknown == 0 => y + other(),
            Op::Binary(Binary::Sub) => other() - y,
            // Dividing by eˢ is written as multiplying by e⁻ˢ.
            Op::Binary(Binary::Mul) => match self.exponent(recorded.operands[1 - unknown]) {
                Some((s, true)) => y * self.known(s, elements).exp(),
                Some((s, false)) => y * (-self.known(s, elements)).exp(),
                None => y / other(),
            },
            Op::Binary(Binary::Div) if unknown == 0 => y * other(),
            Op::Binary(Binary::Div) => other() / y,
            Op::Binary(Binary::Pow) if unknown == 0 && self.bounds.of(y.id()).is_positive() => {
                y.pow(other().recip())
            }
            Op::Binary(Binary::Pow) if unknown == 0 => (y.ln() / other()).exp(),
            Op::Binary(Binary::Pow) => y.ln() / other().ln(),
            // ln(eʸ - eᵇ), with y > b.
            Op::Binary(Binary::LogAddExp) => y + (-(other() - y).exp()).ln_1p(),
            Op::Binary(Binary::Less | Binary::LessEq) | Op::Choice(_) => return none(),
            Op::Input(_) | Op::Parameter(_) | Op::Constant(_) => return none(),
            Op::Broadcast | Op::Sum | Op::Gather(_) | Op::Scatter(_) | Op::Concat => return none(),
            Op::Transpose | Op::MatVec | Op::MatMul | Op::Outer => return none(),
            Op::LogAbsDet | Op::Inverse | Op::MatrixExp | Op::Equation(_) | Op::Solution(_) => return none(),
        })
    }

    /// s, where the node is eˢ or e⁻ˢ, and whether it is the latter.
    fn exponent(&self, id: NodeId) -> Option<(NodeId, bool)> {
        let argument = self.tape.argument(id, Unary::Exp)?;
        let inner = self.tape.argument(argument, Unary::Neg);
        Some(inner.map_or((argument, false), |inner| (inner, true)))
    }
}
