//! Inverses of layers: what is proven of the layer that is turned round.
//!
//! f is the inverse of a layer g, as the layers of an autoregressive flow are. ln p(x) is computed by g alone, from x to z; f
//! draws samples. Where the formulas of f are beyond the checker, as the roots of a spline's pieces are, g may yet be proven to
//! be a bijection. Then the density is one, exactly, and of f it is open only whether its formulas are the inverse of g,
//! which is checked at points.

use super::evidence::Evidence;
use super::proofs::LayerProver;
use super::report::{Claim, Topic};
use super::subject::{Layer, Subject};

pub(super) fn claims(subject: &Subject) -> Vec<Claim> {
    let single = subject.layers.len() == 1;
    let of_layer = |layer: &Layer<'_>| {
        let prover = LayerProver::of(subject, layer);
        let turned = prover.turned()?;
        let of = if single { String::new() } else { format!("{}: ", layer.name) };
        let statement = format!(
            "{of}{}, by which z is computed from x, maps {} one-to-one onto {}",
            turned.name, turned.domain, turned.codomain
        );
        let evidence = Evidence::Proven { reason: turned.proof.reason };
        Some(Claim::certified(Topic::Turned, statement, evidence, vec![turned.proof.certificate.text()]))
    };
    subject.layers.iter().filter_map(of_layer).collect()
}
