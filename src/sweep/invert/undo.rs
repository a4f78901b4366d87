//! One operation undone: the unknown operand from the result and the other operand, one line an operation.

use super::{NotInverted, Sweep};
use crate::sweep::reach::{Reach, Relation};
use crate::tape::{Cut, Node, NodeId, Op, Shape, Var};

impl<'t> Sweep<'t, '_> {
    /// v with W·v = y, where W is square and the whole of v is unknown.
    pub(super) fn solve(
        &self,
        recorded: &Node,
        id: NodeId,
        outputs: &[usize],
        elements: &[usize],
        value: Var<'t>,
    ) -> Result<Var<'t>, NotInverted> {
        let matrix = recorded.operands[0];
        let fixed = {
            let part = Cut::new(self.tape, self.map.inputs(), &[matrix]);
            !Reach::new(self.tape, &part, Relation::Value).depends_on_input(matrix)
        };
        let shape = self.tape.shape(matrix);
        let whole = elements.iter().enumerate().all(|(k, e)| k == *e);
        if !fixed || !whole || shape != Shape::Matrix(elements.len(), elements.len()) {
            let reason = "passes through a matrix that is not square, not whole or not fixed";
            return self.fail(outputs[0], id, reason);
        }
        Ok(self.tape.var(matrix).inverse().matvec(value))
    }

    /// The unknown operand of one operation, from its result and the other operand.
    pub(super) fn undo(
        &self,
        recorded: &Node,
        id: NodeId,
        outputs: &[usize],
        elements: &[usize],
        unknown: usize,
        y: Var<'t>,
    ) -> Result<Var<'t>, NotInverted> {
        let other = || self.known(recorded.operands[1 - unknown], elements);
        let two = |what: &str| self.fail(outputs[0], id, format!("passes through {what}: two z for one x"));
        Ok(match &recorded.op {
            Op::Neg => -y,
            Op::Recip => y.recip(),
            Op::Exp => y.ln(),
            Op::Ln => y.exp(),
            Op::ExpM1 => y.ln_1p(),
            Op::Ln1p => y.exp_m1(),
            Op::Sinh => y.asinh(),
            Op::Asinh => y.sinh(),
            Op::Tanh => 0.5 * (y.ln_1p() - (-y).ln_1p()),
            Op::Sigmoid => y.ln() - (-y).ln_1p(),
            Op::Softplus => y + (-(-y).exp_m1()).ln(),
            Op::Sqrt => y * y,
            Op::Powi(1) => y,
            Op::Powi(-1) => y.recip(),
            Op::Powi(k) if k % 2 != 0 => y.sign() * y.abs().pow(1.0 / f64::from(*k)),
            Op::Powi(_) => return two("an even power"),
            Op::Abs => return two("|·|"),
            Op::Cosh | Op::SechSquared => return two("an even function"),
            Op::Sin | Op::Cos => return two("a periodic function"),
            Op::Add => y - other(),
            Op::Sub if unknown == 0 => y + other(),
            Op::Sub => other() - y,
            // Dividing by eˢ is multiplying by e⁻ˢ, as one would write it.
            Op::Mul => match self.exponent(recorded.operands[1 - unknown]) {
                Some((s, true)) => y * self.known(s, elements).exp(),
                Some((s, false)) => y * (-self.known(s, elements)).exp(),
                None => y / other(),
            },
            Op::Div if unknown == 0 => y * other(),
            Op::Div => other() / y,
            Op::Pow if unknown == 0 => y.pow(other().recip()),
            Op::Pow => y.ln() / other().ln(),
            op => {
                let reason = format!("passes through {}, which has no inverse here", op.name());
                return self.fail(outputs[0], id, reason);
            }
        })
    }

    /// s, where the node is eˢ or e⁻ˢ, and whether it is the latter.
    fn exponent(&self, id: NodeId) -> Option<(NodeId, bool)> {
        let argument = self.tape.look(id, |node| (node.op == Op::Exp).then(|| node.operands[0]))?;
        let inner = self.tape.look(argument, |node| (node.op == Op::Neg).then(|| node.operands[0]));
        Some(inner.map_or((argument, false), |inner| (inner, true)))
    }
}
