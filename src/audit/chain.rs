//! The determinant chain rule: ln|det J| of a composition is the sum over its layers, each at its own input.

use super::evidence::Evidence;
use super::report::{Claim, Topic};
use super::subject::{Subject, error, number, shown};

const TOLERANCE: f64 = 1e-9;

pub(super) fn claims(subject: &mut Subject) -> Option<Claim> {
    if subject.layers.len() < 2 {
        return None;
    }
    let terms: Result<Vec<_>, _> = subject.layers.iter().map(|layer| layer.log_det.clone()).collect();
    let terms = terms.ok()?;
    let statement = format!("ln|det J| of the whole is the sum over its {} layers", terms.len());
    let points = subject.dense_points();
    if points == 0 {
        let reason = format!("d = {} is too large for whole Jacobians", subject.d);
        return Some(Claim::new(Topic::ChainRule, statement, Evidence::NotProven { reason }));
    }
    let shares = subject.values(&terms, &subject.points);
    let mut worst = (0.0, 0, 0.0, 0.0);
    for row in 0..points {
        let z = subject.point(row).to_vec();
        let whole = subject.lu(&z).log_abs_det();
        let sum: f64 = shares.iter().map(|share| share[row]).sum();
        let off = error(sum, whole);
        if off > worst.0 || off.is_nan() {
            worst = (off, row, sum, whole);
        }
    }
    let (off, row, sum, whole) = worst;
    let tolerance = TOLERANCE + subject.tolerance();
    let evidence = if off <= tolerance {
        Evidence::Checked { points, worst: off, tolerance, seed: Some(subject.seed) }
    } else {
        let list: Vec<String> = shares.iter().map(|share| number(share[row])).collect();
        let witness = format!(
            "At z = {}: {} = {}, but {} for the whole.",
            shown(subject.point(row)),
            list.join(" + "),
            number(sum),
            number(whole)
        );
        Evidence::NotProven { reason: format!("suspicious: {witness}") }
    };
    Some(Claim::new(Topic::ChainRule, statement, evidence))
}
