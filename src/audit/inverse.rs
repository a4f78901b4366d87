//! The inverse, derived or given by a layer: round trips in both directions, its own log-determinant, and
//! whether an inverse written by hand equals the derived one.

use super::AuditOptions;
use super::evidence::Evidence;
use super::log_det::MORE_STEPS;
use super::proofs::{LayerProver, layers_fit};
use super::report::{Claim, Topic};
use super::subject::{Subject, error, number, shown};
use crate::bijection::{Bijection, BijectionError, Composition, Domain, derived_inverse, record_inverse};
use crate::jacobian::{Structure, log_det, map};
use crate::program::{Output, Program};
use crate::tape::{NodeId, Shape, Tape};

/// Round trips lose digits where f is flat; the tolerance is therefore also relative to the size of J and
/// J⁻¹.
const TOLERANCE: f64 = 1e-8;

pub(super) fn claims(bijection: &dyn Bijection, subject: &mut Subject, decide_only: bool) -> Vec<Claim> {
    // Of a solver both directions are approximate: what is said is said of its steps.
    let by = subject.method().map_or(String::new(), |method| format!(", both by {method}"));
    let statement = &format!("f⁻¹(f(z)) = z{by}");
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(subject.d));
    let z = match record_inverse(bijection, x) {
        Ok(z) => z,
        Err(error @ BijectionError::NoInverse { .. }) => {
            let reason = format!("{error}.");
            return vec![Claim::new(Topic::Inverse, statement, Evidence::NotProven { reason })];
        }
        // A wrong structure is a claim of its own; here it only means that there is no order to solve in.
        Err(BijectionError::Structure { layer, .. }) => {
            let reason =
                format!("{layer}: an inverse is derived in the order of its structure, which is not proven.");
            return vec![Claim::new(Topic::Inverse, statement, Evidence::NotProven { reason })];
        }
        Err(error) => {
            let witness = error.to_string();
            return vec![Claim::new(Topic::Inverse, statement, Evidence::Refuted { witness })];
        }
    };
    let mut inverse = Program::compile(&tape, &[x.id()], &[Output::Each(z.id())]);
    if let Err(error) = inverse.load(&subject.parameters) {
        let reason = format!("f⁻¹ uses a parameter that forward does not declare: {error}");
        return vec![Claim::new(Topic::Inverse, statement, Evidence::NotProven { reason })];
    }
    let (points, count) = (subject.points.clone(), subject.count());
    let images = subject.values(&[subject.x], &points).swap_remove(0);
    let back = inverse.run(&[&images], count).expect("whole rows").swap_remove(0);
    let there = round_trip(subject, ("z", &subject.domain), "f⁻¹(f(z))", &points, &back);
    let held = there.holds();
    let everywhere = identity(subject, true).map(|proof| (statement.to_string(), proof));
    let identity = everywhere.or_else(|| {
        let partial = format!("{statement}, wherever f⁻¹ is defined");
        identity(subject, false).map(|proof| (partial, proof))
    });
    let mut claims = vec![match identity {
        Some((statement, (reason, certificates))) => {
            let evidence = Evidence::Proven { reason };
            Claim::certified(Topic::Inverse, statement, evidence, certificates)
        }
        None => decided(subject, Topic::Inverse, statement, there, (&tape, x.id(), z.id())),
    }];
    claims.extend(given(bijection, subject, &images));
    if decide_only {
        return claims;
    }
    // The other round trip starts from x that are not the images computed above.
    let others = perturbed_images(&images);
    let preimages = inverse.run(&[&others], count).expect("whole rows").swap_remove(0);
    if preimages.iter().all(|value| value.is_finite()) {
        let forth = subject.values(&[subject.x], &preimages).swap_remove(0);
        let evidence = match round_trip(subject, ("x", &subject.codomain), "f(f⁻¹(x))", &others, &forth) {
            Evidence::Refuted { witness } => Evidence::NotProven { reason: format!("suspicious: {witness}") },
            holds => holds,
        };
        claims.push(Claim::new(Topic::Inverse, format!("f(f⁻¹(x)) = x{by}"), evidence));
    }
    if held {
        // The dense route, whatever is declared, so that nothing from the forward side is reused.
        if let Ok(derived) = log_det(&tape, &map(&tape, x.id(), z.id()), &Structure::Dense) {
            let mut program = Program::compile(&tape, &[x.id()], &[Output::Each(derived.value.id())]);
            program.load(&subject.parameters).expect("an inverse has the parameters of forward");
            claims.extend(log_dets(subject, &images, &mut program));
        }
    }
    claims
}

