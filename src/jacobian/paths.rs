//! Smallest sets of elements that meet all paths of some kind.
//!
//! An element that leads to a single other element is never needed in such a set and is left out, so that elementwise
//! operations add nothing to the flow network; a product of all with all is one vertex more instead of one arc for each pair.

use super::vertex_cut::Network;
use crate::sweep::reach::{NONE, Reach};

/// Returns a smallest set of elements, inputs among them or not, that meets every path from an input to one of `ends` along
/// edges that are not `skipped`, in ascending order; `None` if it has more than `most` elements.
pub(super) fn paths(
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
