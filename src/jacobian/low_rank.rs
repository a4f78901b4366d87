//! ln|det J| by a bottleneck.
//!
//! With x = F(z, C) and C = G(z, C), where each element of C depends on earlier ones only, let T = ∂F/∂z, U = ∂F/∂C,
//! A = ∂G/∂z and L = ∂G/∂C, strictly lower triangular. Then J = T + U·(1 - L)⁻¹·A is the Schur complement of 1 - L in
//!
//! ```text
//!     ⎡  T    U   ⎤
//! B = ⎣ -A  1 - L ⎦,   det B = det(1 - L)·det J = det J.
//! ```
//!
//! Eliminating T instead, det J = det T·det(1 - L + A·T⁻¹·U), of as many rows as C has elements; for T = t·1 without a
//! division, det J = t^(d-k)·det(t·(1 - L) + A·U). Rows in which the diagonal T may be 0 are not eliminated: they stay in
//! the small determinant.
//!
//! *Cost.* Column m of U is one tangent of F, column m of A·T⁻¹·U - L another one of G, in the direction T⁻¹·U·eₘ of z and
//! -eₘ of C: neither A nor the matrices themselves are formed. O(k) sweeps, each O(d·k) for a dense product into C.

use super::bottleneck::{Bottleneck, diagonal_slices};
use super::structure::Order;
use crate::sweep::bound::{Bounds, Region};
use crate::sweep::reach::{Reach, Relation};
use crate::sweep::simplify::simplify;
use crate::sweep::{Fixed, is_one, sliced_tangent, tangent_fixing};
use crate::tape::{Binary, NodeId, Op, Shape, Subgraph, Tape, Unary, Var, joined};

/// What is done where T is not proven to be other than 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubtful {
    /// Such rows stay in the small determinant, if it has at most so many rows then.
    Bordered(usize),
    /// T is divided by, except where it is 0 by structure, if it has no branches: it is then 0 at most at isolated points,
    /// where the determinant is NaN.
    Divided,
}

/// Records ln|det J|; `None` if the small determinant would have too many rows.
pub(super) fn low_rank_log_det<'t>(
    tape: &'t Tape,
    map: &Subgraph,
    found: &Bottleneck,
    (relation, within): (Relation, Region),
    doubtful: Doubtful,
) -> Option<Var<'t>> {
    let parts = Parts::new(tape, map, found, relation)?;
    let rank = found.rank();
    let (d, order) = (found.order().inputs().len(), found.order());
    if let Some(t) = parts.diagonal.and_then(repeated).filter(|_| found.zeros().is_empty()) {
        let one = is_one(t);
        let columns = (0..rank).map(|m| {
            let across = parts.across(m);
            let along = across.map(|across| to_inputs(across, order));
            parts.column(m, along, (!one).then_some(t))
        });
        let small = log_det_of(tape, columns.collect(), rank);
        return Some(match one {
            true => small,
            false if d == rank + 1 => t.abs().ln() + small,
            false => (d - rank) as f64 * t.abs().ln() + small,
        });
    }
    let bordered = parts.bordered(found, within, doubtful)?;
    let kept: Vec<usize> = (0..d).filter(|place| bordered.binary_search(place).is_err()).collect();
    let whole = bordered.is_empty();
    let of_kept = |entries: Var<'t>| if whole { entries } else { entries.gather(&kept) };
    let eliminated = parts.diagonal.map(of_kept).filter(|_| !kept.is_empty());
    let size = bordered.len() + rank;
    let mut columns = Vec::with_capacity(size);
    for place in &bordered {
        // The column of an input that is not eliminated: its own entry of T, and -A.
        let mut seed = vec![0.0; d];
        seed[order.inputs()[*place]] = 1.0;
        let below = parts.moved(Some(tape.vector(&seed)), None);
        let zero = || tape.constant(0.0);
        let own = bordered.iter().map(|other| match parts.diagonal {
            Some(entries) if other == place && found.zeros().binary_search(place).is_err() => {
                entries.at(*place)
            }
            _ => zero(),
        });
        let own: Vec<Var<'t>> = own.collect();
        let below = below.map_or_else(|| zero().broadcast(Shape::Vector(rank)), |below| -below);
        columns.push(joined(own.into_iter().chain([below])));
    }
    for m in 0..rank {
        let across = parts.across(m).map(|across| by_place(across, order));
        let along = across.zip(eliminated).map(|(across, t)| {
            let share = if is_one(t) { of_kept(across) } else { of_kept(across) / t };
            let places = if whole { share } else { share.scatter(&kept, Shape::Vector(d)) };
            to_inputs_by_place(places, order)
        });
        let below = parts.column(m, along, None);
        if whole {
            columns.push(below);
            continue;
        }
        let above = match across {
            Some(across) => across.gather(&bordered),
            None => tape.constant(0.0).broadcast(Shape::Vector(bordered.len())),
        };
        columns.push(joined([above, below]));
    }
    let small = log_det_of(tape, columns, size);
    Some(match eliminated {
        Some(t) if !is_one(t) => t.abs().ln().sum() + small,
        _ => small,
    })
}

