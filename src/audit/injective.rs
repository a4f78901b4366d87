//! Injectivity and surjectivity: no two points have the same image, and every point of the codomain is an
//! image.
//!
//! Proven by the arguments of [`super::proofs`]. Otherwise the audit searches for a collision: for f(a) = y,
//! Newton's method from other starting points looks for b with f(b) = y. If it converges to b ≠ a, the
//! checker must confirm that the images are equal; if it does not, the pair is only reported as suspicious. A
//! search that finds nothing proves nothing.

use super::degenerate;
use super::evidence::Evidence;
use super::proofs::composition;
use super::report::{Claim, Topic};
use super::subject::{Subject, shown};
use super::witness;
use crate::bijection::Domain;

/// Newton's method needs the full Jacobian at every step.
const LARGEST: usize = 8;

/// Returns the claim, and whether f is known to map onto its codomain.
pub(super) fn claim(subject: &mut Subject) -> (Claim, bool) {
    let statement = "no two points have the same image";
    let composed = composition(subject);
    if let Ok((proof, onto)) = composed {
        let statement = match onto {
            true => format!(
                "f maps {} one-to-one onto {}",
                subject.domain.written(subject.d),
                subject.codomain.written(subject.d)
            ),
            false => statement.to_string(),
        };
        let evidence = Evidence::Proven { reason: proof.reason };
        return (
            Claim::certified(Topic::Injective, statement, evidence, vec![proof.certificate.text()]),
            onto,
        );
    }
    if subject.d > LARGEST {
        let searched =
            format!("pairs are searched for up to d = {LARGEST}; a proof needs bounds or an inverse");
        let reason = [searched].into_iter().chain(degenerate::told(subject)).collect::<Vec<_>>().join("\n");
        return (Claim::new(Topic::Injective, statement, Evidence::NotProven { reason }), false);
    }
    let refused = composed.err().unwrap_or_default();
    let count = subject.count();
    let searches = count.min(64);
    let mut suspicion = None;
    for k in 0..searches {
        let a = subject.point(k).to_vec();
        // Starting points near and far, in an order that covers every point.
        for other in [(k + 1) % count, (k + count / 2) % count] {
            let start = subject.point(other).to_vec();
            let Some((b, image)) = collision(subject, &a, start) else { continue };
            let pair = format!("z = {} and z = {}", shown(&a), shown(&b));
            if let Some(certificate) = witness::collision(subject, &a, &b) {
                let witness = format!("{pair} both go to x = {}.", shown(&image));
                let evidence = Evidence::Refuted { witness };
                return (Claim::certified(Topic::Injective, statement, evidence, vec![certificate]), false);
            }
            suspicion.get_or_insert(pair);
        }
    }
    let reason = match suspicion {
        Some(pair) => format!("suspicious at {pair}: in f64 both have the same image"),
        None => format!("{} searches found no pair; that is no proof", 2 * searches),
    };
    let mut reason = vec![reason];
    reason.extend(degenerate::told(subject));
    if !refused.is_empty() {
        reason.push(format!("The checker: {}", refused.join("; ")));
    }
    let reason = reason.join("\n");
    (Claim::new(Topic::Injective, statement, Evidence::NotProven { reason }), false)
}

/// Runs damped Newton from `start` towards f(b) = f(a); returns b if it differs from a.
fn collision(subject: &mut Subject, a: &[f64], start: Vec<f64>) -> Option<(Vec<f64>, Vec<f64>)> {
    let target = subject.forward(a);
    let scale = target.iter().fold(f64::MIN_POSITIVE, |largest, x| largest.max(x.abs()));
    let mut b = start;
    let mut residual = gap(&subject.forward(&b), &target);
    for _ in 0..60 {
        if residual <= 1e-14 * scale {
            break;
        }
        let mut step: Vec<f64> =
            subject.forward(&b).iter().zip(&target).map(|(x, target)| x - target).collect();
        subject.lu(&b).solve(&mut step);
        let mut length = 1.0;
        loop {
            let moved: Vec<f64> = b.iter().zip(&step).map(|(b, step)| b - length * step).collect();
            let next = match inside(&subject.domain, &moved) {
                true => gap(&subject.forward(&moved), &target),
                false => f64::INFINITY,
            };
            if next < residual {
                (b, residual) = (moved, next);
                break;
            }
            length *= 0.5;
            if length < 1e-6 {
                break;
            }
        }
        if length < 1e-6 {
            break;
        }
    }
    let apart = gap(&b, a) / a.iter().fold(f64::MIN_POSITIVE, |largest, z| largest.max(z.abs()));
    (residual <= 1e-10 * scale && apart > 1e-3).then_some((b, target))
}

fn inside(domain: &Domain, point: &[f64]) -> bool {
    point.iter().all(|value| value.is_finite()) && domain.contains(point)
}

/// Returns the largest difference of a coordinate.
fn gap(a: &[f64], b: &[f64]) -> f64 {
    let gap = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    gap.fold(0.0, |largest, gap| if gap.is_nan() { f64::INFINITY } else { largest.max(gap) })
}
