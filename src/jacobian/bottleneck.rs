//! Discovery of bottlenecks: few elements C such that, with C held fixed, each output depends on its own input alone.
//!
//! Then J = T + U·V with the diagonal T = ∂x/∂z at fixed C, U = ∂x/∂C, and V = dC/dz; `low_rank.rs` has the determinant.
//!
//! *Which steps are allowed.* In(v) are the inputs that element v depends on, Out(v) the outputs that depend on it, both by
//! their places in an order that pairs inputs with outputs. An edge (u, v) with In(u) = {i} = Out(v) is *own*: every path
//! through it leads from zᵢ to xᵢ. C is a smallest set of elements, inputs excluded, that meets every path without an own edge
//! from an input to an output xⱼ with In(xⱼ) ≠ {j}: a minimum vertex cut.
//!
//! *Why T is diagonal.* A path from zᵢ to xⱼ that avoids C has an own edge, so that i = j, or ends at an output with
//! In(xⱼ) = {j}, so that i = j. This is not relied on: with C held fixed the structure is proven anew, as a declared one is.
//!
//! *The order* is a maximum matching of the pairs (i, j) for which there is an edge (u, v) with In(u) = {i} and Out(v) = {j},
//! i = j first; what is left is paired in any way, and T is 0 there.
//!
//! The cost is a few passes over the edges of the program and the flow. An element that leads to a single other element is
//! never needed in a cut and is left out, so that elementwise operations add nothing to the flow network.

use super::discover::augment;
use super::error::StructureError;
use super::structure::Order;
use super::vertex_cut::Network;
use crate::sweep::reach::{NONE, Reach, Relation, SEVERAL, Step};
use crate::tape::{Subgraph, Tape};

/// A bottleneck of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bottleneck {
    /// The elements C, operands before users.
    elements: Vec<Step>,
    /// The pairs of inputs and outputs.
    order: Order,
    /// The places k in the order where T is 0 for all inputs and parameters.
    zeros: Vec<usize>,
}

impl Bottleneck {
    /// The elements C: with these held fixed, J is diagonal in the [order](Bottleneck::order).
    pub fn elements(&self) -> &[Step] {
        &self.elements
    }

    /// The number of elements: an upper bound of the rank of J - T.
    pub fn rank(&self) -> usize {
        self.elements.len()
    }

    /// Which output is paired with which input.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// The places in the order where the output does not depend on its input while C is held fixed.
    pub fn zeros(&self) -> &[usize] {
        &self.zeros
    }
}

/// The largest rank for which a bottleneck is looked for where none is declared: a quarter of the variables, since a
/// determinant by the full Jacobian is cheaper beyond; half of them where they are few.
pub fn largest_rank(d: usize) -> usize {
    const FEW: usize = 4;
    if d < 2 { 0 } else { (d / 4).max(d.div_ceil(2).min(FEW)) }
}

/// Proves a declared rank. Dependences of values count, as in every proof of a declared structure.
pub(super) fn declared_bottleneck(
    tape: &Tape,
    map: &Subgraph,
    rank: usize,
) -> Result<Bottleneck, StructureError> {
    bottleneck(tape, map, Relation::Value, rank).ok_or_else(|| {
        let d = tape.shape(map.inputs()[0]).len();
        let found = bottleneck(tape, map, Relation::Value, d.saturating_sub(1));
        StructureError::NoBottleneck { rank, found: found.map(|found| found.rank()) }
    })
}

/// Finds a smallest bottleneck of at most `most` elements, by the dependences of this relation; it has no element if the
/// map is diagonal as it is.
pub fn bottleneck(tape: &Tape, map: &Subgraph, relation: Relation, most: usize) -> Option<Bottleneck> {
    let reach = Reach::new(tape, map, relation);
    let d = reach.output_elements().len();
    if d != reach.input_elements().len() {
        return None;
    }
    let candidates = Candidates::new(&reach, d);
    let first = with_order(tape, map, relation, candidates.order(false), most);
    // Where outputs compete for an input, the other choice may need fewer elements.
    let other = match &first {
        Some(first) if first.zeros.is_empty() => None,
        first => {
            let most = first.as_ref().map_or(most, |first| first.rank().saturating_sub(1));
            let order = candidates.order(true);
            let same = first.as_ref().is_some_and(|first| first.order == order);
            if same { None } else { with_order(tape, map, relation, order, most) }
        }
    };
    other.or(first)
}

