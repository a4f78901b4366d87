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
//! The cost is a few passes over the edges of the program and the flow.

use super::error::StructureError;
use super::matching::augment;
use super::paths::paths;
use super::structure::Order;
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
    // A pair that is not the best takes more elements at first.
    let widest = if d <= FEW_VARIABLES { most.max(d.saturating_sub(1)) } else { most };
    let first = with_order(tape, map, relation, candidates.order(false), widest);
    // Where outputs compete for an input, the other choice may need fewer elements.
    let other = match &first {
        Some(first) if first.zeros.is_empty() => None,
        first => {
            let most = first.as_ref().map_or(widest, |first| first.rank().saturating_sub(1));
            let order = candidates.order(true);
            let same = first.as_ref().is_some_and(|first| first.order == order);
            if same { None } else { with_order(tape, map, relation, order, most) }
        }
    };
    let mut best = other.or(first)?;
    while let Some(better) = rank_less(tape, map, relation, &best) {
        best = better;
    }
    (best.rank() <= most).then_some(best)
}

/// Up to this number of variables, better pairs are looked for whatever the first ones take.
const FEW_VARIABLES: usize = 256;

/// A bottleneck of fewer elements by a better pair: of an output that is held fixed itself, but depends on a single input
/// otherwise, where that input is paired with an output that does not depend on it.
fn rank_less(tape: &Tape, map: &Subgraph, relation: Relation, found: &Bottleneck) -> Option<Bottleneck> {
    if found.zeros.is_empty() || found.rank() == 0 {
        return None;
    }
    let reach = Reach::new(tape, map, relation);
    let outputs = reach.output_elements();
    let number = |step: &Step| reach.layout().elements(step.node).start + step.element;
    let elements: Vec<usize> = found.elements.iter().map(number).collect();
    let (inputs, places) = found.order.ranks();
    elements.iter().find_map(|fixed| {
        let output = outputs.iter().position(|element| element == fixed)?;
        let others: Vec<usize> = elements.iter().copied().filter(|element| element != fixed).collect();
        let place = Reach::new(tape, map, relation).fixing(&others).only_input(&inputs)[*fixed];
        if place >= SEVERAL
            || place == places[output]
            || found.zeros.binary_search(&(place as usize)).is_err()
        {
            return None;
        }
        let mut turned = found.order.inputs().to_vec();
        turned.swap(place as usize, places[output] as usize);
        let order = Order::matched(turned, found.order.outputs().to_vec());
        with_order(tape, map, relation, order, found.rank() - 1)
    })
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
