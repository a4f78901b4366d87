//! Derivatives, determinants and log-determinants.

use super::evidence::Evidence;
use super::proofs::{LayerProver, Proof, layers_fit};
use super::report::{Claim, Topic};
use super::subject::{Layer, Subject, error, number, shown};
use super::witness;
use crate::bijection::Domain;
use crate::tape::NodeId;

const TOLERANCE: f64 = 1e-9;

pub(super) fn claims(subject: &mut Subject, decide_only: bool) -> Vec<Claim> {
    let Ok(derived) = subject.log_det() else { return Vec::new() };
    let log_dets = subject.values(&[derived], &subject.points).swap_remove(0);
    let mut claims = Vec::new();
    if !decide_only {
        claims.push(against_differences(subject));
    }
    claims.extend(determinant(subject, &log_dets));
    if !decide_only {
        claims.push(against_lu(subject, &log_dets));
        claims.extend(accuracy(subject, &log_dets));
    }
    claims.extend(given(subject));
    if !decide_only {
        claims.extend(approximations(subject));
    }
    claims
}

/// Compares tangents with central differences of the values, at points where f is smooth.
fn against_differences(subject: &mut Subject) -> Claim {
    const POINTS: usize = 16;
    let d = subject.d;
    let statement = "J by tangents equals J by central differences";
    if subject.dense_points() == 0 {
        let reason = format!("d = {d} is too large for whole Jacobians");
        return Claim::new(Topic::Jacobian, statement, Evidence::NotProven { reason });
    }
    let rows = 0..subject.dense_points();
    let smooth: Vec<Difference> =
        rows.filter_map(|row| worst_difference(subject, row)).take(POINTS).collect();
    let points = smooth.len();
    let worst = smooth.into_iter().reduce(|a, b| if b.off > a.off || b.off.is_nan() { b } else { a });
    let evidence = match worst {
        None => {
            let reason = "there is a kink or a jump near every point: differences of two step sizes disagree";
            Evidence::NotProven { reason: reason.to_string() }
        }
        Some(Difference { off, .. }) if off <= ALLOWED => {
            Evidence::Checked { points, worst: off, tolerance: ALLOWED, seed: Some(subject.seed) }
        }
        Some(Difference { row, place, entry, difference, .. }) => {
            // The usual reason is a kink or a jump near the point, not a wrong rule.
            let reason = format!(
                "At z = {}: ∂x[{}]/∂z[{}] is {} by tangents but {} by differences; f may have a kink or a \
                 jump there",
                shown(subject.point(row)),
                place / d,
                place % d,
                number(entry),
                number(difference)
            );
            Evidence::NotProven { reason }
        }
    };
    Claim::new(Topic::Jacobian, statement, evidence)
}

/// Maximum difference between tangents and finite differences, relative to the size of J.
const ALLOWED: f64 = 1e-5;

/// The entry of J with the largest difference between tangents and finite differences.
struct Difference {
    row: usize,
    off: f64,
    place: usize,
    entry: f64,
    difference: f64,
}

/// Returns the worst entry of the full Jacobian at one point; `None` where two step sizes disagree, because a
/// kink or a jump is near.
fn worst_difference(subject: &mut Subject, row: usize) -> Option<Difference> {
    let d = subject.d;
    let z = subject.point(row).to_vec();
    let jacobian = subject.jacobian(&z);
    let scale = jacobian.iter().fold(1.0f64, |largest, entry| largest.max(entry.abs()));
    let steps: Vec<f64> = z.iter().enumerate().map(|(j, z)| 1e-3 * room(&subject.domain.of(j), *z)).collect();
    let mut moved = Vec::with_capacity(6 * d * d);
    for (j, step) in steps.iter().enumerate() {
        for factor in [2.0, -2.0, 1.0, -1.0, 0.5, -0.5] {
            moved.extend_from_slice(&z);
            let last = moved.len() - d;
            moved[last + j] += factor * step;
        }
    }
    let x = subject.values(&[subject.x], &moved).swap_remove(0);
    let mut worst = Difference { row, off: 0.0, place: 0, entry: 0.0, difference: 0.0 };
    for (j, step) in steps.iter().enumerate() {
        for i in 0..d {
            let at = |k: usize| x[(6 * j + k) * d + i];
            let [far, near, nearest] = [0, 2, 4].map(|k| subject.codomain.difference(i, at(k), at(k + 1)));
            // Fourth order: two central differences, extrapolated so that the second-order error cancels.
            let difference = (8.0 * near - far) / (12.0 * step);
            let finer = (8.0 * nearest - near) / (6.0 * step);
            if (difference - finer).abs() > ALLOWED * scale {
                return None;
            }
            let (place, entry) = (i * d + j, jacobian[i * d + j]);
            let off = (difference - entry).abs() / scale;
            if off > worst.off || off.is_nan() {
                worst = Difference { row, off, place, entry, difference };
            }
        }
    }
    Some(worst)
}

