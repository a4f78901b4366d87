//! What a person sees of the library, as snapshots: audits and errors. Read a changed snapshot line by line.

use pushforward::prelude::*;

use crate::snapshot::{snapshot, without_rounding};

/// x₁ = z₁,  x₂ = z₂·exp(tanh z₁) + z₁²
struct Bend;

impl Bijection for Bend {
    fn dim(&self) -> usize {
        2
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z1, z2) = (z.at(0), z.at(1));
        stack([z1, z2 * z1.tanh().exp() + z1.powi(2)])
    }
}

/// The same with a declaration that is false.
struct Bent;

impl Bijection for Bent {
    fn dim(&self) -> usize {
        2
    }
    fn structure(&self) -> Structure {
        Structure::UpperTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        Bend.forward(z)
    }
}

#[test]
fn an_audit() {
    snapshot("audit_bend", &without_rounding(&audit(&Bend).expect("it records").to_string()));
}

#[test]
fn an_audit_as_json() {
    let report = audit(&Bend).expect("it records");
    let json = serde_json::to_string_pretty(&report).expect("a report is plain data");
    let keys: Vec<&str> = json.lines().filter(|line| !line.contains("worst")).collect();
    snapshot("audit_bend_json", &keys.join("\n"));
}

#[test]
fn an_error_with_its_path() {
    let error = record(&Bent).expect_err("x₂ depends on z₁").to_string();
    let masked = error.lines().map(|line| {
        // Source lines move when this file is edited.
        match line.find("tests/snapshots.rs:") {
            Some(at) => format!("{}tests/snapshots.rs:<line>\n", &line[..at]),
            None => format!("{line}\n"),
        }
    });
    snapshot("error_false_declaration", &masked.collect::<String>());
}
