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
    /// Of an ONNX file: the interval of each variable of the input, as 0..1 or 0..; all numbers by default.
    #[arg(long, value_name = "LOW..HIGH", value_parser = interval, allow_hyphen_values = true)]
    domain: Option<Domain>,
    /// Of an ONNX file: the interval of each variable of the map.
    #[arg(long, value_name = "LOW..HIGH", value_parser = interval, allow_hyphen_values = true)]
    codomain: Option<Domain>,
}

/// An interval, of which either end may be left out.
fn interval(text: &str) -> Result<Domain, String> {
    let (low, high) = text.split_once("..").ok_or("write an interval as LOW..HIGH, 0..1 or 0..")?;
    let end = |text: &str, otherwise: f64| match text {
        "" => Ok(otherwise),
        _ => text.parse::<f64>().map_err(|_| format!("`{text}` is no number")),
    };
    let (low, high) = (end(low, f64::NEG_INFINITY)?, end(high, f64::INFINITY)?);
    if low.is_nan() || high.is_nan() || low >= high {
        return Err(format!("{low} is not below {high}"));
    }
    Ok(match (low, high) {
        (f64::NEG_INFINITY, f64::INFINITY) => Domain::Reals,
        _ => Domain::Interval { lower: low, upper: high },
    })
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
            domain: self.domain.clone(),
            codomain: self.codomain.clone(),
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

/// The parameters are those of the file.
fn settings(map: &ImportedMap) -> AuditOptions {
    AuditOptions {
        parameters: Some(map.parameters()),
        log_det_tolerance: map.log_det_tolerance(),
        ..AuditOptions::default()
    }
}

/// What a file is taken for.
fn described(file: &str, map: &ImportedMap) -> String {
    let bits = if map.is_double() { 64 } else { 32 };
    let mut told = vec![
        format!("{file}: {} variables, {} nodes, {bits} bits, by {}", map.dim(), map.nodes(), map.producer()),
        format!("the map: output `{}`", map.output()),
    ];
    if let Some(name) = map.log_det_output() {
        let tolerance = map.log_det_tolerance();
        let why = if tolerance > 1e-9 { ", as numbers of it are rounded to 32 bits" } else { "" };
        told.push(format!("its own ln|det J|: output `{name}`, compared to within {tolerance:.0e}{why}"));
    }
    let others = map.other_outputs();
    if !others.is_empty() {
        let names: Vec<String> = others.iter().map(|name| format!("`{name}`")).collect();
        let advice =
            if map.log_det_output().is_none() { "; --log-det OUTPUT compares it with ln|det J|" } else { "" };
        told.push(format!("not used: output {}{advice}", names.join(", ")));
    }
    for (role, name) in [(Role::Parameter, "parameters"), (Role::Constant, "constants")] {
        let tensors = map.tensors().into_iter().filter(|(_, _, own)| *own == role);
        let names: Vec<String> = tensors.map(|(name, dims, _)| format!("{name} {dims:?}")).collect();
        if !names.is_empty() {
            told.push(format!("{name}: {}", names.join(", ")));
        }
    }
    if !map.reading_out_of_bounds().is_empty() {
        let nodes = map.reading_out_of_bounds().join(", ");
        told.push(format!(
            "by their formulas indices of {nodes} can be out of bounds; claims are meant where they are not"
        ));
    }
    let wrapped = told.iter().enumerate().map(|(k, text)| wrapped(text, if k == 0 { 0 } else { 2 }));
    wrapped.collect::<Vec<String>>().join("\n")
}

/// Lines of at most 78 characters, from the second on indented by two more.
fn wrapped(text: &str, indent: usize) -> String {
    let mut lines = vec![" ".repeat(indent)];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is a line");
        if last.trim().is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= 78 {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(format!("{}{word}", " ".repeat(indent + 2)));
        }
    }
    lines.join("\n")
}