fn with_order(
    tape: &Tape,
    map: &Subgraph,
    relation: Relation,
    order: Order,
    most: usize,
) -> Option<Bottleneck> {
    let reach = Reach::new(tape, map, relation);
    let d = order.inputs().len();
    let (inputs, outputs) = order.ranks();
    let cut = cut(&reach, (&inputs, &outputs), most)?;
    let elements = cut.iter().map(|element| reach.step(*element)).collect();
    let reach = reach.fixing(&cut);
    let slices = diagonal_slices(&reach, &inputs, &outputs)?;
    let output_elements = reach.output_elements();
    let is_zero = |place: &usize| slices[output_elements[order.outputs()[*place]]] != *place as u32;
    let zeros = (0..d).filter(is_zero).collect();
    Some(Bottleneck { elements, order, zeros })
}

/// Checks that each output depends on the input of its label alone, by which elements are on a path from an input to
/// the output of its label; returns that label for each element. `None` where an output depends on another input.
pub(super) fn diagonal_slices(reach: &Reach<'_>, inputs: &[u32], outputs: &[u32]) -> Option<Vec<u32>> {
    let mut slices = reach.only_input(inputs);
    let elements = reach.output_elements();
    let own = |(element, label): (&usize, &u32)| [NONE, *label].contains(&slices[*element]);
    if !elements.iter().zip(outputs).all(own) {
        return None;
    }
    for (slice, only) in slices.iter_mut().zip(reach.only_output(outputs)) {
        if *slice != only || *slice == SEVERAL {
            *slice = NONE;
        }
    }
    Some(slices)
}

/// For each output, the inputs that it may be paired with.
struct Candidates {
    of: Vec<Vec<u32>>,
    /// Whether every output may be paired with the input of its number.
    natural: bool,
}

impl Candidates {
    fn new(reach: &Reach<'_>, d: usize) -> Candidates {
        let numbers: Vec<u32> = (0..d as u32).collect();
        let (only_input, only_output) = (reach.only_input(&numbers), reach.only_output(&numbers));
        let mut of: Vec<Vec<u32>> = vec![Vec::new(); d];
        let mut own = vec![false; d];
        let mut meet = |input: u32, output: u32| {
            if input >= SEVERAL || output >= SEVERAL {
                return;
            }
            if input == output {
                own[input as usize] = true;
                return;
            }
            let of = &mut of[output as usize];
            if of.len() < MOST_CANDIDATES && !of.contains(&input) {
                of.push(input);
            }
        };
        (0..only_input.len()).for_each(|element| meet(only_input[element], only_output[element]));
        reach.each_edge_or_product(|to, from| meet(only_input[from], only_output[to]), |_, _| {});
        (0..d).filter(|i| own[*i]).for_each(|i| of[i].insert(0, i as u32));
        Candidates { of, natural: own.iter().all(|own| *own) }
    }

    /// Pairs as many as possible, first those with least choice: an output that C alone leads to may have any input. Of
    /// equal choice, those that may have the input of their number come first, and then the first or the last ones.
    fn order(&self, backwards: bool) -> Order {
        let d = self.of.len();
        if self.natural {
            return Order::natural(d);
        }
        let (mut input_of, mut output_of) = (vec![NONE; d], vec![NONE; d]);
        let mut seen = vec![NONE; d];
        let mut outputs: Vec<usize> = (0..d).collect();
        outputs.sort_by_key(|output| {
            let of = &self.of[*output];
            (of.len(), of.first() != Some(&(*output as u32)), if backwards { d - output } else { *output })
        });
        for output in outputs {
            augment(&self.of, output, &mut input_of, &mut output_of, &mut seen);
        }
        // What is left: with itself where both are free, then in order.
        for i in 0..d {
            if input_of[i] == NONE && output_of[i] == NONE {
                (input_of[i], output_of[i]) = (i as u32, i as u32);
            }
        }
        let mut free = (0..d).filter(|input| output_of[*input] == NONE);
        for input in input_of.iter_mut().filter(|input| **input == NONE) {
            *input = free.next().expect("as many inputs as outputs are left") as u32;
        }
        let inputs: Vec<usize> = input_of.into_iter().map(|input| input as usize).collect();
        Order::matched(inputs, (0..d).collect::<Vec<usize>>())
    }
}

