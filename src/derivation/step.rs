//! The result of one rule on ln|a|, as a node: the right-hand side of a step.
//!
//! The simplifier applies all rules to a logarithm at once; here each is applied alone, so that every line of
//! a derivation is an equation that can be tested.

use crate::sweep::bound::Bound;
use crate::sweep::simplify::{Context, Rule, Step, retold, simplify};
use crate::tape::{NodeId, Op, Tape, Var, concat};
use crate::typeset::Written;

/// Returns the left-hand side of a step, from the expression that was rewritten.
pub(super) fn opened(tape: &Tape, step: &Step, before: &Written) -> Written {
    match retold(tape, step).map_or(Context::Log, |law| law.context) {
        Context::Log => before.log_abs(),
        Context::LogOnePlus => before.log_one_plus(),
        Context::ExpLessOne => before.exponential_less_one(),
    }
}

/// Records the right-hand side of a step; `None` where the rule has no form of its own.
pub(super) fn applied<'t>(
    tape: &'t Tape,
    step: &Step,
    first: usize,
    given: (NodeId, Bound),
) -> Option<Var<'t>> {
    let law = retold(tape, step);
    if let Some(right) = law.as_ref().and_then(|law| law.right) {
        return Some(right);
    }
    let a = tape.var(step.before);
    let left = match law.map_or(Context::Log, |law| law.context) {
        Context::LogOnePlus => a.ln_1p(),
        Context::ExpLessOne => a.exp_m1(),
        Context::Log => {
            let node = tape.node(step.before);
            if (step.rule, &node.op) == (Rule::LogConcat, &Op::Concat) {
                return Some(concat(node.operands.iter().map(|part| tape.var(*part).abs().ln())));
            }
            // These rules look at more than one operation; the result is that of the simplifier.
            let log = a.abs().ln();
            let value = simplify(tape, log.id(), first, &[given]).value;
            return (value.id() != log.id()).then_some(value);
        }
    };
    Some(simplify(tape, left.id(), left.id().index(), &[given]).value)
}
