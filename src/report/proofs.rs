//! What is proven of the layers of a model, a line a layer.

use std::iter::repeat;

use crate::audit::{AuditOptions, Evidence, Topic, audit_with};
use crate::bijection::{Bijection, BijectionError, Description};
use crate::model::Model;

/// What is proven of one flow of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowProof {
    /// What it is: `Gaussian mixture, 6 components`.
    pub name: String,
    /// The weight of the flow in the model.
    pub weight: f64,
    /// The name of its base.
    pub base: String,
    /// The number of its parameters.
    pub parameters: usize,
    /// Its layers, in the order from the base to the table.
    pub layers: Vec<LayerProof>,
}

/// What an audit decides of a layer, for all inputs and all parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerProof {
    /// Its name.
    pub name: String,
    /// Its claims; empty where it was not audited.
    pub claims: Vec<ShortClaim>,
}

/// A claim in a word or two.
#[derive(Clone, Debug, PartialEq)]
pub struct ShortClaim {
    /// What is claimed.
    pub about: &'static str,
    /// Proven, checked, not proven or refuted.
    pub evidence: Evidence,
}

/// The claims that are shown, in their order.
pub(super) const CLAIMS: [(&str, &[Topic]); 4] = [
    ("triangular", &[Topic::Structure]),
    ("det J ≠ 0", &[Topic::Determinant]),
    ("invertible", &[Topic::Inverse]),
    ("one-to-one and onto", &[Topic::Injective, Topic::Codomain]),
];

impl FlowProof {
    /// Audits each layer of each flow; equal layers once.
    pub(super) fn all(
        model: &Model,
        audit: bool,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Vec<FlowProof>, BijectionError> {
        let mut known: Vec<(Description, Vec<ShortClaim>)> = Vec::new();
        let count: usize = model.flows().map(|(_, flow)| flow.flow().bijection().layers().len()).sum();
        let mut number = 0;
        let mut flows = Vec::new();
        let kept = model.fit_record().candidates.iter().filter(|candidate| candidate.weight > 0.0);
        let names = kept.map(|candidate| candidate.name.clone()).chain(repeat("a flow".to_string()));
        for ((weight, flow), name) in model.flows().zip(names) {
            let mut layers = Vec::new();
            for layer in flow.flow().bijection().layers() {
                number += 1;
                let name = layer.name();
                if !audit {
                    layers.push(LayerProof { name, claims: Vec::new() });
                    continue;
                }
                let described = layer.describe();
                let before = known.iter().find(|(other, _)| Some(other) == described.as_ref());
                let claims = match before {
                    Some((_, claims)) => claims.clone(),
                    None => {
                        tell(&format!("auditing layer {number} of {count}, {name}"));
                        let claims = claims(layer.as_ref())?;
                        known.extend(described.map(|described| (described, claims.clone())));
                        claims
                    }
                };
                layers.push(LayerProof { name, claims });
            }
            let (base, parameters) = (flow.flow().base().name(), flow.parameters().count());
            flows.push(FlowProof { name, weight, base, parameters, layers });
        }
        Ok(flows)
    }
}

/// What is decided of a layer. Of claims about one thing, the one with the weakest evidence counts.
fn claims(layer: &dyn Bijection) -> Result<Vec<ShortClaim>, BijectionError> {
    let report = audit_with(layer, &AuditOptions { decide_only: true, ..AuditOptions::default() })?;
    let strength = |evidence: &Evidence| match evidence {
        Evidence::Refuted { .. } => 0,
        Evidence::NotProven { .. } => 1,
        Evidence::Checked { .. } => 2,
        Evidence::Proven { .. } => 3,
    };
    let proven =
        |topic: Topic| report.claim(topic).filter(|claim| matches!(claim.evidence, Evidence::Proven { .. }));
    let claims = CLAIMS.iter().filter_map(|(about, topics)| {
        // The inverse of a bijection is one; that its formulas are the inverse is what `invertible` is about.
        if let (Some(turned), true) = (proven(Topic::Turned), topics.contains(&Topic::Injective)) {
            return Some(ShortClaim { about, evidence: turned.evidence.clone() });
        }
        let of_topic = report.claims.iter().filter(|claim| topics.contains(&claim.topic));
        let evidence = of_topic.map(|claim| &claim.evidence).min_by_key(|evidence| strength(evidence))?;
        Some(ShortClaim { about, evidence: evidence.clone() })
    });
    Ok(claims.collect())
}
