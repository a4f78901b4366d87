//! One operation undone: the unknown operand from the result and the other operand, one line an operation.

use super::{InversionError, Sweep};
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
    ) -> Result<Var<'t>, InversionError> {
        let other = || self.known(recorded.operands[1 - unknown], elements);
        let two = |what: &str| self.fail(outputs[0], id, format!("passes through {what}: two z for one x"));
        Ok(match &recorded.op {
            Op::Unary(Unary::Neg) => -y,
            Op::Unary(Unary::Recip) => y.recip(),
            Op::Unary(Unary::Exp) => y.ln(),
            Op::Unary(Unary::Ln) => y.exp(),
            Op::Unary(Unary::ExpM1) => y.ln_1p(),
            Op::Unary(Unary::Ln1p) => y.exp_m1(),
            Op::Unary(Unary::Sinh) => y.asinh(),
            Op::Unary(Unary::Asinh) => y.sinh(),
            Op::Unary(Unary::Tanh) => 0.5 * (y.ln_1p() - (-y).ln_1p()),
            Op::Unary(Unary::Sigmoid) => y.ln() - (-y).ln_1p(),
            Op::Unary(Unary::Softplus) => y + (-(-y).exp_m1()).ln(),
            // A root has no value below 0: there the result is undefined, not the square.
            Op::Unary(Unary::Sqrt) if self.bounds.of(y.id()).is_nonnegative() => y * y,
            Op::Unary(Unary::Sqrt) => y.sqrt().powi(4),
            Op::Unary(Unary::Powi(1)) => y,
            Op::Unary(Unary::Powi(-1)) => y.recip(),
            Op::Unary(Unary::Powi(k)) if k % 2 != 0 => y.sign() * y.abs().pow(1.0 / f64::from(*k)),
            Op::Unary(Unary::Powi(_)) => return two("an even power"),
            Op::Unary(Unary::Abs) => return two("|·|"),
            Op::Unary(Unary::Cosh | Unary::SechSquared | Unary::AsinhSlope) => {
                return two("an even function");
            }
            Op::Unary(Unary::Sin | Unary::Cos) => return two("a periodic function"),
            Op::Binary(Binary::Add) => y - other(),
            Op::Binary(Binary::Sub) if unknown == 0 => y + other(),
            Op::Binary(Binary::Sub) => other() - y,
            // Dividing by eˢ is multiplying by e⁻ˢ, as one would write it.
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
            op => {
                let reason = format!("passes through {}, which has no inverse here", op.name());
                return self.fail(outputs[0], id, reason);
            }
        })
    }

    /// s, where the node is eˢ or e⁻ˢ, and whether it is the latter.
    fn exponent(&self, id: NodeId) -> Option<(NodeId, bool)> {
        let argument = self.tape.argument(id, Unary::Exp)?;
        let inner = self.tape.argument(argument, Unary::Neg);
        Some(inner.map_or((argument, false), |inner| (inner, true)))
    }
}
