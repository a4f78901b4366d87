//! The exact flows of continuous layers: a layer computes steps, and its density is that of the equation.
//!
//! Two maps are near one another: what the steps make, which is f here, and the flow of dz/dt = v(z, t). What is proven here
//! is about the second. All other claims of an audit are about the first.

use super::evidence::Evidence;
use super::proofs::LayerProver;
use super::report::{Claim, Topic};
use super::subject::{Layer, Subject};
use crate::bijection::Domain;

pub(super) fn claims(subject: &Subject) -> Vec<Claim> {
    let single = subject.layers.len() == 1;
    let of_layer = |layer: &Layer<'_>| {
        let prover = LayerProver::of(subject, layer);
        let motion = layer.leaf.motion()?;
        let of = if single { String::new() } else { format!("{}: ", layer.name) };
        let all = Domain::Reals.written(layer.leaf.bijection().dim());
        let statement =
            format!("{of}the exact flow of dz/dt = v(z, t), not its steps, maps {all} one-to-one onto {all}");
        Some(match prover.exact_flow(motion) {
            Ok(proof) => {
                let evidence = Evidence::Proven { reason: proof.reason };
                let certificates = vec![proof.certificate.text()];
                Claim::certified(Topic::ExactFlow, statement, evidence, certificates)
            }
            Err(told) => {
                let reason = format!("The checker: {told}");
                Claim::new(Topic::ExactFlow, statement, Evidence::NotProven { reason })
            }
        })
    };
    subject.layers.iter().filter_map(of_layer).collect()
}