/// The diagonal of T by place, and for one element what det J is beside it: t + A·U if T is a repeated t, else 1 + A·T⁻¹·U.
pub(crate) fn low_rank_factors<'t>(
    tape: &'t Tape,
    map: &Subgraph,
    found: &Bottleneck,
    relation: Relation,
) -> Option<(Var<'t>, Option<Var<'t>>)> {
    let parts = Parts::new(tape, map, found, relation)?;
    let diagonal = parts.diagonal.filter(|_| found.zeros().is_empty())?;
    let small = (found.rank() == 1).then(|| {
        let t = repeated(diagonal);
        let along = parts.across(0).map(|across| by_place(across, found.order()));
        let along = along.map(|along| if t.is_some() || is_one(diagonal) { along } else { along / diagonal });
        let along = along.map(|along| to_inputs_by_place(along, found.order()));
        parts.column(0, along, t.filter(|t| !is_one(*t)))
    });
    Some((diagonal, small))
}

/// The program of a map with its bottleneck.
struct Parts<'t, 'm> {
    tape: &'t Tape,
    map: &'m Subgraph,
    /// The program from z to the nodes of C.
    inner: Subgraph,
    /// The nodes of C with the elements of each that are in C, in the order of C.
    nodes: Vec<(NodeId, Vec<usize>)>,
    /// The diagonal of T by place in the order; `None` if it is 0.
    diagonal: Option<Var<'t>>,
}