/// Returns whether f⁻¹(f(z)) = z for every z, if the checker accepts it; looks at no other claim.
pub fn proven_identity(bijection: &dyn Bijection) -> Option<Evidence> {
    let settings = AuditOptions { points: 1, decide_only: true, ..AuditOptions::default() };
    let subject = Subject::new(bijection, &settings).ok()?;
    let (reason, _) = identity(&subject, true)?;
    Some(Evidence::Proven { reason })
}

/// Proves f⁻¹(f(z)) = z for every layer, by the checker.
fn identity(subject: &Subject, everywhere: bool) -> Option<(String, Vec<String>)> {
    if !layers_fit(subject) {
        return None;
    }
    let proofs = subject.layers.iter().map(|layer| LayerProver::of(subject, layer).identity(everywhere));
    let proofs = proofs.collect::<Option<Vec<_>>>()?;
    let reason = proofs.first()?.reason.clone();
    Some((reason, proofs.iter().map(|proof| proof.certificate.text()).collect()))
}

/// A failed round trip is refuted only if it also fails in high precision.
fn decided(
    subject: &Subject,
    topic: Topic,
    statement: &str,
    found: Evidence,
    inverse: (&Tape, NodeId, NodeId),
) -> Claim {
    let Evidence::Refuted { witness } = found else { return Claim::new(topic, statement, found) };
    if let Some(method) = subject.method() {
        let reason = format!("{witness} Both directions are computed by {method}; {MORE_STEPS}.");
        return Claim::new(topic, statement, Evidence::NotProven { reason });
    }
    let certificate = (0..subject.count().min(TRIED))
        .find_map(|row| super::witness::inverse(subject, subject.point(row), inverse));
    match certificate {
        Some(certificate) => {
            Claim::certified(topic, statement, Evidence::Refuted { witness }, vec![certificate])
        }
        None => {
            let reason = format!(
                "suspicious: {witness} More digits do not show that it is wrong: f may be too flat there for \
                 f64."
            );
            Claim::new(topic, statement, Evidence::NotProven { reason })
        }
    }
}

/// Maximum number of points at which the checker is asked to refute an inverse.
const TRIED: usize = 16;

/// Compares an inverse written by hand with the derived one: equal formulas, or equal values at every image.
fn given(bijection: &dyn Bijection, subject: &Subject, images: &[f64]) -> Option<Claim> {
    // An `Inverse` is defined by its other side; a composition has the inverses of its layers.
    if !matches!(bijection.composition(), Composition::Layer | Composition::Continuous(_)) {
        return None;
    }
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(subject.d));
    let by_hand = bijection.inverse(x)?;
    let derived = derived_inverse(bijection, x).ok()?;
    let statement = "the hand-written f⁻¹ equals the derived one";
    if let [layer] = subject.layers.as_slice() {
        let prover = LayerProver::of(subject, layer);
        let proof = prover.same_inverse(true).map(|proof| (statement.to_string(), proof)).or_else(|| {
            Some((format!("{statement}, wherever both are defined"), prover.same_inverse(false)?))
        });
        if let Some((statement, proof)) = proof {
            let evidence = Evidence::Proven { reason: proof.reason };
            let certificates = vec![proof.certificate.text()];
            return Some(Claim::certified(Topic::GivenInverse, statement, evidence, certificates));
        }
    }
    let outputs = [by_hand, derived].map(|z| Output::Each(z.id()));
    let mut program = Program::compile(&tape, &[x.id()], &outputs);
    program.load(&subject.parameters).expect("an inverse has the parameters of forward");
    let both = program.run(&[images], subject.count()).expect("whole rows");
    let mut worst = (0.0, 0);
    for (place, (a, b)) in both[0].iter().zip(&both[1]).enumerate() {
        // Where Newton's method does not converge, the round trips have already reported it.
        let off = if b.is_nan() { 0.0 } else { error(*a, *b) };
        if off > worst.0 || off.is_nan() {
            worst = (off, place);
        }
    }
    let (off, place) = worst;
    let row = place / subject.d;
    let evidence = if off <= TOLERANCE {
        let points = subject.count();
        Evidence::Checked { points, worst: off, tolerance: TOLERANCE, seed: Some(subject.seed) }
    } else {
        let witness = format!(
            "At x = {}: by hand z[{}] = {}, derived {}.",
            shown(&images[row * subject.d..(row + 1) * subject.d]),
            place % subject.d,
            number(both[0][place]),
            number(both[1][place])
        );
        Evidence::Refuted { witness }
    };
    Some(decided(subject, Topic::GivenInverse, statement, evidence, (&tape, x.id(), by_hand.id())))
}

