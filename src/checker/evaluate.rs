//! High-precision values at points, to compare values in f64 with.

use super::interval::{Interval, Num, number};
use super::map::{Map, NONE, forward};
use super::range::Ranges;
use super::refute::{all_missed, interval_determinant, jacobian};
use super::rejection::{Rejection, reject};
use super::scalar::{Id, Scalar};
use super::slope::slope;
use super::text::{Certificate, read};
use super::triangular::structure;

/// Maps of more variables are not evaluated without a triangular structure.
const LARGEST: usize = 8;

/// Maximum number of elementary functions evaluated for one question: each takes a series of 58 digits for
/// both ends.
const MOST: usize = 8192;
/// Maximum number of operations evaluated for one question.
const MOST_OPERATIONS: usize = 1 << 17;

/// Computes ln|det J| of `forward` at points, row by row, as a lower and an upper bound; `None` where it is
/// not proven to exist. For large programs only the first points are evaluated, at least one.
///
/// Uses the slopes of a triangular structure if the certificate has one, otherwise the full Jacobian.
///
/// # Errors
/// When the text is not a certificate, or the program cannot be written out.
pub fn log_abs_det(certificate: &str, points: &[f64]) -> Result<Vec<Option<[f64; 2]>>, Rejection> {
    let certificates = read(certificate)?;
    let [certificate] = certificates.as_slice() else { return reject("one certificate at a time") };
    let triangular = certificate.points.contains_key("inputs");
    if !triangular && certificate.domain.len() > LARGEST {
        return reject(format!("a whole Jacobian is formed up to d = {LARGEST}"));
    }
    let mut map = forward(certificate)?;
    let d = map.inputs.len();
    let entries: Vec<Id> = if triangular {
        let (other, pairs) = slopes(certificate)?;
        map = other;
        pairs
    } else {
        jacobian(&mut map)?
    };
    let needed = map.scalars.order(&entries, |_| false);
    let elementary =
        |id: &&Id| matches!(map.scalars.get(**id), Scalar::Apply(function, _) if function.is_elementary());
    let affordable =
        (MOST / needed.iter().filter(elementary).count().max(1)).min(MOST_OPERATIONS / needed.len().max(1));
    let mut found = Vec::new();
    for point in points.chunks(d.max(1)).take(affordable.max(1)) {
        let given = map.inputs.iter().copied().zip(point.iter().map(|value| Interval::of(*value)));
        let mut ranges = Ranges::at(given.collect(), &certificate.values);
        let values: Option<Vec<Interval>> = entries
            .iter()
            .map(|id| {
                let range = ranges.of(&map.scalars, *id);
                range.defined.then_some(range.interval)
            })
            .collect();
        let log = values.and_then(|values| match triangular {
            true => {
                let each = values.iter().map(|slope| slope.excludes_zero().then(|| slope.abs().ln()));
                each.reduce(|sum, next| Some(sum?.add(&next?)))?
            }
            false => {
                interval_determinant(values, d).filter(Interval::excludes_zero).map(|det| det.abs().ln())
            }
        });
        found.push(log.map(|log| [nearest(&log.low.at), nearest(&log.high.at)]));
    }
    Ok(found)
}

/// Returns a variable of x whose codomain contains a number that it never takes; `None` if none is found.
pub fn missed_variable(certificate: &str) -> Option<usize> {
    let certificates = read(certificate).ok()?;
    all_missed(certificates.first()?).ok()?.into_iter().position(|missed| missed)
}

/// Computes a scalar program at points, as a lower and an upper bound; `None` where it is not proven to be
/// defined.
///
/// # Errors
/// As [`log_abs_det`].
pub fn values(certificate: &str, name: &str, points: &[f64]) -> Result<Vec<Option<[f64; 2]>>, Rejection> {
    let certificates = read(certificate)?;
    let [certificate] = certificates.as_slice() else { return reject("one certificate at a time") };
    let map = Map::new(certificate.program(name)?, &certificate.domain)?;
    let [output] = map.outputs.as_slice() else { return reject("the program has more than one result") };
    let of = |point: &[f64]| {
        let given = map.inputs.iter().copied().zip(point.iter().map(|value| Interval::of(*value)));
        let range = Ranges::at(given.collect(), &certificate.values).of(&map.scalars, *output);
        range.defined.then(|| [nearest(&range.interval.low.at), nearest(&range.interval.high.at)])
    };
    Ok(points.chunks(map.inputs.len().max(1)).map(of).collect())
}

/// Returns the slopes of a triangular map, in the order of its structure.
fn slopes(certificate: &Certificate) -> Result<(Map, Vec<Id>), Rejection> {
    let (mut map, labels) = structure(certificate, "lower")?;
    let highest = map.highest(&labels.inputs);
    let mut slopes = Vec::new();
    for (place, (i, o)) in labels.pairs()?.into_iter().enumerate() {
        let (input, output) = (map.inputs[i], map.outputs[o]);
        let earlier =
            |id: Id| highest.get(&id).is_some_and(|label| *label == NONE || (*label as usize) < place);
        let found = slope(&mut map.scalars, output, input, earlier)?;
        slopes.push(found.unwrap_or_else(|| map.scalars.number(0.0)));
    }
    Ok((map, slopes))
}

fn nearest(a: &Num) -> f64 {
    if a.is_infinite() {
        return if *a > number(0.0) { f64::INFINITY } else { f64::NEG_INFINITY };
    }
    a.to_f64().value()
}
