//! Declared against proven structure; for a declaration that fails, a search for a point that refutes it.

use super::evidence::Evidence;
use super::proofs::LayerProver;
use super::report::{Claim, Topic};
use super::subject::{Subject, number, shown};
use super::witness;
use crate::jacobian::{Structure, StructureError, Unproven, bottleneck, discover, largest_rank, map};
use crate::sweep::reach::Relation;
use crate::tape::NodeId;

/// Returns the claims, and structures that could be declared instead.
pub(super) fn claims(subject: &mut Subject) -> (Vec<Claim>, Vec<String>) {
    let single = subject.layers.len() == 1;
    let (mut claims, mut advice) = (Vec::new(), Vec::new());
    for k in 0..subject.layers.len() {
        let layer = &subject.layers[k];
        let of = if single { String::new() } else { format!("{}: ", layer.name) };
        let refused = layer.refused.clone();
        let singular = match &layer.log_det {
            Err(StructureError::Singular { reason }) => Some(reason.clone()),
            _ => None,
        };
        if let Some(reason) = singular {
            let statement = format!("{of}det J is not 0");
            claims.push(match LayerProver::of(subject, layer).singular(&reason) {
                Some(proof) => {
                    let evidence = Evidence::Refuted { witness: proof.reason };
                    let certificates = vec![proof.certificate.text()];
                    Claim::certified(Topic::Determinant, statement, evidence, certificates)
                }
                None => Claim::new(Topic::Determinant, statement, Evidence::NotProven { reason }),
            });
            continue;
        }
        let found = discover(&subject.tape, &map(&subject.tape, layer.z, layer.x)).ok();
        let structure = layer.structure.clone();
        if structure == Structure::Dense {
            let dense = found.as_ref().is_none_or(|found| found.structure == Structure::Dense);
            advice.extend(
                low_rank_advice(subject, (layer.z, layer.x)).filter(|_| dense).map(|told| of.clone() + &told),
            );
            if let Some(found) = found.filter(|found| found.structure != Structure::Dense) {
                let gain = 1.0 / found.share_of_dense();
                advice.push(format!(
                    "{of}could declare itself {}: the log-determinant would take blocks of at most {} instead \
                     of d = {}, {gain:.0} times less elimination",
                    found.structure,
                    found.blocks.iter().max().copied().unwrap_or(0),
                    subject.d
                ));
            }
            continue;
        }
        let statement = format!("{of}J is {structure}, as declared");
        let mut certificates = Vec::new();
        let evidence = match refused {
            None => match LayerProver::of(subject, layer).structure() {
                Ok(proof) => {
                    certificates.push(proof.certificate.text());
                    Evidence::Proven { reason: proof.reason }
                }
                Err(refused) => {
                    let reason = format!("the checker does not confirm it: {refused}");
                    Evidence::NotProven { reason }
                }
            },
            Some(StructureError::Unproven(unproven)) => {
                if let Some(found) = found.filter(|found| found.structure != Structure::Dense) {
                    // Of many variables the order would be longer than it is useful.
                    let code =
                        if subject.d <= 16 { format!(": {}", found.structure.code()) } else { String::new() };
                    advice
                        .push(format!("{of}its actual structure is {}; declare that{code}", found.structure));
                }
                hunt(subject, k, &unproven, &mut certificates)
            }
            Some(error @ StructureError::NoBottleneck { .. }) => {
                Evidence::NotProven { reason: error.to_string() }
            }
            Some(other) => Evidence::Refuted { witness: other.to_string() },
        };
        claims.push(Claim::certified(Topic::Structure, statement, evidence, certificates));
    }
    (claims, advice)
}

/// Says what a dense layer with a bottleneck could declare.
fn low_rank_advice(subject: &Subject<'_>, (z, x): (NodeId, NodeId)) -> Option<String> {
    let (tape, d) = (&subject.tape, subject.d);
    let found = bottleneck(tape, &map(tape, z, x), Relation::Value, largest_rank(d))?;
    let rank = found.rank();
    let gain = (d as f64).powi(3) / (rank as f64).powi(3);
    (rank > 0).then(|| {
        format!(
            "could declare itself {}, which is proven: the log-determinant takes {} tangents and {} instead of \
             d = {d}, {gain:.0} times less elimination",
            Structure::LowRank { rank },
            2 * rank,
            if rank == 1 { "one number".to_string() } else { format!("an elimination of {rank} rows") },
        )
    })
}

/// Searches for a point at which an entry that should be 0 is not.
fn hunt(
    subject: &mut Subject<'_>,
    layer: usize,
    unproven: &Unproven,
    certificates: &mut Vec<String>,
) -> Evidence {
    let (i, j) = (unproven.output, unproven.input);
    let path = unproven.to_string();
    let (z, x) = (subject.layers[layer].z, subject.layers[layer].x);
    let d = subject.d;
    let tape = &subject.tape;
    let seed = tape.vector(&(0..d).map(|k| if k == j { 1.0 } else { 0.0 }).collect::<Vec<_>>());
    let column = crate::sweep::tangent(tape, &map(tape, z, x), &[(z, seed)])[0];
    let count = subject.count();
    if let Some(column) = column {
        let values = subject.values(&[z, column.at(i).id()], &subject.points);
        // The largest entry is the best candidate; the checker does not confirm the rounding error of a sum
        // that cancels.
        let entry = |row: &usize| if values[1][*row].is_finite() { values[1][*row].abs() } else { 0.0 };
        let row = (0..count).max_by(|a, b| entry(a).total_cmp(&entry(b)));
        if let Some(row) = row.filter(|row| entry(row) > 0.0) {
            let z = &values[0][row * d..(row + 1) * d];
            let shown = format!("At z = {}: ∂x[{i}]/∂z[{j}] = {}.", shown(z), number(values[1][row]));
            return match witness::structure(subject, &subject.layers[layer], (i, j), z) {
                Some(certificate) => {
                    certificates.push(certificate);
                    Evidence::Refuted { witness: format!("{path}\n{shown}") }
                }
                None => Evidence::NotProven {
                    reason: format!(
                        "{path}\nSuspicious: {shown} More digits do not show that it is other than 0."
                    ),
                },
            };
        }
    }
    let reason = format!(
        "{path}\nAt {count} points ∂x[{i}]/∂z[{j}] is 0: if it is 0 everywhere, write x[{i}] without z[{j}]."
    );
    Evidence::NotProven { reason }
}