/// Returns points near the images; the change is relative, so that most signs and bounded ranges are kept.
fn perturbed_images(images: &[f64]) -> Vec<f64> {
    images.iter().enumerate().map(|(k, x)| x * (1.0 - 1e-3 * ((k % 7) as f64 + 1.0) / 7.0)).collect()
}

fn round_trip(
    subject: &Subject,
    (name, domain): (&str, &Domain),
    round: &str,
    from: &[f64],
    back: &[f64],
) -> Evidence {
    let (d, mut worst) = (subject.d, (0.0, 0));
    for (place, (a, b)) in from.iter().zip(back).enumerate() {
        let off = error(a + domain.difference(place % d, *b, *a), *a);
        if off > worst.0 || off.is_nan() {
            worst = (off, place);
            if off.is_nan() {
                break;
            }
        }
    }
    let (off, place) = worst;
    let tolerance = TOLERANCE + subject.tolerance();
    if off <= tolerance {
        let points = subject.count();
        return Evidence::Checked { points, worst: off, tolerance, seed: Some(subject.seed) };
    }
    let row = place / d;
    let witness = format!(
        "At {name} = {}: {round} = {}; variable {} comes back as {} instead of {}.",
        shown(&from[row * d..(row + 1) * d]),
        shown(&back[row * d..(row + 1) * d]),
        place % d,
        number(back[place]),
        number(from[place])
    );
    Evidence::Refuted { witness }
}

fn log_dets(subject: &mut Subject, images: &[f64], program: &mut Program<f64>) -> Option<Claim> {
    let points = subject.dense_points().min(16);
    let derived = subject.log_det().ok()?;
    if points == 0 {
        return None;
    }
    let forward = subject.values(&[derived], &subject.points[..points * subject.d]).swap_remove(0);
    let inverse = program.run(&[&images[..points * subject.d]], points).expect("whole rows").swap_remove(0);
    let mut worst = (0.0, 0);
    for row in 0..points {
        let off = error(inverse[row], -forward[row]);
        if off > worst.0 || off.is_nan() {
            worst = (off, row);
        }
    }
    let (off, row) = worst;
    let tolerance = TOLERANCE + subject.tolerance();
    let evidence = if off <= tolerance {
        Evidence::Checked { points, worst: off, tolerance, seed: Some(subject.seed) }
    } else {
        let witness = format!(
            "At z = {}: ln|det J_f| = {}, but ln|det J_f⁻¹| = {}.",
            shown(subject.point(row)),
            number(forward[row]),
            number(inverse[row])
        );
        Evidence::NotProven { reason: format!("suspicious: {witness}") }
    };
    Some(Claim::new(Topic::InverseLogDet, "ln|det J_f⁻¹(x)| = -ln|det J_f(z)|", evidence))
}
