//! Codomain: the images lie in it, and fill it.
//!
//! A density is claimed on the codomain: it is the density of f(z) only if f maps into the codomain, and
//! integrates to 1 over it only if f maps onto it.

use super::evidence::Evidence;
use super::proofs::{LayerProver, has_sets_of};
use super::report::{Claim, Topic};
use super::subject::{Subject, number, shown};
use super::witness;

/// Returns the claims for a map that is not known to be a bijection onto its codomain.
pub(super) fn claims(subject: &mut Subject) -> Vec<Claim> {
    let (domain, codomain) = (subject.domain.written(subject.d), subject.codomain.written(subject.d));
    let lies = format!("f(z) lies in {codomain} for every z in {domain}");
    let fills = format!("f maps onto {codomain}");
    vec![lies_in(subject, lies), reaches(subject, fills)]
}

fn lies_in(subject: &mut Subject, statement: String) -> Claim {
    // A proof is about each variable by itself.
    if !subject.codomain.couples()
        && let [layer] = subject.layers.as_slice()
        && has_sets_of(subject, layer)
        && let Some(proof) = LayerProver::of(subject, layer).range()
    {
        let evidence = Evidence::Proven { reason: proof.reason };
        return Claim::certified(Topic::Codomain, statement, evidence, vec![proof.certificate.text()]);
    }
    let x = subject.values(&[subject.x], &subject.points).swap_remove(0);
    let d = subject.d;
    for (row, image) in x.chunks(d.max(1)).enumerate() {
        let outside = match subject.codomain.couples() {
            false => (0..d).find(|i| image[*i].is_finite() && !subject.codomain.contains_at(*i, image[*i])),
            true => subject.codomain.first_outside(image),
        };
        let Some(i) = outside else { continue };
        let z = subject.point(row).to_vec();
        let shown = format!("At z = {}: x[{i}] = {}.", shown(&z), number(image[i]));
        return match witness::outside(subject, i, &z) {
            Some(certificate) => {
                let evidence = Evidence::Refuted { witness: shown };
                Claim::certified(Topic::Codomain, statement, evidence, vec![certificate])
            }
            // Only by rounding: the value rounds to an end of the codomain.
            None => {
                let reason = format!("suspicious: {shown} More digits do not show that it lies outside.");
                Claim::new(Topic::Codomain, statement, Evidence::NotProven { reason })
            }
        };
    }
    let points = subject.count();
    let evidence = Evidence::Checked { points, worst: 0.0, tolerance: 0.0, seed: Some(subject.seed) };
    Claim::new(Topic::Codomain, statement, evidence)
}

fn reaches(subject: &mut Subject, statement: String) -> Claim {
    let large = subject.layers.iter().any(|layer| LayerProver::of(subject, layer).is_large());
    if let Some((o, certificate)) = if large { None } else { witness::missed(subject) } {
        let witness = format!(
            "x[{o}] does not take every value in {}, by bounds of f over the whole domain: declare its \
             actual codomain.",
            subject.codomain.of(o)
        );
        let evidence = Evidence::Refuted { witness };
        return Claim::certified(Topic::Codomain, statement, evidence, vec![certificate]);
    }
    let reason = "neither an inverse nor limits at the ends of the domain show it".to_string();
    Claim::new(Topic::Codomain, statement, Evidence::NotProven { reason })
}