/// So many inputs are tried for an output.
const MOST_CANDIDATES: usize = 16;

/// Returns a smallest set of elements that meets every path without an own edge, in ascending order.
fn cut(reach: &Reach<'_>, (inputs, outputs): (&[u32], &[u32]), most: usize) -> Option<Vec<usize>> {
    let (only_input, only_output) = (reach.only_input(inputs), reach.only_output(outputs));
    let own = |from: usize, to: usize| only_input[from] < SEVERAL && only_input[from] == only_output[to];
    let is_end = |(element, label): (&usize, &u32)| ![NONE, *label].contains(&only_input[*element]);
    let elements = reach.output_elements();
    let ends = elements.iter().zip(outputs).filter(|pair| is_end(*pair)).map(|(element, _)| *element);
    paths(reach, ends, most, own, (|element| only_input[element] != NONE, false))
}

/// Finds a smallest set of elements, inputs among them, through which every path from an input to an output leads, if it has
/// fewer elements than there are variables. Then J is a product ∂x/∂S·∂S/∂z of a rank below d, so that det J = 0 everywhere.
pub(crate) fn waist(tape: &Tape, map: &Subgraph) -> Option<Vec<Step>> {
    let reach = Reach::new(tape, map, Relation::Derivative);
    let d = reach.output_elements().len();
    let natural: Vec<u32> = (0..reach.input_elements().len() as u32).collect();
    let only_input = reach.only_input(&natural);
    let ends = reach.output_elements().into_iter().filter(|element| only_input[*element] != NONE);
    let moves = |element: usize| only_input[element] != NONE;
    let found = paths(&reach, ends, d.checked_sub(1)?, |_, _| false, (moves, true))?;
    Some(found.iter().map(|element| reach.step(*element)).collect())
}

/// Explains why a waist makes det J = 0.
pub(super) fn through_a_waist(tape: &Tape, map: &Subgraph, waist: &[Step]) -> String {
    const SHOWN: usize = 4;
    let input = map.inputs()[0];
    let name = |step: &Step| match step.node == input {
        true => format!("z[{}]", step.element),
        false => {
            let place = tape.place(step.node);
            let name = tape.with_node(step.node, |node| node.op.name());
            format!("{name}[{}] of {}:{}", step.element, place.file(), place.line())
        }
    };
    let mut shown: Vec<String> = waist.iter().take(SHOWN).map(name).collect();
    if waist.len() > SHOWN {
        shown.push("…".to_string());
    }
    let d = tape.shape(input).len();
    let numbers = if waist.len() == 1 { "number" } else { "numbers" };
    format!("x depends on z through {} {numbers} alone, fewer than {d} variables: {}", waist.len(), shown.join(", "))
}