/// Returns the largest step from z, at most 1, that stays in the domain.
fn room(domain: &Domain, z: f64) -> f64 {
    match domain {
        Domain::Circle => 1.0,
        // The ends depend on the other variables: the points are not this near to one another but by chance.
        Domain::Ordered | Domain::Simplex => 1e-4,
        _ => {
            let (lower, upper) = domain.ends();
            (z - lower).min(upper - z).min(1.0)
        }
    }
}

/// Checks that det J is nowhere 0 and has one sign: where the sign changes, f folds and is not one-to-one.
fn determinant(subject: &mut Subject, log_dets: &[f64]) -> Vec<Claim> {
    let statement = "det J is not 0 and has one sign";
    if let Some((sign, reason, certificates)) = proven_sign(subject, |single, sign| single.determinant(sign))
    {
        let statement = format!("{statement} ({})", word(sign));
        let evidence = Evidence::Proven { reason };
        return vec![Claim::certified(Topic::Determinant, statement, evidence, certificates)];
    }
    let almost = |single: &LayerProver<'_>, sign: f64| {
        single.determinant(sign).or_else(|| single.determinant_almost_everywhere(sign))
    };
    // Of an inverse, preimages of sets of measure 0 are not looked at.
    if !subject.layers.iter().any(|layer| layer.leaf.is_inverse())
        && let Some((sign, reason, certificates)) = proven_sign(subject, almost)
    {
        let everywhere = Evidence::NotProven {
            reason: "it may be 0, or have no value, on a set of measure 0: ln|det J| is not finite there"
                .to_string(),
        };
        let topic = Topic::DeterminantAlmostEverywhere;
        let but = format!("det J is {} but on a set of measure 0", word(sign));
        return vec![
            Claim::new(Topic::Determinant, statement, everywhere),
            Claim::certified(topic, but, Evidence::Proven { reason }, certificates),
        ];
    }
    vec![determinant_at_points(subject, statement, log_dets)]
}

fn word(sign: f64) -> &'static str {
    if sign < 0.0 { "negative" } else { "positive" }
}

/// Compares the signs of det J at points, and looks for points where it is 0.
fn determinant_at_points(subject: &mut Subject, statement: &str, log_dets: &[f64]) -> Claim {
    if let Some(row) = log_dets.iter().position(|value| *value == f64::NEG_INFINITY) {
        let z = subject.point(row).to_vec();
        if let Some(certificate) = witness::determinant(subject, &z, None) {
            let evidence = Evidence::Refuted { witness: format!("At z = {}: det J = 0.", shown(&z)) };
            return Claim::certified(Topic::Determinant, statement, evidence, vec![certificate]);
        }
    }
    let points = subject.dense_points();
    if points == 0 {
        let reason = format!(
            "its sign needs whole Jacobians, and d = {} is too large for them at {} points",
            subject.d,
            subject.count()
        );
        return Claim::new(Topic::Determinant, statement, Evidence::NotProven { reason });
    }
    let mut first: Option<(usize, f64)> = None;
    let mut suspicion = None;
    let mut counted = 0;
    for row in 0..points {
        let z = subject.point(row).to_vec();
        let sign = subject.lu(&z).sign();
        // 0 and NaN may come from underflow, overflow or 0·∞: they prove nothing.
        if sign.is_nan() || sign == 0.0 {
            suspicion.get_or_insert_with(|| format!("in f64 det J is 0 or NaN at z = {}", shown(&z)));
            continue;
        }
        counted += 1;
        let (known, expected) = *first.get_or_insert((row, sign));
        if sign != expected {
            let other = subject.point(known).to_vec();
            let pair = format!(
                "{} at z = {} but {} at z = {}",
                word(expected),
                shown(&other),
                word(sign),
                shown(&z)
            );
            if let Some(certificate) = witness::determinant(subject, &other, Some(&z)) {
                let witness =
                    format!("det J is {pair}: between two such points a continuous f folds or collapses.");
                let evidence = Evidence::Refuted { witness };
                return Claim::certified(Topic::Determinant, statement, evidence, vec![certificate]);
            }
            suspicion = Some(format!("in f64 det J is {pair}"));
        }
    }
    if let Some(suspicion) = suspicion {
        let reason = format!("suspicious: {suspicion}");
        return Claim::new(Topic::Determinant, statement, Evidence::NotProven { reason });
    }
    let sign = first.map_or(1.0, |(_, sign)| sign);
    let evidence =
        Evidence::Checked { points: counted, worst: 0.0, tolerance: 0.0, seed: Some(subject.seed) };
    Claim::new(Topic::Determinant, format!("{statement} ({})", word(sign)), evidence)
}

