//! Finiteness: f is defined and finite on the domain.

use super::evidence::Evidence;
use super::report::{Claim, Topic};
use super::subject::{Subject, shown};
use super::witness;

pub(super) fn claim(subject: &mut Subject) -> Claim {
    let statement = format!("f(z) is finite for z in {}", subject.domain);
    let x = &subject.values(&[subject.x], &subject.points)[0];
    let evidence = match x.iter().position(|value| !value.is_finite()) {
        None => Evidence::Checked {
            points: subject.count(),
            worst: 0.0,
            tolerance: 0.0,
            seed: Some(subject.seed),
        },
        Some(place) => {
            let row = place / subject.d;
            let point = subject.point(row);
            let program = subject.program(subject.z, &[subject.x]);
            let origin = program.trace_nonfinite(&[point], 1).expect("one row");
            let origin = origin.map_or_else(String::new, |origin| format!("\n{origin}"));
            let place = format!("At z = {}: x[{}] = {}.{origin}", shown(point), place % subject.d, x[place]);
            // An overflow does not refute f.
            return match witness::undefined(subject, point) {
                Some(certificate) => {
                    let witness =
                        format!("{place}\nIf such z are not valid, declare the `domain` of the layer.");
                    let evidence = Evidence::Refuted { witness };
                    Claim::certified(Topic::Finite, statement, evidence, vec![certificate])
                }
                None => {
                    let reason = format!("suspicious: {place}\nThat may be an overflow.");
                    Claim::new(Topic::Finite, statement, Evidence::NotProven { reason })
                }
            };
        }
    };
    Claim::new(Topic::Finite, statement, evidence)
}