/// Returns a smallest set of elements, inputs among them or not, that meets every path from an input to one of `ends` along
/// edges that are not `skipped`, in ascending order; `None` if it has more than `most` elements.
fn paths(
    reach: &Reach<'_>,
    ends: impl Iterator<Item = usize>,
    most: usize,
    skipped: impl Fn(usize, usize) -> bool,
    (moves, with_inputs): (impl Fn(usize) -> bool, bool),
) -> Option<Vec<usize>> {
    let count = reach.layout().len();
    // A product of all with all goes through a vertex of its own that cannot be cut.
    let mut products: Vec<(std::ops::Range<usize>, std::ops::Range<usize>)> = Vec::new();
    let mut starts = vec![0u32; count + 1];
    let kept = |to: usize, from: usize| moves(from) && !skipped(from, to);
    reach.each_edge_or_product(
        |to, from| starts[from + 1] += u32::from(kept(to, from)),
        |to, from| products.push((to, from)),
    );
    (0..count).for_each(|element| starts[element + 1] += starts[element]);
    let mut users = vec![0u32; starts[count] as usize];
    let mut next = starts.clone();
    reach.each_edge_or_product(
        |to, from| {
            if kept(to, from) {
                users[next[from] as usize] = to as u32;
                next[from] += 1;
            }
        },
        |_, _| {},
    );
    drop(next);
    let mut is_end = vec![false; count];
    ends.for_each(|end| is_end[end] = true);
    let mut is_input = vec![false; count];
    reach.input_elements().into_iter().for_each(|input| is_input[input] = true);
    // By element and then by product: the vertex that stands for it, which is another one where all of its paths lead
    // there, or NONE where no path leads to an end. Users have larger numbers, so one pass backwards is enough.
    let mut stands: Vec<u32> = vec![NONE; count + products.len()];
    let mut arcs: Vec<(u32, Vec<u32>)> = Vec::new();
    let mut waiting = (0..products.len()).rev().peekable();
    // Products that an element belongs to as an operand.
    let mut within: Vec<Vec<u32>> = Vec::new();
    let mut within_at = vec![NONE; if products.is_empty() { 0 } else { count }];
    for (k, (_, from)) in products.iter().enumerate() {
        for element in from.clone().filter(|element| moves(*element)) {
            if within_at[element] == NONE {
                within_at[element] = within.len() as u32;
                within.push(Vec::new());
            }
            within[within_at[element] as usize].push((count + k) as u32);
        }
    }
    let distinct = |found: &mut Vec<u32>| {
        found.retain(|vertex| *vertex != NONE);
        found.sort_unstable();
        found.dedup();
    };
    let mut found: Vec<u32> = Vec::new();
    for element in (0..count).rev() {
        // The results of a product come after its operands.
        while let Some(k) = waiting.peek().copied().filter(|k| products[*k].1.end > element) {
            waiting.next();
            found.clear();
            found.extend(products[k].0.clone().map(|to| stands[to]));
            distinct(&mut found);
            let own = (count + k) as u32;
            stands[count + k] = match found.as_slice() {
                [] => NONE,
                [one] => *one,
                _ => own,
            };
            if stands[count + k] == own {
                arcs.push((own, found.clone()));
            }
        }
        found.clear();
        let own = &users[starts[element] as usize..starts[element + 1] as usize];
        found.extend(own.iter().map(|to| stands[*to as usize]));
        if let Some(at) = within_at.get(element).filter(|at| **at != NONE) {
            found.extend(within[*at as usize].iter().map(|product| stands[*product as usize]));
        }
        distinct(&mut found);
        let cuttable = |vertex: u32| (vertex as usize) < count;
        stands[element] = match found.as_slice() {
            [] if !is_end[element] => NONE,
            [one] if !is_end[element] && !is_input[element] && cuttable(*one) => *one,
            _ => element as u32,
        };
        if stands[element] == element as u32 {
            arcs.push((element as u32, found.clone()));
        }
    }
    // The vertices that are left, numbered anew.
    let mut number = vec![NONE; stands.len()];
    arcs.iter().enumerate().for_each(|(k, (vertex, _))| number[*vertex as usize] = k as u32);
    let vertex = |k: usize| arcs[k].0 as usize;
    let cuttable =
        (0..arcs.len()).map(|k| vertex(k) < count && (with_inputs || !is_input[vertex(k)])).collect();
    let mut network = Network::new(cuttable);
    for (k, (vertex, users)) in arcs.iter().enumerate() {
        users.iter().for_each(|to| network.join(k, number[*to as usize] as usize));
        if is_input.get(*vertex as usize).is_some_and(|input| *input) {
            network.begin(k);
        }
        if is_end.get(*vertex as usize).is_some_and(|end| *end) {
            network.end(k);
        }
    }
    let mut found: Vec<usize> = network.minimum_cut(most)?.into_iter().map(vertex).collect();
    found.sort_unstable();
    Some(found)
}
