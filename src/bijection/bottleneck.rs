//! Inverses through a bottleneck: of maps that are diagonal once a single element c = G(z) of the program is known.
//!
//! With x = F(z, c), each output a function of its own variable and of c, F is inverted with c as a number: z = F⁻¹(x, c). What
//! is left is one equation, h(c) = c - G(F⁻¹(x, c)) = 0, solved by Newton's method between brackets if bounds prove that it
//! increases. Nothing is derived where they do not.

use std::collections::HashMap;

use super::{Bijection, Domain};
use crate::jacobian::{Structure, bottleneck, map};
use crate::sweep::bound::{Bound, Bounds};
use crate::sweep::reach::Relation;
use crate::sweep::simplify::simplify;
use crate::sweep::{invert, root, tangent};
use crate::tape::{NodeId, Subgraph, Tape, Var};

/// Records z = f⁻¹(x), where `output` is f(`input`); otherwise returns why not.
pub(super) fn through_bottleneck<'t>(
    bijection: &dyn Bijection,
    (input, output): (Var<'t>, Var<'t>),
    x: Var<'t>,
) -> Result<Var<'t>, String> {
    let tape = x.tape();
    let declared = bijection.structure();
    let unknown = format!("its Jacobian is declared {declared}, which gives no order to solve in");
    if !matches!(declared, Structure::Dense | Structure::LowRank { .. }) {
        return Err(unknown);
    }
    let program = map(tape, input.id(), output.id());
    let found = bottleneck(tape, &program, Relation::Value, 1).filter(|found| found.zeros().is_empty());
    let Some((found, element)) = found.and_then(|found| Some((found.clone(), *found.elements().first()?)))
    else {
        return Err(unknown);
    };
    let is_real = [bijection.domain(), bijection.codomain()].iter().all(|domain| *domain == Domain::Reals);
    let shape = tape.shape(element.node);
    if !is_real || shape.len() != 1 {
        return Err(format!("{unknown}, and through its bottleneck none is derived"));
    }
    let meeting = tape.var(element.node);
    let c = tape.input(shape);
    // z = F⁻¹(x, c)
    let with_c = replaced(tape, output, &HashMap::from([(element.node, c.id())]));
    let (inputs, outputs) = found.order().ranks();
    let open = (Bound::REALS.into(), Bound::REALS.into());
    let given = map(tape, input.id(), with_c.id());
    let z = invert(tape, &given, (&inputs, &outputs), x, open).map_err(|error| error.to_string())?;
    // h(c) = c - G(F⁻¹(x, c))
    let image = replaced(tape, meeting, &HashMap::from([(input.id(), z.id())]));
    let left = c - image;
    let first = tape.len();
    let one = tape.constant(1.0).broadcast(shape);
    let slope = tangent(tape, &map(tape, c.id(), left.id()), &[(c.id(), one)])[0].unwrap_or(one);
    let slope = simplify(tape, slope.id(), first, &[]).value;
    if !Bounds::new(tape, &[]).of(slope.id()).is_positive() {
        return Err(format!(
            "{unknown}; all variables meet in one number, but bounds do not prove that the equation for it increases"
        ));
    }
    let bound = Bounds::new(tape, &[]).of(meeting.id());
    let solved = root(tape, c, left, (bound.low.at, bound.high.at));
    Ok(replaced(tape, z, &HashMap::from([(c.id(), solved.id())])))
}

/// Records a program anew with some of its nodes replaced.
fn replaced<'t>(tape: &'t Tape, of: Var<'t>, by: &HashMap<NodeId, NodeId>) -> Var<'t> {
    let starts: Vec<NodeId> = by.keys().copied().collect();
    let subgraph = Subgraph::new(tape, &starts, &[of.id()]);
    let mut new = by.clone();
    for id in subgraph.nodes() {
        if new.contains_key(id) {
            continue;
        }
        let node = tape.node(*id);
        let operands: Vec<NodeId> =
            node.operands.iter().map(|operand| new.get(operand).copied().unwrap_or(*operand)).collect();
        let same = node.operands.iter().eq(operands.iter());
        let recorded =
            if same { *id } else { tape.push(node.op, operands.into_iter().collect(), node.shape).id() };
        new.insert(*id, recorded);
    }
    tape.var(new[&of.id()])
}