impl<'t> Parts<'t, '_> {
    fn new<'m>(
        tape: &'t Tape,
        map: &'m Subgraph,
        found: &Bottleneck,
        relation: Relation,
    ) -> Option<Parts<'t, 'm>> {
        let mut nodes: Vec<(NodeId, Vec<usize>)> = Vec::new();
        for step in found.elements() {
            match nodes.last_mut().filter(|(node, _)| *node == step.node) {
                Some((_, elements)) => elements.push(step.element),
                None => nodes.push((step.node, vec![step.element])),
            }
        }
        let reach = Reach::new(tape, map, relation);
        let numbers: Vec<usize> = found
            .elements()
            .iter()
            .map(|step| reach.layout().elements(step.node).start + step.element)
            .collect();
        let reach = reach.fixing(&numbers);
        let (inputs, outputs) = found.order().ranks();
        let slices = diagonal_slices(&reach, &inputs, &outputs)?;
        let d = inputs.len();
        let one = tape.constant(1.0).broadcast(Shape::Vector(d));
        let tangent = sliced_tangent(tape, map, &[(map.inputs()[0], one)], reach.layout(), &slices)[0];
        let outside: Vec<NodeId> = nodes.iter().map(|(node, _)| *node).collect();
        let inner = Subgraph::new(tape, map.inputs(), &outside);
        let diagonal =
            tangent.filter(|_| found.zeros().len() < d).map(|tangent| by_place(tangent, found.order()));
        Some(Parts { tape, map, inner, nodes, diagonal })
    }

    /// Column m of U, by output; `None` if it is 0.
    fn across(&self, m: usize) -> Option<Var<'t>> {
        let mut fixed = self.fixed(Some((m, None)));
        tangent_fixing(self.tape, self.map, &[], &mut fixed)[0]
    }

    /// Column m of t·(1 - L) + A·D, where `along` is column m of D; t = 1 if it is not given.
    fn column(&self, m: usize, along: Option<Var<'t>>, t: Option<Var<'t>>) -> Var<'t> {
        let rank = self.rank();
        let one = t.unwrap_or_else(|| self.tape.constant(1.0));
        let diagonal = match rank {
            1 => one,
            _ => one.reshape(Shape::Vector(1)).scatter(&[m], Shape::Vector(rank)),
        };
        match self.moved(along, Some((m, t))) {
            Some(moved) => diagonal + moved,
            None => diagonal,
        }
    }

    /// The derivative of C in the direction `along` of z, and -t·eₘ of C where earlier elements of C are operands.
    fn moved(&self, along: Option<Var<'t>>, own: Option<(usize, Option<Var<'t>>)>) -> Option<Var<'t>> {
        let seeds: Vec<(NodeId, Var<'t>)> =
            along.into_iter().map(|along| (self.inner.inputs()[0], along)).collect();
        let mut fixed = self.fixed(None);
        if let Some((m, t)) = own {
            let minus = t.map_or_else(|| self.tape.constant(-1.0), |t| -t);
            for (given, unit) in fixed.iter_mut().zip(self.fixed(Some((m, Some(minus))))) {
                given.given = unit.given;
            }
        }
        tangent_fixing(self.tape, &self.inner, &seeds, &mut fixed);
        if fixed.iter().all(|fixed| fixed.own.is_none()) {
            return None;
        }
        let single = self.rank() == 1;
        let mut parts = fixed.into_iter().zip(&self.nodes).map(|(fixed, (_, elements))| {
            let shape = if single { Shape::Scalar } else { Shape::Vector(elements.len()) };
            match fixed.own {
                Some(own) if elements.len() == own.len() => own.reshape(shape),
                Some(own) => own.pick("gather", elements, shape),
                None => self.tape.constant(0.0).broadcast(shape),
            }
        });
        match self.nodes.len() {
            1 => parts.next(),
            _ => Some(joined(parts)),
        }
    }

    fn rank(&self) -> usize {
        self.nodes.iter().map(|(_, elements)| elements.len()).sum()
    }

    /// C held fixed, but for the direction of one element, which is 1 if no other is given.
    fn fixed(&self, moving: Option<(usize, Option<Var<'t>>)>) -> Vec<Fixed<'t>> {
        let mut before = 0;
        let fixed = self.nodes.iter().map(|(node, elements)| {
            let shape = self.tape.shape(*node);
            let mut is_fixed = vec![false; shape.len()];
            elements.iter().for_each(|element| is_fixed[*element] = true);
            let own = moving.filter(|(m, _)| (before..before + elements.len()).contains(m));
            let given = own.map(|(m, by)| {
                let element = elements[m - before];
                match (by, shape.len()) {
                    (None, _) => {
                        let unit: Vec<f64> =
                            (0..shape.len()).map(|e| f64::from(u8::from(e == element))).collect();
                        self.tape.constants(shape, &unit)
                    }
                    (Some(by), 1) => by.reshape(shape),
                    (Some(by), _) => by.reshape(Shape::Vector(1)).scatter(&[element], shape),
                }
            });
            before += elements.len();
            Fixed { node: *node, elements: is_fixed, given, own: None }
        });
        fixed.collect()
    }

    /// The places, ascending, of the rows that are not eliminated.
    fn bordered(&self, found: &Bottleneck, within: Region, doubtful: Doubtful) -> Option<Vec<usize>> {
        let Doubtful::Bordered(most) = doubtful else {
            let smooth = self.diagonal.is_none_or(|entries| !branches(self.tape, self.map, entries));
            return smooth.then(|| found.zeros().to_vec());
        };
        let fits = |bordered: Vec<usize>| (bordered.len() + found.rank() <= most).then_some(bordered);
        let Some(entries) = self.diagonal else { return fits(found.zeros().to_vec()) };
        let bounds = Bounds::within(self.tape, [(self.map.inputs()[0], within)]);
        let (d, zeros) = (entries.len(), found.zeros());
        let is_zero = |place: &usize| zeros.binary_search(place).is_ok();
        let kept: Vec<usize> = (0..d).filter(|place| !is_zero(place)).collect();
        // Without the zeros, which are put beside the entries.
        let source = self.tape.with_node(entries.id(), |node| match (&node.op, zeros) {
            (Op::Scatter(_), [_, ..]) => node.operands[0],
            _ => entries.id(),
        });
        let all = bounds.of(source);
        if all.nonzero {
            return fits(zeros.to_vec());
        }
        if kept.len() > MOST_ASKED {
            return None;
        }
        // An entry alone may be simpler than all of them: of 1 + (0, t) the first is 1.
        let first = self.map.nodes().last().map_or(0, |id| id.index() + 1);
        let alone = |place: usize| simplify(self.tape, entries.at(place).id(), first, &[]).value.id();
        let doubted = |place: &usize| !is_zero(place) && !bounds.of(alone(*place)).nonzero;
        fits((0..d).filter(|place| is_zero(place) || doubted(place)).collect())
    }
}

/// Whether a value may be 0 on an open set without being 0 everywhere, as far as operations tell.
fn branches(tape: &Tape, map: &Subgraph, value: Var<'_>) -> bool {
    let branch = |op: &Op| {
        matches!(op, Op::Choice(_) | Op::Unary(Unary::Sign) | Op::Binary(Binary::Less | Binary::LessEq))
    };
    let nodes = Subgraph::new(tape, map.inputs(), &[value.id()]);
    nodes.nodes().iter().any(|id| tape.with_node(*id, |node| branch(&node.op)))
}

/// Up to this number of entries of T are bounded one by one.
const MOST_ASKED: usize = 64;

/// ln|det| of a matrix given by its columns: the transpose has the same.
fn log_det_of<'t>(tape: &'t Tape, columns: Vec<Var<'t>>, size: usize) -> Var<'t> {
    match columns.as_slice() {
        [] => tape.constant(0.0),
        [one] if size == 1 => one.reshape(Shape::Scalar).abs().ln(),
        _ => joined(columns).reshape(Shape::Matrix(size, size)).log_abs_det(),
    }
}

fn is_natural(list: &[usize]) -> bool {
    list.iter().enumerate().all(|(k, index)| k == *index)
}

/// From elements by output to elements by place.
fn by_place<'t>(outputs: Var<'t>, order: &Order) -> Var<'t> {
    if is_natural(order.outputs()) { outputs } else { outputs.gather(order.outputs()) }
}

