//! Maps of ONNX files, for `audit` and `derive`.

use std::error::Error;
use std::path::Path;

use pushforward::audit::{AuditOptions, Topic, audit_with};
use pushforward::jacobian::Structure;
use pushforward::onnx::{ImportOptions, ImportedMap, Role};
use pushforward::prelude::*;

/// How a graph is read.
#[derive(clap::Args)]
pub struct Reading {
    /// Of an ONNX file: the output that is the graph's own ln|det J|, one number a row, to be compared.
    #[arg(long, value_name = "OUTPUT")]
    log_det: Option<String>,
    /// Of an ONNX file: the output that is the map, by default the first one with as many numbers as the input.
    #[arg(long, value_name = "OUTPUT")]
    output: Option<String>,
    /// Of an ONNX file: a stored tensor that is a parameter, so that claims are for all of its values.
    #[arg(long, value_name = "TENSOR")]
    parameter: Vec<String>,
    /// Of an ONNX file: a stored tensor whose numbers belong to the map.
    #[arg(long, value_name = "TENSOR")]
    constant: Vec<String>,
    /// Of an ONNX file: the structure that J should have.
    #[arg(long, value_enum, value_name = "STRUCTURE")]
    structure: Option<Expected>,
}

/// A structure that can be named in a word.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Expected {
    /// xᵢ depends on zᵢ alone.
    Diagonal,
    /// xᵢ depends on z₁ … zᵢ.
    Lower,
    /// xᵢ depends on zᵢ … z_d.
    Upper,
    /// Nothing is claimed.
    Dense,
}

/// Whether this is the name of an ONNX file.
pub fn is_graph(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|end| end.eq_ignore_ascii_case("onnx"))
}

impl Reading {
    /// Reads a graph as it was asked for.
    pub fn read(&self, file: &str) -> Result<ImportedMap, Box<dyn Error>> {
        let structure = self.structure.map(|structure| match structure {
            Expected::Diagonal => Structure::Diagonal,
            Expected::Lower => Structure::LowerTriangular,
            Expected::Upper => Structure::UpperTriangular,
            Expected::Dense => Structure::Dense,
        });
        let options = ImportOptions {
            output: self.output.clone(),
            log_det: self.log_det.clone(),
            parameters: self.parameter.clone(),
            constants: self.constant.clone(),
            all_constant: false,
            structure,
        };
        let map = ImportedMap::read(Path::new(file), &options);
        Ok(map.map_err(|error| format!("{file}: {error}"))?)
    }
}

/// The audit of a graph, for all values of its parameters; where that leaves something open, also for the file's numbers.
pub fn audited(file: &str, reading: &Reading) -> Result<Vec<Report>, Box<dyn Error>> {
    let map = reading.read(file)?;
    tell!("{}", described(file, &map));
    let first = audit_with(&map, &settings(&map))?;
    if map.tensors().iter().all(|(_, _, role)| *role == Role::Constant) || decided(&first) == open(&first) {
        return Ok(vec![first]);
    }
    let fixed = map.with_constants().map_err(|error| format!("{file}: {error}"))?;
    let second = audit_with(&fixed, &settings(&fixed))?;
    if decided(&second) <= decided(&first) {
        return Ok(vec![first]);
    }
    tell!("Two audits: for all values of the parameters, and for the numbers of the file.\n");
    Ok(vec![first, second])
}

/// Claims that a proof can decide.
fn open(report: &Report) -> usize {
    report.claims.iter().filter(|claim| is_for_proof(claim.topic)).count()
}

/// Those of them that are proven.
fn decided(report: &Report) -> usize {
    let proven = report.claims.iter().filter(|claim| claim.evidence.label() == "proven");
    proven.filter(|claim| is_for_proof(claim.topic)).count()
}

fn is_for_proof(topic: Topic) -> bool {
    matches!(topic, Topic::Structure | Topic::Determinant | Topic::Injective | Topic::Codomain)
}

/// The numbers of a graph of 32 bits are rounded ones, and two ways to one constant differ by that.
fn settings(map: &ImportedMap) -> AuditOptions {
    let log_det_tolerance = if map.is_double() { 1e-9 } else { 1e-5 };
    AuditOptions { parameters: Some(map.parameters()), log_det_tolerance, ..AuditOptions::default() }
}

/// What a file is taken for.
fn described(file: &str, map: &ImportedMap) -> String {
    let bits = match map.is_double() {
        true => "64 bits",
        false => "32 bits (its numbers count as exact; its log-determinant may be off by 1e-5)",
    };
    let mut lines = vec![
        format!("{file}: {} variables, {} nodes, {}, {bits}", map.dim(), map.nodes(), map.producer()),
        format!("  the map: output `{}`", map.output()),
    ];
    lines.extend(map.log_det_output().map(|name| format!("  its own ln|det J|: output `{name}`")));
    let others = map.other_outputs();
    if !others.is_empty() {
        let names: Vec<String> = others.iter().map(|name| format!("`{name}`")).collect();
        let advice = if map.log_det_output().is_none() {
            "; --log-det OUTPUT compares one with ln|det J|"
        } else {
            ""
        };
        lines.push(format!("  not used: output {}{advice}", names.join(", ")));
    }
    for (role, told) in [(Role::Parameter, "parameters"), (Role::Constant, "constants")] {
        let tensors = map.tensors().into_iter().filter(|(_, _, own)| *own == role);
        let names: Vec<String> = tensors.map(|(name, dims, _)| format!("{name} {dims:?}")).collect();
        if !names.is_empty() {
            lines.push(format!("  {told}: {}", names.join(", ")));
        }
    }
    lines.join("\n")
}
