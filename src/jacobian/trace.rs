//! tr J of a map from d to d variables: exactly, or by Hutchinson's estimate.
//!
//! *Exactly.* The sum over the diagonal, which takes as many tangent sweeps as the dependences ask for
//! ([`diagonal`]): one where each xᵢ has a conditioner of its own or none, d in the worst case.
//!
//! *Estimated.* E εᵀJε = Σ E[εᵢεⱼ]·Jᵢⱼ = tr J for any ε of mean 0 and covariance 1 (Hutchinson, "A stochastic estimator of
//! the trace of the influence matrix", 1989): one tangent sweep a probe, whatever d is. With εᵢ = ±1 its variance is
//! Σ over i < j of (Jᵢⱼ + Jⱼᵢ)², the least of all independent εᵢ.

use super::diagonal::{Share, shares};
use crate::sweep::tangent;
use crate::tape::{Cut, Op, Tape, Var};

/// A trace as a scalar node, and what it costs.
#[derive(Clone, Copy, Debug)]
pub struct Trace<'t> {
    /// tr J at the input of the map.
    pub value: Var<'t>,
    /// How many tangent sweeps it takes.
    pub sweeps: usize,
}

/// tr J, exactly.
pub fn trace<'t>(tape: &'t Tape, map: &Cut) -> Trace<'t> {
    let (shares, sweeps) = shares(tape, map);
    let value = shares.iter().map(summed).reduce(|sum, share| sum + share);
    Trace { value: value.unwrap_or_else(|| tape.constant(0.0)), sweeps }
}

/// The sum over the places that a sweep is read at.
fn summed<'t>(Share { tangent, read }: &Share<'t>) -> Var<'t> {
    let tape = tangent.tape();
    if read.len() == tangent.len() {
        return tangent.sum();
    }
    let &[place] = read.as_slice() else { return tangent.gather(read).sum() };
    // A row of a product is added up from terms that all go to one place: then that place is their sum.
    let node = tape.node(tangent.id());
    match node.op {
        Op::Scatter(places) if places.iter().all(|to| *to as usize == place) => {
            tape.var(node.operands[0]).sum()
        }
        _ => tangent.at(place),
    }
}

/// The mean of εᵀJε over probes ε, each a vector of the map's width.
///
/// # Panics
/// Without a probe.
pub fn estimated_trace<'t>(tape: &'t Tape, map: &Cut, probes: &[Var<'t>]) -> Trace<'t> {
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
