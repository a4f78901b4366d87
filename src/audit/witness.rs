//! Refutations: a witness found in f64 is passed to the checker, which decides with 192 bits.
//!
//! A witness that is not confirmed is no counterexample: it may come from rounding, saturation, or 0·∞.

use super::certificate::Certificate;
use super::proofs::LayerProver;
use super::subject::{Layer, Subject};
use crate::checker::{missed_variable, verify};
use crate::tape::NodeId;

/// Begins a certificate of a refutation about the whole of f, with the values of its parameters.
fn whole(subject: &Subject, claim: &str) -> Certificate {
    let start =
        Certificate::new(&format!("refuted {claim}")).sets(&subject.domain, &subject.codomain, subject.d);
    with_values(subject, start).program("forward", &subject.tape, subject.z, subject.x)
}

fn of_layer(subject: &Subject, layer: &Layer<'_>, claim: &str) -> Certificate {
    let (domain, codomain) = (layer.leaf.bijection().domain(), layer.leaf.bijection().codomain());
    let start = Certificate::new(&format!("refuted {claim}")).sets(&domain, &codomain, subject.d);
    with_values(subject, start).program("forward", &subject.tape, layer.z, layer.x)
}

fn with_values(subject: &Subject, certificate: Certificate) -> Certificate {
    subject
        .parameters
        .iter()
        .fold(certificate, |certificate, (name, tensor)| certificate.value(name, &tensor.values))
}

/// Writes a layer with the values of its parameters, for evaluation.
pub(super) fn evaluation(subject: &Subject, single: &LayerProver<'_>) -> Certificate {
    with_values(subject, single.certificate("evaluation"))
}

fn confirmed(certificate: &Certificate) -> Option<String> {
    let text = certificate.text();
    verify(&text).ok().map(|_| text)
}

/// Refutes injectivity: f(a) = f(b) for a point near `b`.
pub(super) fn collision(subject: &mut Subject, a: &[f64], b: &[f64]) -> Option<String> {
    let base = whole(subject, "one-to-one").point("a", b).point("b", a);
    let d = subject.d;
    // The inverse of J in the middle of the box.
    let lu = subject.lu(b);
    let mut preconditioner = vec![0.0; d * d];
    for column in 0..d {
        let mut unit = vec![0.0; d];
        unit[column] = 1.0;
        lu.solve(&mut unit);
        (0..d).for_each(|row| preconditioner[row * d + column] = unit[row]);
    }
    if !preconditioner.iter().all(|value| value.is_finite()) {
        preconditioner = (0..d * d).map(|e| if e % (d + 1) == 0 { 1.0 } else { 0.0 }).collect();
    }
    [1e-12, 1e-9, 1e-6, 1e-4].iter().find_map(|share| {
        let radius: Vec<f64> =
            b.iter().zip(a).map(|(b, a)| share * b.abs().max((a - b).abs()).max(f64::MIN_POSITIVE)).collect();
        confirmed(&base.clone().point("radius", &radius).point("preconditioner", &preconditioner))
    })
}

/// Refutes the determinant claim: det J is 0 at a, or has two signs at a and b.
pub(super) fn determinant(subject: &Subject, a: &[f64], b: Option<&[f64]>) -> Option<String> {
    let certificate = whole(subject, "determinant").point("a", a);
    confirmed(&match b {
        Some(b) => certificate.point("b", b),
        None => certificate,
    })
}

/// Refutes a structure: ∂x_o/∂z_i of a layer is not 0 at z.
pub(super) fn structure(
    subject: &Subject,
    layer: &Layer<'_>,
    (o, i): (usize, usize),
    z: &[f64],
) -> Option<String> {
    confirmed(&of_layer(subject, layer, &format!("structure {o} {i}")).point("a", z))
}

/// Refutes a formula on the same tape as ln|det J| of a layer at z.
pub(super) fn log_det(subject: &Subject, layer: &Layer<'_>, formula: NodeId, z: &[f64]) -> Option<String> {
    let certificate = of_layer(subject, layer, "log-determinant").point("a", z);
    confirmed(&certificate.program("given", &subject.tape, layer.z, formula))
}

/// Refutes an inverse: f⁻¹(f(z)) differs from z.
pub(super) fn inverse(
    subject: &Subject,
    z: &[f64],
    inverse: (&crate::tape::Tape, NodeId, NodeId),
) -> Option<String> {
    let (tape, x, back) = inverse;
    confirmed(&whole(subject, "inverse").point("a", z).program("inverse", tape, x, back))
}

/// Shows that f is undefined at z.
pub(super) fn undefined(subject: &Subject, z: &[f64]) -> Option<String> {
    confirmed(&whole(subject, "finite").point("a", z))
}

/// Shows that x_o at z lies outside of the codomain.
pub(super) fn outside(subject: &Subject, o: usize, z: &[f64]) -> Option<String> {
    confirmed(&whole(subject, &format!("range {o}")).point("a", z))
}

/// Finds a variable of x whose codomain contains a number that it never takes.
pub(super) fn missed(subject: &Subject) -> Option<(usize, String)> {
    let o = missed_variable(&whole(subject, "onto 0").text())?;
    Some((o, confirmed(&whole(subject, &format!("onto {o}")))?))
}