/// Returns the sign of det J if it is proven for every layer; the sign of the product follows.
///
/// If each layer has its sign almost everywhere only, the product has: the points that an earlier layer maps into a set of
/// measure 0 are one of measure 0, as its det J is not 0 almost everywhere.
fn proven_sign(
    subject: &mut Subject,
    prove: impl Fn(&LayerProver<'_>, f64) -> Option<Proof>,
) -> Option<(f64, String, Vec<String>)> {
    let likely = match (subject.layers.len(), subject.dense_points()) {
        (1, 1..) => {
            let z = subject.point(0).to_vec();
            subject.lu(&z).sign()
        }
        _ => 1.0,
    };
    if !layers_fit(subject) {
        return None;
    }
    let mut product = 1.0;
    let (mut reasons, mut certificates): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for layer in &subject.layers {
        if layer.log_det.is_err() {
            return None;
        }
        let single = LayerProver::of(subject, layer);
        let signs = if likely < 0.0 { [-1.0, 1.0] } else { [1.0, -1.0] };
        let (sign, proof) = signs.iter().find_map(|sign| Some((sign, prove(&single, *sign)?)))?;
        product *= sign;
        certificates.push(proof.certificate.text());
        if !reasons.contains(&proof.reason) {
            reasons.push(proof.reason);
        }
    }
    Some((product, reasons.join("; "), certificates))
}

/// Measures how many digits ln|det J| keeps in f64, compared with the checker's precision.
fn accuracy(subject: &mut Subject, log_dets: &[f64]) -> Option<Claim> {
    let statement = "ln|det J| is accurate in f64";
    if subject.method().is_some() {
        // The discretisation error is far larger than rounding.
        return None;
    }
    let found = log_abs_dets(subject, 0)?;
    let (mut worst, mut points) = ((0.0, 0, 0.0), 0);
    for (row, bounds) in found {
        let Some([low, high]) = bounds else { continue };
        points += 1;
        let truth = 0.5 * (low + high);
        let off = error(log_dets[row], truth);
        if off > worst.0 || off.is_nan() {
            worst = (off, row, truth);
        }
    }
    let (off, row, truth) = worst;
    let evidence = match () {
        () if points == 0 => return None,
        () if off <= ACCURATE => {
            Evidence::Checked { points, worst: off, tolerance: ACCURATE, seed: Some(subject.seed) }
        }
        () => {
            let lost = if off.is_finite() { (off / f64::EPSILON).log10().clamp(0.0, 16.0) } else { 16.0 };
            let reason = format!(
                "{lost:.0} digits are lost at z = {}: {} in f64, {} with 58 digits. The formula is correct \
                 but inaccurate in f64 as written; rewrite it",
                shown(subject.point(row)),
                number(log_dets[row]),
                number(truth)
            );
            Evidence::NotProven { reason }
        }
    };
    Some(Claim::new(Topic::Accuracy, statement, evidence))
}

/// Relative error up to which digits count as kept: the rounding error of a few hundred terms.
const ACCURATE: f64 = 1e-12;

/// Compares the derived log-determinant with an LU decomposition of the full Jacobian.
fn against_lu(subject: &mut Subject, log_dets: &[f64]) -> Claim {
    let method = subject.method();
    let statement = match method {
        None => "the derived ln|det J| equals that of an LU of the whole J",
        Some(_) => "the integrated ln|det J| equals that of an LU of the whole J",
    };
    let tolerance = TOLERANCE + subject.tolerance();
    let points = subject.dense_points();
    if points == 0 {
        let reason = format!("d = {} is too large for whole Jacobians", subject.d);
        return Claim::new(Topic::LogDet, statement, Evidence::NotProven { reason });
    }
    let mut worst = (0.0, 0, 0.0);
    for (row, derived) in log_dets.iter().enumerate().take(points) {
        let z = subject.point(row).to_vec();
        let dense = subject.lu(&z).log_abs_det();
        let off = error(*derived, dense);
        if off > worst.0 || off.is_nan() {
            worst = (off, row, dense);
        }
    }
    let (off, row, dense) = worst;
    let evidence = if off <= tolerance {
        Evidence::Checked { points, worst: off, tolerance, seed: Some(subject.seed) }
    } else if let Some(method) = method {
        let reason = format!(
            "at z = {}: {} by {method}, but {} for the map that the steps make; {MORE_STEPS}",
            shown(subject.point(row)),
            number(log_dets[row]),
            number(dense)
        );
        Evidence::NotProven { reason }
    } else {
        against_digits(subject, log_dets, (row, dense))
    };
    Claim::new(Topic::LogDet, statement, evidence)
}

/// Advice where the solver's steps are too coarse.
pub(super) const MORE_STEPS: &str =
    "more steps, or the exact trace where it is estimated, reduce the difference";

/// Where an LU in f64 disagrees, decides by high-precision evaluation which of the two lost digits.
fn against_digits(subject: &mut Subject, log_dets: &[f64], (row, dense): (usize, f64)) -> Evidence {
    let at = shown(subject.point(row));
    let told = format!("at z = {at}: {} as derived, {} by LU in f64", number(log_dets[row]), number(dense));
    let Some(found) = log_abs_dets(subject, row) else {
        return Evidence::NotProven { reason: format!("suspicious {told}") };
    };
    // The first of them is the point of the disagreement.
    let known = found.first().is_some_and(|(_, bounds)| bounds.is_some());
    let (mut worst, mut points) = (0.0f64, 0);
    for (row, bounds) in found {
        let Some([low, high]) = bounds else { continue };
        points += 1;
        worst = worst.max(error(log_dets[row], 0.5 * (low + high)));
    }
    match known && worst <= TOLERANCE {
        true => Evidence::Checked { points, worst, tolerance: TOLERANCE, seed: Some(subject.seed) },
        false => Evidence::NotProven { reason: format!("suspicious {told}") },
    }
}

/// Compares log-determinants given by layers with the derived ones.
fn given(subject: &Subject) -> Vec<Claim> {
    let single = subject.layers.len() == 1;
    let layers = subject.layers.iter();
    let comparable = layers.filter_map(|layer| Some((layer, layer.given?, layer.log_det.clone().ok()?)));
    comparable
        .map(|(layer, given, derived)| {
            let of = if single { String::new() } else { format!("{}: ", layer.name) };
            let values = subject.values(&[layer.z, given, derived], &subject.points);
            let (evidence, certificate) =
                compare(subject, (layer, given), &values[0], &values[1], &values[2]);
            let statement = format!("{of}the hand-written log_det is ln|det J|");
            Claim::certified(Topic::GivenLogDet, statement, evidence, certificate.into_iter().collect())
        })
        .collect()
}

/// Compares the layers that are quadratures with the integrals that they stand for.
fn approximations(subject: &Subject) -> Vec<Claim> {
    const ALLOWED: f64 = 1e-3;
    let single = subject.layers.len() == 1;
    let layers = subject.layers.iter();
    let comparable = layers.filter_map(|layer| Some((layer, layer.exact?, layer.log_det.clone().ok()?)));
    comparable
        .map(|(layer, exact, derived)| {
            let of = if single { String::new() } else { format!("{}: ", layer.name) };
            let values = subject.values(&[layer.z, exact, derived], &subject.points);
            let off = |row: usize| (values[1][row] - values[2][row]).abs();
            // A slope below 0 has no logarithm: the map folds.
            let worse = |a: usize, b: usize| if off(b) > off(a) || off(b).is_nan() { b } else { a };
            let row = (0..values[1].len()).reduce(worse).unwrap_or(0);
            let evidence = match off(row) {
                worst if worst <= ALLOWED => Evidence::Checked {
                    points: values[1].len(),
                    worst,
                    tolerance: ALLOWED,
                    seed: Some(subject.seed),
                },
                _ => Evidence::NotProven {
                    reason: format!(
                        "at z = {}: {} computed, {} of the integral: more nodes bring them together; ln p is that of what is \
                         computed",
                        shown(&values[0][row * subject.d..(row + 1) * subject.d]),
                        number(values[2][row]),
                        number(values[1][row])
                    ),
                },
            };
            let statement = format!("{of}ln|det J| of the quadrature is that of the integral");
            Claim::new(Topic::Approximation, statement, evidence)
        })
        .collect()
}

fn compare(
    subject: &Subject,
    (layer, formula): (&Layer<'_>, NodeId),
    z: &[f64],
    given: &[f64],
    derived: &[f64],
) -> (Evidence, Option<String>) {
    let rows = given.iter().zip(derived);
    let (d, tolerance) = (subject.d, subject.log_det_tolerance);
    let off = |row: usize| error(given[row], derived[row]);
    let wrong: Vec<usize> =
        (0..given.len()).filter(|row| off(*row).is_nan() || off(*row) > tolerance).collect();
    if wrong.is_empty() {
        let worst = (0..given.len()).map(off).fold(0.0, f64::max);
        let points = given.len();
        return (Evidence::Checked { points, worst, tolerance, seed: Some(subject.seed) }, None);
    }
    // At the points of disagreement, high precision decides which of the two is wrong.
    let point = |row: usize| &z[row * d..(row + 1) * d];
    let confirmed = wrong
        .iter()
        .take(TRIED)
        .find_map(|row| Some((*row, witness::log_det(subject, layer, formula, point(*row))?)));
    let Some((row, certificate)) = confirmed else {
        let row = wrong[0];
        let reason = format!(
            "suspicious at z = {}: {} by hand, {} derived; more digits show neither to be wrong",
            shown(point(row)),
            number(given[row]),
            number(derived[row])
        );
        return (Evidence::NotProven { reason }, None);
    };
    let all = |holds: &dyn Fn(f64, f64) -> bool| rows.clone().all(|(given, derived)| holds(*given, *derived));
    let close = |a: f64, b: f64| error(a, b) <= tolerance;
    let (gap, factor) = (given[row] - derived[row], given[row] / derived[row]);
    let hint = if all(&|given, derived| close(given, -derived)) {
        "Everywhere it is the negative of the derived one: this is ln|det J| of f⁻¹."
    } else if given[row].is_nan() && all(&|given, derived| given.is_nan() || close(given, derived)) {
        "It is NaN where det J < 0 and right elsewhere: the absolute value is missing, ln|det J|."
    } else if all(&|given, derived| close(given - derived, gap)) {
        "It is off by the same amount everywhere: a constant term is missing or superfluous."
    } else if all(&|given, derived| close(given, derived * factor)) {
        "It is the derived one times a constant factor: probably a sum over the wrong axis, or a factor such \
         as d."
    } else {
        ""
    };
    let at = shown(point(row));
    let mut witness =
        format!("At z = {at}: {} by hand, {} derived.", number(given[row]), number(derived[row]));
    if !hint.is_empty() {
        witness.push('\n');
        witness.push_str(hint);
    }
    (Evidence::Refuted { witness }, Some(certificate))
}

/// Maximum number of points at which the checker is asked to refute a formula.
const TRIED: usize = 8;

/// Programs with more nodes are not evaluated in high precision.
const MOST_NODES: usize = 20_000;

/// Computes ln|det J| in the checker's precision, at the points from `first` on, then at those before it;
/// for large programs at the first of these only. `None` where that would be too expensive.
fn log_abs_dets(subject: &Subject<'_>, first: usize) -> Option<Vec<(usize, Option<[f64; 2]>)>> {
    if subject.x.index() > MOST_NODES || subject.layers.len() > 64 {
        return None;
    }
    let mut total: Option<Vec<Option<[f64; 2]>>> = None;
    for layer in &subject.layers {
        let single = super::proofs::LayerProver::of(subject, layer);
        if single.is_large() {
            return None;
        }
        let mut rows = subject.values(&[layer.z], &subject.points).swap_remove(0);
        rows.rotate_left(first * subject.d);
        let text = super::witness::evaluation(subject, &single).text();
        let found = crate::checker::log_abs_det(&text, &rows).ok()?;
        total = Some(match total {
            None => found,
            Some(sum) => {
                let pair =
                    |(a, b): (Option<[f64; 2]>, Option<[f64; 2]>)| Some([a?[0] + b?[0], a?[1] + b?[1]]);
                sum.into_iter().zip(found).map(pair).collect()
            }
        });
    }
    let rows = (first..subject.count()).chain(0..first);
    Some(rows.zip(total?).collect())
}
