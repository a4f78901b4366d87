//! The result of one rule on ln|a|, as a node: the right-hand side of a step.
//!
//! The simplifier applies all rules to a logarithm at once; here each is applied alone, so that every line of
//! a derivation is an equation that can be tested.

use crate::sweep::bound::Bound;
use crate::sweep::simplify::{Rule, Step, simplify};
use crate::tape::{Binary, NodeId, Op, Tape, Unary, Var, concat};
use crate::typeset::Written;

/// Returns the left-hand side of a step, from the expression that was rewritten.
pub(super) fn opened(rule: Rule, before: &Written) -> Written {
    match rule {
        Rule::LogOneMinusSigmoid | Rule::LogOnePlusTanh => before.log_one_plus(),
        Rule::ExpM1Softplus => before.exponential_less_one(),
        _ => before.log_abs(),
    }
}

/// Records ln|a| after one rule; `None` where the rule has no form of its own.
pub(super) fn applied<'t>(
    tape: &'t Tape,
    step: &Step,
    first: usize,
    given: (NodeId, Bound),
) -> Option<Var<'t>> {
    let node = tape.node(step.before);
    let operand = |k: usize| tape.var(node.operands[k]);
    let log = |k: usize| operand(k).abs().ln();
    let a = tape.var(step.before);
    Some(match (step.rule, &node.op) {
        (Rule::LogExp, Op::Unary(Unary::Exp)) => operand(0),
        (Rule::LogNegate, Op::Unary(Unary::Neg | Unary::Abs)) => log(0),
        (Rule::LogProduct, Op::Binary(Binary::Mul)) => log(0) + log(1),
        (Rule::LogRecip, Op::Binary(Binary::Div)) => log(0) - log(1),
        (Rule::LogRecip, Op::Unary(Unary::Recip)) => -log(0),
        (Rule::LogPower, Op::Unary(Unary::Powi(1))) => log(0),
        (Rule::LogPower, Op::Unary(Unary::Powi(k))) => f64::from(*k) * log(0),
        (Rule::LogPower, Op::Binary(Binary::Pow)) if is_one(tape, node.operands[1]) => log(0),
        (Rule::LogPower, Op::Binary(Binary::Pow)) => operand(1) * log(0),
        (Rule::LogSqrt, Op::Unary(Unary::Sqrt)) => 0.5 * log(0),
        (Rule::LogSigmoid, Op::Unary(Unary::Sigmoid)) => -(-operand(0)).softplus(),
        (Rule::LogConcat, Op::Concat) => concat((0..node.operands.len()).map(log)),
        (Rule::AbsPositive, _) => a.ln(),
        (Rule::AbsNegative, _) => (-a).ln(),
        (Rule::LogOneMinusSigmoid | Rule::LogOnePlusTanh, _) => {
            let log = a.ln_1p();
            simplify(tape, log.id(), log.id().index(), &[given]).value
        }
        (Rule::ExpM1Softplus, _) => {
            let power = a.exp_m1();
            simplify(tape, power.id(), power.id().index(), &[given]).value
        }
        // These rules look at more than one operation; the result is that of the simplifier.
        _ => {
            let log = a.abs().ln();
            let value = simplify(tape, log.id(), first, &[given]).value;
            (value.id() != log.id()).then_some(value)?
        }
    })
}

fn is_one(tape: &Tape, id: NodeId) -> bool {
    let node = tape.node(id);
    let id = if node.op == Op::Broadcast { node.operands[0] } else { id };
    tape.with_node(id, |node| matches!(&node.op, Op::Constant(data) if data.values() == [1.0]))
}