/// From elements by place to elements by input.
fn to_inputs_by_place<'t>(places: Var<'t>, order: &Order) -> Var<'t> {
    let rank = order.ranks().0.into_iter().map(|place| place as usize).collect::<Vec<_>>();
    if is_natural(&rank) { places } else { places.gather(&rank) }
}

/// From elements by output to elements by input, each output to its own.
fn to_inputs<'t>(outputs: Var<'t>, order: &Order) -> Var<'t> {
    to_inputs_by_place(by_place(outputs, order), order)
}

/// The number that is repeated in every element of a node, as a node, if there is one.
fn repeated(entries: Var<'_>) -> Option<Var<'_>> {
    const DEEPEST: usize = 16;
    fn at<'t>(tape: &'t Tape, id: NodeId, depth: usize) -> Option<Var<'t>> {
        let node = tape.node(id);
        match &node.op {
            _ if node.shape == Shape::Scalar => Some(tape.var(id)),
            Op::Broadcast => Some(tape.var(node.operands[0])),
            Op::Constant(data) => {
                let first = *data.values().first()?;
                data.values().iter().all(|value| *value == first).then(|| tape.constant(first))
            }
            Op::Unary(_) | Op::Binary(_) | Op::Choice(_) if depth > 0 => {
                let operands = node.operands.iter().map(|operand| Some(at(tape, *operand, depth - 1)?.id()));
                Some(tape.push(node.op.clone(), operands.collect::<Option<_>>()?, Shape::Scalar))
            }
            _ => None,
        }
    }
    at(entries.tape(), entries.id(), DEEPEST)
}
