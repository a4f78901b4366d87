//! Derivatives, determinants and their logarithms.

use super::evidence::Evidence;
use super::report::{Claim, Topic};
use super::subject::{Subject, error, number, shown};
use crate::bijection::Domain;

const TOLERANCE: f64 = 1e-9;

pub(super) fn claims(subject: &mut Subject) -> Vec<Claim> {
    let Ok(derived) = subject.log_det() else { return Vec::new() };
    let mut claims = vec![against_differences(subject)];
    let log_dets = subject.values(&[derived], &subject.points).swap_remove(0);
    claims.push(determinant(subject, &log_dets));
    claims.push(against_lu(subject, &log_dets));
    claims.extend(given(subject));
    claims
}

/// Tangents against central differences of the values alone, at points where f is smooth.
fn against_differences(subject: &mut Subject) -> Claim {
    const POINTS: usize = 16;
    let d = subject.d;
    let statement = "J by tangents is J by central differences";
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
            // A kink or a jump near the point is the usual reason, not a wrong rule.
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

/// How far tangents and differences may be apart, by the size of J.
const ALLOWED: f64 = 1e-5;

/// The entry of J at which tangents and differences are furthest apart.
struct Difference {
    row: usize,
    off: f64,
    place: usize,
    entry: f64,
    difference: f64,
}

/// Of the whole Jacobian at one point; `None` where two step sizes disagree, since a kink or a jump is near.
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
            // Fourth order: two central differences, with the error of second order gone.
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

/// How far one may step from z and stay in the domain, at most 1.
fn room(domain: &Domain, z: f64) -> f64 {
    match domain {
        Domain::Circle => 1.0,
        _ => {
            let (lower, upper) = domain.ends();
            (z - lower).min(upper - z).min(1.0)
        }
    }
}

/// det J is nowhere 0 and has one sign: otherwise f folds.
fn determinant(subject: &mut Subject, log_dets: &[f64]) -> Claim {
    let statement = "det J is not 0 and has one sign";
    let seed = Some(subject.seed);
    if let Some(row) = log_dets.iter().position(|value| *value == f64::NEG_INFINITY) {
        let witness = format!("At z = {}: det J = 0.", shown(subject.point(row)));
        return Claim::new(Topic::Determinant, statement, Evidence::Refuted { witness });
    }
    // A product of signs that are each proven is one.
    let signs: Option<Vec<f64>> = subject.layers.iter().map(|layer| layer.sign).collect();
    if let Some(signs) = signs {
        let sign = if signs.iter().product::<f64>() < 0.0 { "negative" } else { "positive" };
        let reason =
            "the diagonal of a triangular J has one sign for all inputs and parameters (bounds)".to_string();
        return Claim::new(Topic::Determinant, format!("{statement} ({sign})"), Evidence::Proven { reason });
    }
    let points = subject.dense_points();
    if points == 0 {
        let reason = format!(
            "det J is not 0 at {} points; its sign needs whole Jacobians, and d = {} is too large for them",
            subject.count(),
            subject.d
        );
        return Claim::new(Topic::Determinant, statement, Evidence::NotProven { reason });
    }
    let mut first: Option<(usize, f64)> = None;
    for row in 0..points {
        let z = subject.point(row).to_vec();
        let sign = subject.lu(&z).sign();
        let (known, expected) = *first.get_or_insert((row, sign));
        if sign != expected {
            let det = |log: f64, sign: f64| number(sign * log.exp());
            let witness = format!(
                "det J = {} at z = {} but {} at z = {}: between two such points a continuous f folds or collapses.",
                det(log_dets[known], expected),
                shown(subject.point(known)),
                det(log_dets[row], sign),
                shown(&z)
            );
            return Claim::new(Topic::Determinant, statement, Evidence::Refuted { witness });
        }
    }
    let sign = if first.is_some_and(|(_, sign)| sign < 0.0) { "negative" } else { "positive" };
    let evidence = Evidence::Checked { points, worst: 0.0, tolerance: 0.0, seed };
    Claim::new(Topic::Determinant, format!("{statement} ({sign})"), evidence)
}

/// The derived log-determinant against an LU of the whole Jacobian.
fn against_lu(subject: &mut Subject, log_dets: &[f64]) -> Claim {
    let statement = "ln|det J| as derived is that of an LU of the whole J";
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
    let evidence = if off <= TOLERANCE {
        Evidence::Checked { points, worst: off, tolerance: TOLERANCE, seed: Some(subject.seed) }
    } else {
        let at = shown(subject.point(row));
        let witness = format!("At z = {at}: {} as derived, {} by LU.", number(log_dets[row]), number(dense));
        Evidence::Refuted { witness }
    };
    Claim::new(Topic::LogDet, statement, evidence)
}

/// Log-determinants that layers give by hand, against the derived ones.
fn given(subject: &Subject) -> Vec<Claim> {
    let single = subject.layers.len() == 1;
    let layers = subject.layers.iter();
    let comparable = layers.filter_map(|layer| Some((layer, layer.given?, layer.log_det.clone().ok()?)));
    comparable
        .map(|(layer, given, derived)| {
            let of = if single { String::new() } else { format!("{}: ", layer.name) };
            let values = subject.values(&[layer.z, given, derived], &subject.points);
            let evidence = compare(subject, &values[0], &values[1], &values[2]);
            Claim::new(Topic::GivenLogDet, format!("{of}the log_det given by hand is ln|det J|"), evidence)
        })
        .collect()
}

fn compare(subject: &Subject, z: &[f64], given: &[f64], derived: &[f64]) -> Evidence {
    let rows = given.iter().zip(derived);
    let wrong = |(given, derived): (&f64, &f64)| {
        let off = error(*given, *derived);
        off.is_nan() || off > TOLERANCE
    };
    let Some(row) = rows.clone().position(wrong) else {
        let worst = rows.map(|(given, derived)| error(*given, *derived)).fold(0.0, f64::max);
        return Evidence::Checked {
            points: given.len(),
            worst,
            tolerance: TOLERANCE,
            seed: Some(subject.seed),
        };
    };
    let all = |holds: &dyn Fn(f64, f64) -> bool| rows.clone().all(|(given, derived)| holds(*given, *derived));
    let close = |a: f64, b: f64| error(a, b) <= TOLERANCE;
    let (gap, factor) = (given[row] - derived[row], given[row] / derived[row]);
    let hint = if all(&|given, derived| close(given, -derived)) {
        "Everywhere it is minus the derived one: the sign is turned round (that is ln|det J| of f⁻¹)."
    } else if given[row].is_nan() && all(&|given, derived| given.is_nan() || close(given, derived)) {
        "It is NaN where det J < 0 and right elsewhere: the absolute value is missing, ln|det J|."
    } else if all(&|given, derived| close(given - derived, gap)) {
        "It is off by the same amount everywhere: a constant term is missing or one too many."
    } else if all(&|given, derived| close(given, derived * factor)) {
        "It is the derived one times a constant factor: a sum over the wrong axis, or a count."
    } else {
        ""
    };
    let d = subject.d;
    let at = shown(&z[row * d..(row + 1) * d]);
    let mut witness =
        format!("At z = {at}: {} by hand, {} derived.", number(given[row]), number(derived[row]));
    if !hint.is_empty() {
        witness.push('\n');
        witness.push_str(hint);
    }
    Evidence::Refuted { witness }
}
