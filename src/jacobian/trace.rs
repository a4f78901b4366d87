//! Trace of the Jacobian of a map from d to d variables: exact, or by Hutchinson's estimate.
//!
//! *Exact.* Of a network of one or two hidden layers from products of its weights (`cyclic_trace`), without a sweep. Else
//! the sum over the diagonal, with as many tangent sweeps as the dependence structure requires
//! ([`diagonal`]): one if the conditioner of each xᵢ does not read zᵢ, d in the worst case.
//!
//! *Estimated.* E εᵀJε = Σ E[εᵢεⱼ]·Jᵢⱼ = tr J for any ε of mean 0 and covariance I (Hutchinson, "A stochastic
//! estimator of the trace of the influence matrix", 1989): one tangent sweep a probe, for every d. With
//! εᵢ = ±1 its variance is Σ over i < j of (Jᵢⱼ + Jⱼᵢ)², the smallest among all independent εᵢ.

use super::cyclic_trace::cyclic_trace;
use super::diagonal::{Share, shares};
use crate::sweep::tangent;
use crate::tape::{Op, Subgraph, Tape, Var};

/// A trace as a scalar node, and its cost.
#[derive(Clone, Copy, Debug)]
pub struct Trace<'t> {
    /// tr J at the input of the map.
    pub value: Var<'t>,
    /// Number of tangent sweeps; 0 if it follows from products of matrices.
    pub sweeps: usize,
}

/// Records the exact trace.
pub fn trace<'t>(tape: &'t Tape, map: &Subgraph) -> Trace<'t> {
    if let Some(value) = cyclic_trace(tape, map) {
        return Trace { value, sweeps: 0 };
    }
    let (shares, sweeps) = shares(tape, map);
    let value = shares.iter().map(summed).reduce(|sum, share| sum + share);
    Trace { value: value.unwrap_or_else(|| tape.constant(0.0)), sweeps }
}

/// Records the sum over the places that are read from a sweep.
fn summed<'t>(Share { tangent, read }: &Share<'t>) -> Var<'t> {
    let tape = tangent.tape();
    if read.len() == tangent.len() {
        return tangent.sum();
    }
    let &[place] = read.as_slice() else { return tangent.gather(read).sum() };
    // If a scatter adds all its terms at one place, the value at that place is the sum of the terms.
    let node = tape.node(tangent.id());
    match node.op {
        Op::Scatter(places) if places.iter().all(|to| *to as usize == place) => {
            tape.var(node.operands[0]).sum()
        }
        _ => tangent.at(place),
    }
}

/// Records the mean of εᵀJε over probes ε, vectors of length d.
///
/// # Panics
/// Without a probe.
pub fn estimated_trace<'t>(tape: &'t Tape, map: &Subgraph, probes: &[Var<'t>]) -> Trace<'t> {
    assert!(!probes.is_empty(), "an estimate of a trace needs at least one probe");
    let of =
        |probe: &Var<'t>| tangent(tape, map, &[(map.inputs()[0], *probe)])[0].map(|moved| probe.dot(moved));
    let sum = probes.iter().filter_map(of).reduce(|a, b| a + b);
    let value = match sum {
        None => tape.constant(0.0),
        Some(sum) if probes.len() == 1 => sum,
        Some(sum) => sum / probes.len() as f64,
    };
    Trace { value, sweeps: probes.len() }
}
