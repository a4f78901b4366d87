//! Diagonals of Jacobians without the full Jacobian.
//!
//! *Triangular programs.* slice(v) = i if hi(v) = lo(v) = i: element v is on a path from zᵢ to xᵢ. It is on
//! such a path for one i only, since i ≤ hi(v) ≤ lo(v) ≤ i. Set every input tangent to 1 and keep an edge
//! only within a slice; then one sweep gives all of diag(J) exactly.
//!
//! *The guard.* J_ii is read from x_i only if slice(x_i) = i, and is 0 otherwise. `x0 = exp z0, x1 = z0`
//! passes the proof of triangularity; without the guard, the tangent of the shared node would be returned for
//! ∂x1/∂z1, which is 0.
//!
//! *General programs.* With S(v) = {i : v depends on zᵢ and reaches xᵢ}, i and j conflict if some S(v)
//! contains both. Inputs of one colour never conflict, so one sweep a colour, sliced by S(v) ∩ colour, gives
//! the exact diagonal of every program: one sweep if it is triangular, one if the conditioner of each xᵢ does
//! not read zᵢ even though J is dense, d in the worst case.

use super::proof::Proof;
use crate::sweep::reach::{NONE, Reach, Relation};
use crate::sweep::sliced_tangent;
use crate::tape::{Shape, Subgraph, Tape, Var, stack};

/// The diagonal of a Jacobian, as nodes.
#[derive(Clone, Debug)]
pub struct Diagonal<'t> {
    /// A vector: entry k belongs to the k-th pair of the order (`J[k][k]` in the natural one).
    pub entries: Var<'t>,
    /// Which entries are 0 by structure, for all inputs and parameters.
    pub zeros: Vec<usize>,
    /// Number of tangent sweeps.
    pub sweeps: usize,
}

/// Records the diagonal of a triangular map in its order, in one sweep.
///
/// # Panics
/// When the proof is of a block triangular structure, whose diagonal consists of blocks.
pub fn triangular_diagonal<'t>(tape: &'t Tape, map: &Subgraph, proof: &Proof) -> Diagonal<'t> {
    let d = proof.order.inputs().len();
    let (inputs, outputs) = &proof.labels;
    assert!(inputs.iter().max().is_none_or(|largest| *largest as usize + 1 == d), "blocks have no diagonal");
    let reach = Reach::new(tape, map, Relation::Derivative);
    let slices = slices(&reach, inputs, outputs);
    let one = tape.constant(1.0).broadcast(Shape::Vector(d));
    let tangent = sliced_tangent(tape, map, &[(map.inputs()[0], one)], reach.layout(), &slices)[0];
    let elements = reach.output_elements();
    let guarded = |output: usize| slices[elements[output]] == outputs[output];
    let read: Vec<usize> = proof.order.outputs().to_vec();
    let zeros: Vec<usize> = (0..d).filter(|k| tangent.is_none() || !guarded(read[*k])).collect();
    Diagonal { entries: read_out(tape, tangent, &read, &zeros), zeros, sweeps: 1 }
}

/// Returns slice(v) as a label for every element.
fn slices(reach: &Reach<'_>, inputs: &[u32], outputs: &[u32]) -> Vec<u32> {
    let mut slices = reach.highest(inputs);
    let lowest = reach.lowest(outputs);
    for (slice, lo) in slices.iter_mut().zip(lowest) {
        if *slice != lo {
            *slice = NONE;
        }
    }
    slices
}

/// Records `tangent[read[k]]` for each k, with structural zeros at the places in `zeros`.
fn read_out<'t>(tape: &'t Tape, tangent: Option<Var<'t>>, read: &[usize], zeros: &[usize]) -> Var<'t> {
    let d = read.len();
    let Some(tangent) = tangent else { return tape.constant(0.0).broadcast(Shape::Vector(d)) };
    let natural = read.iter().enumerate().all(|(k, output)| k == *output);
    if zeros.is_empty() {
        return if natural { tangent } else { tangent.gather(read) };
    }
    let mut is_zero = vec![false; d];
    zeros.iter().for_each(|k| is_zero[*k] = true);
    let kept: Vec<usize> = (0..d).filter(|k| !is_zero[*k]).collect();
    let from: Vec<usize> = kept.iter().map(|k| read[*k]).collect();
    tangent.gather(&from).scatter(&kept, Shape::Vector(d))
}

/// Records the diagonal blocks of a block triangular map as matrices, in max b_k sweeps.
///
/// Rows and columns of a block are in the order of the proof.
pub fn block_diagonal<'t>(tape: &'t Tape, map: &Subgraph, proof: &Proof) -> (Vec<Var<'t>>, usize) {
    let d = proof.order.inputs().len();
    let (inputs, outputs) = &proof.labels;
    let reach = Reach::new(tape, map, Relation::Derivative);
    let slices = slices(&reach, inputs, outputs);
    let members = |labels: &[u32], order: &[usize]| {
        let count = labels.iter().max().map_or(0, |label| *label as usize + 1);
        let mut members = vec![Vec::new(); count];
        order.iter().for_each(|index| members[labels[*index] as usize].push(*index));
        members
    };
    let columns = members(inputs, proof.order.inputs());
    let rows = members(outputs, proof.order.outputs());
    let sweeps = columns.iter().map(Vec::len).max().unwrap_or(0);
    // Sweep p propagates the tangent of the p-th input of every block at once.
    let tangents: Vec<Option<Var<'t>>> = (0..sweeps)
        .map(|p| {
            let mut seed = vec![0.0; d];
            columns.iter().filter_map(|block| block.get(p)).for_each(|input| seed[*input] = 1.0);
            let seed = tape.vector(&seed);
            sliced_tangent(tape, map, &[(map.inputs()[0], seed)], reach.layout(), &slices)[0]
        })
        .collect();
    let elements = reach.output_elements();
    let zero = tape.constant(0.0);
    let blocks = (0..columns.len()).map(|block| {
        let size = rows[block].len();
        let entries = rows[block].iter().flat_map(|row| {
            let guarded = slices[elements[*row]] == block as u32;
            tangents[..size].iter().map(move |t| match t {
                Some(t) if guarded => t.at(*row),
                _ => zero,
            })
        });
        stack(entries.collect::<Vec<_>>()).reshape(Shape::Matrix(size, size))
    });
    (blocks.collect(), sweeps)
}

