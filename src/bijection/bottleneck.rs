//! Inverses through a bottleneck: of maps that are diagonal once a few elements c = G(z) of the program are known.
//!
//! With x = F(z, c), each output a function of its own variable and of c, F is inverted with c as numbers: z = F⁻¹(x, c). What
//! is left is as many equations as there are elements, h(c) = c - G(F⁻¹(x, c)) = 0, where an element of c that others are made
//! of counts as a number there too.
//!
//! *One element.* Solved by Newton's method between brackets if bounds prove that h increases. Nothing is derived where they do
//! not.
//!
//! *Several.* Newton's method for all of them together, each step of which evaluates h and its Jacobian 1 - L + A·T⁻¹·U, whose
//! determinant is det J/det T at a solution. That there is one solution is not proven; what is returned satisfies the equation,
//! or is NaN. For x = z + W₂·tanh(W₁z + b) a step costs O(d·k) for h, O(k²) for the Jacobian, as W₁W₂ is computed once, and
//! O(k³) for the solution of the linear system.

use std::collections::HashMap;

use crate::jacobian::{Bottleneck, Structure, bottleneck, largest_rank, map};
use crate::sweep::bound::{Bound, Bounds};
use crate::sweep::reach::{Reach, Relation};
use crate::sweep::simplify::simplify;
use crate::sweep::{invert, root, system, tangent};
use crate::tape::{Equation, NodeId, Op, Shape, Subgraph, Tape, Var, joined};

/// Records z = f⁻¹(x), where `output` is f(`input`), of a declared structure; otherwise returns why not.
pub(super) fn through_bottleneck<'t>(
    (input, output): (Var<'t>, Var<'t>),
    x: Var<'t>,
    declared: &Structure,
    is_real: bool,
) -> Result<Var<'t>, String> {
    let tape = x.tape();
    let unknown = format!("its Jacobian is declared {declared}, which gives no order to solve in");
    let most = match declared {
        Structure::Dense => largest_rank(x.len()),
        Structure::LowRank { rank } => *rank,
        _ => return Err(unknown),
    };
    let program = map(tape, input.id(), output.id());
    let found = bottleneck(tape, &program, Relation::Value, most).filter(|found| found.zeros().is_empty());
    let Some((found, element)) = found.and_then(|found| Some((found.clone(), *found.elements().first()?)))
    else {
        return Err(unknown);
    };
    if !is_real {
        return Err(format!("{unknown}, and through its bottleneck none is derived"));
    }
    if found.rank() > 1 {
        return through_several(&found, (input, output), x)
            .map_err(|reason| format!("{unknown}, and through its bottleneck none is derived: {reason}"));
    }
    let shape = tape.shape(element.node);
    if shape.len() != 1 {
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
    let one = tape.constant(1.0).broadcast(shape);
    let slope = tangent(tape, &map(tape, c.id(), left.id()), &[(c.id(), one)])[0].unwrap_or(one);
    // Bounds are asked of it alone, so that what was recorded before may be rewritten.
    let slope = simplify(tape, slope.id(), 0, &[]).value;
    if !Bounds::new(tape, &[]).of(slope.id()).is_positive() {
        return Err(format!(
            "{unknown}; all variables meet in one number, but bounds do not prove that the equation for it increases"
        ));
    }
    let bound = Bounds::new(tape, &[]).of(meeting.id());
    let solved = root(tape, c, left, (bound.low.at, bound.high.at));
    Ok(replaced(tape, z, &HashMap::from([(c.id(), solved.id())])))
}

/// Records z = F⁻¹(x, c) with the c that solve c = G(F⁻¹(x, c), c), two elements or more.
fn through_several<'t>(
    found: &Bottleneck,
    (input, output): (Var<'t>, Var<'t>),
    x: Var<'t>,
) -> Result<Var<'t>, String> {
    let tape = x.tape();
    let c = tape.input(Shape::Vector(found.rank()));
    let (inputs, outputs) = found.order().ranks();
    let open = (Bound::REALS.into(), Bound::REALS.into());
    let with_c = Held::new(tape, found, c, &[output.id()], (input, input));
    let given = map(tape, input.id(), with_c.of(output));
    let z = invert(tape, &given, (&inputs, &outputs), x, open).map_err(|error| error.to_string())?;
    let images: Vec<NodeId> = found.elements().iter().map(|step| step.node).collect();
    let held = Held::new(tape, found, c, &images, (input, z));
    let left = c - joined(held.images);
    if goes_through_matrices(tape, (c, x), left) {
        return Err("the equations for its numbers go through matrices or equations of their own".to_string());
    }
    let solved = system(tape, c, left);
    Ok(replaced(tape, z, &HashMap::from([(c.id(), solved.id())])))
}

/// Whether something that depends on c or x on the way to the left side is a matrix, or an equation for several numbers.
fn goes_through_matrices(tape: &Tape, (c, x): (Var<'_>, Var<'_>), left: Var<'_>) -> bool {
    let program = Subgraph::new(tape, &[c.id(), x.id()], &[left.id()]);
    let reach = Reach::new(tape, &program, Relation::Value);
    program.nodes().iter().filter(|id| !program.is_input(**id) && reach.depends_on_input(**id)).any(|id| {
        tape.with_node(*id, |node| {
            let one_by_one =
                !matches!(&node.op, Op::Equation(equation) if !matches!(equation, Equation::Root(_)));
            matches!(node.shape, Shape::Matrix(..))
                || !one_by_one
                || matches!(node.op, Op::LogAbsDet | Op::Solution(_))
        })
    })
}

/// A program recorded anew at another z, with the elements C as given numbers wherever they are operands.
struct Held<'t> {
    /// By node of the program: the node in its place.
    new: HashMap<NodeId, NodeId>,
    /// What the elements of C are computed to be from z and from earlier ones, node by node.
    images: Vec<Var<'t>>,
}

impl<'t> Held<'t> {
    /// Records what these nodes need, with `c` in the place of the elements of a bottleneck, and the second node in the place
    /// of the first.
    fn new(
        tape: &'t Tape,
        found: &Bottleneck,
        c: Var<'t>,
        of: &[NodeId],
        (from, to): (Var<'t>, Var<'t>),
    ) -> Held<'t> {
        let mut groups: HashMap<NodeId, (usize, Vec<usize>)> = HashMap::new();
        for (k, step) in found.elements().iter().enumerate() {
            groups.entry(step.node).or_insert_with(|| (k, Vec::new())).1.push(step.element);
        }
        let mut held = Held { new: HashMap::from([(from.id(), to.id())]), images: Vec::new() };
        let subgraph = Subgraph::new(tape, &[from.id()], of);
        for id in subgraph.nodes() {
            if held.new.contains_key(id) {
                continue;
            }
            let own = |operand: &NodeId| held.new.get(operand).copied().unwrap_or(*operand);
            let node = tape.node(*id);
            let operands: Vec<NodeId> = node.operands.iter().map(own).collect();
            let recorded = match node.operands.iter().eq(operands.iter()) {
                true => *id,
                false => tape.push(node.op, operands.into_iter().collect(), node.shape).id(),
            };
            let Some((start, elements)) = groups.get(id) else {
                held.new.insert(*id, recorded);
                continue;
            };
            let (image, count) = (tape.var(recorded), node.shape.len());
            let flat = image.reshape(Shape::Vector(count));
            held.images.push(if elements.len() == count { flat } else { flat.gather(elements) });
            // Elements that are not in C stay what they are.
            let mut places: Vec<usize> = (0..count).map(|e| c.len() + e).collect();
            elements.iter().enumerate().for_each(|(k, e)| places[*e] = start + k);
            let whole = elements.len() == count && count == c.len();
            let placed = match (whole, elements.len() == count) {
                (true, _) => c,
                (_, true) => c.gather(&places),
                _ => joined([c, flat]).gather(&places),
            };
            held.new.insert(*id, placed.reshape(node.shape).id());
        }
        held
    }

    /// The node in the place of this one.
    fn of(&self, node: Var<'t>) -> NodeId {
        self.new.get(&node.id()).copied().unwrap_or(node.id())
    }
}

/// Records a program anew with some of its nodes replaced.
pub(super) fn replaced<'t>(tape: &'t Tape, of: Var<'t>, by: &HashMap<NodeId, NodeId>) -> Var<'t> {
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