/// Records the exact diagonal ∂xᵢ/∂zᵢ of any map from d to d variables, with the number of sweeps.
pub fn diagonal<'t>(tape: &'t Tape, map: &Subgraph) -> Diagonal<'t> {
    let (shares, sweeps) = shares(tape, map);
    let d = tape.shape(map.outputs()[0]).len();
    let mut is_zero = vec![true; d];
    shares.iter().flat_map(|share| &share.read).for_each(|i| is_zero[*i] = false);
    let whole = |share: &Share<'t>| match share.read.len() == d {
        true => share.tangent,
        false => share.tangent.gather(&share.read).scatter(&share.read, Shape::Vector(d)),
    };
    let entries = shares.iter().map(whole).reduce(|sum, share| sum + share);
    let entries = entries.unwrap_or_else(|| tape.constant(0.0).broadcast(Shape::Vector(d)));
    Diagonal { entries, zeros: (0..d).filter(|i| is_zero[*i]).collect(), sweeps }
}

/// The part of a diagonal that one sweep gives: its values at some places.
pub(super) struct Share<'t> {
    pub tangent: Var<'t>,
    pub read: Vec<usize>,
}

/// Returns the diagonal sweep by sweep, and the number of sweeps.
pub(super) fn shares<'t>(tape: &'t Tape, map: &Subgraph) -> (Vec<Share<'t>>, usize) {
    let reach = Reach::new(tape, map, Relation::Derivative);
    let outputs = reach.output_elements();
    let d = outputs.len();
    let meeting = meeting_sets(&reach, d);
    let colours = colour(d, &meeting);
    let mut shares = Vec::new();
    let count = colours.iter().max().map_or(0, |colour| *colour as usize + 1);
    for colour in 0..count as u32 {
        let mut slices = vec![NONE; reach.layout().len()];
        for (slice, set) in slices.iter_mut().zip(&meeting) {
            // At most one, since inputs of one colour do not conflict.
            *slice = set.iter().copied().find(|i| colours[*i as usize] == colour).unwrap_or(NONE);
        }
        let seed: Vec<f64> = colours.iter().map(|other| f64::from(u8::from(*other == colour))).collect();
        let seed = tape.vector(&seed);
        let seeds = [(map.inputs()[0], seed)];
        let Some(tangent) = sliced_tangent(tape, map, &seeds, reach.layout(), &slices)[0] else { continue };
        // The guard, as above: an output that is an input of another colour has another label.
        let read: Vec<usize> = (0..d).filter(|i| slices[outputs[*i]] == *i as u32).collect();
        if !read.is_empty() {
            shares.push(Share { tangent, read });
        }
    }
    (shares, count)
}

/// Returns S(v) for every element, as sorted lists.
fn meeting_sets(reach: &Reach<'_>, d: usize) -> Vec<Vec<u32>> {
    let mut sets: Vec<Vec<u32>> = vec![Vec::new(); reach.layout().len()];
    for block in 0..d.div_ceil(64) {
        let (inputs, outputs) = (reach.inputs_of(block), reach.outputs_of(block));
        for (element, set) in sets.iter_mut().enumerate() {
            let mut both = inputs[element] & outputs[element];
            while both != 0 {
                set.push((block * 64) as u32 + both.trailing_zeros());
                both &= both - 1;
            }
        }
    }
    sets
}

/// Colours the inputs so that no two of one colour conflict; greedily, inputs with most conflicts first.
fn colour(d: usize, meeting: &[Vec<u32>]) -> Vec<u32> {
    let words = d.div_ceil(64);
    let mut conflicts = vec![0u64; d * words];
    let mut set_bits = vec![0u64; words];
    for set in meeting.iter().filter(|set| set.len() > 1) {
        set_bits.fill(0);
        set.iter().for_each(|i| set_bits[*i as usize / 64] |= 1 << (i % 64));
        for i in set {
            let row = &mut conflicts[*i as usize * words..(*i as usize + 1) * words];
            row.iter_mut().zip(&set_bits).for_each(|(bits, new)| *bits |= new);
        }
    }
    greedy_colours(d, |i| {
        let row = &conflicts[i * words..(i + 1) * words];
        (0..d).filter(|j| *j != i && row[j / 64] >> (j % 64) & 1 == 1).collect()
    })
}

/// Greedy graph colouring, vertices with most neighbours first.
pub(super) fn greedy_colours(count: usize, neighbours: impl Fn(usize) -> Vec<usize>) -> Vec<u32> {
    let lists: Vec<Vec<usize>> = (0..count).map(neighbours).collect();
    let mut by_degree: Vec<usize> = (0..count).collect();
    by_degree.sort_by_key(|i| std::cmp::Reverse(lists[*i].len()));
    let mut colours = vec![NONE; count];
    for i in by_degree {
        let mut taken: Vec<u32> = lists[i].iter().map(|j| colours[*j]).filter(|c| *c != NONE).collect();
        taken.sort_unstable();
        taken.dedup();
        let free = taken.iter().enumerate().position(|(colour, taken)| colour as u32 != *taken);
        colours[i] = free.unwrap_or(taken.len()) as u32;
    }
    colours
}
