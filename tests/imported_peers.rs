//! Transforms of zuko, nflows and normflows (`tests/peers`), read and audited: a table, and why log-determinants disagree.
//!
//! The graphs, the points, and what PyTorch, its automatic differentiation and ONNX's own evaluator compute there are from
//! `tests/peers/export.py`.

use std::path::{Path, PathBuf};

use pushforward::audit::{AuditOptions, Topic, audit_with};
use pushforward::onnx::{ImportError, ImportOptions, ImportedMap, Role};
use pushforward::prelude::*;

use crate::imported::values;
use crate::snapshot::snapshot;

/// A graph with the numbers that belong to it.
struct Peer {
    name: String,
    map: Result<ImportedMap, ImportError>,
    points: Vec<f64>,
    y: Vec<f64>,
    log_det: Option<Vec<f64>>,
    /// ln|det J| by torch's automatic differentiation of the module itself.
    differentiated: Vec<f64>,
}

fn peers() -> Vec<Peer> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let files = std::fs::read_dir(&folder).expect("the folder of graphs");
    let mut files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "onnx"));
    files.sort();
    files.iter().map(|file| peer(file)).collect()
}

fn peer(file: &Path) -> Peer {
    let text = std::fs::read_to_string(file.with_extension("json")).expect("numbers beside each graph");
    let numbers: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let flat = |key: &str| -> Option<Vec<f64>> {
        let rows = numbers[key].as_array()?;
        let row = |row: &serde_json::Value| match row.as_array() {
            Some(values) => values.iter().map(|value| value.as_f64().expect("a number")).collect(),
            None => vec![row.as_f64().expect("a number")],
        };
        Some(rows.iter().flat_map(row).collect())
    };
    let log_det = flat("log_det");
    let interval = |key: &str| {
        let ends = numbers[key].as_array()?;
        Some(Domain::Interval { lower: ends[0].as_f64()?, upper: ends[1].as_f64()? })
    };
    let options = ImportOptions {
        log_det: log_det.as_ref().map(|_| "log_det".to_string()),
        domain: interval("domain"),
        codomain: interval("codomain"),
        ..ImportOptions::default()
    };
    Peer {
        name: file.file_stem().unwrap().to_string_lossy().into_owned(),
        map: ImportedMap::read(file, &options),
        points: flat("points").unwrap(),
        y: flat("y").unwrap(),
        log_det,
        differentiated: flat("differentiated").unwrap(),
    }
}

/// The largest difference, relative to 1 where numbers are small.
fn apart(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f64::max)
}

#[test]
fn imported_maps_compute_what_the_evaluator_of_onnx_computes() {
    let mut read = 0;
    for peer in peers() {
        let Ok(map) = &peer.map else { continue };
        read += 1;
        let [y, log_det] = values(map, &peer.points);
        assert!(apart(&y, &peer.y) < 1e-12, "{}: {:.1e} apart", peer.name, apart(&y, &peer.y));
        if let Some(expected) = &peer.log_det {
            let count = log_det.len() / expected.len().min(log_det.len());
            assert_eq!(count, 1, "{}: one number a row", peer.name);
            assert!(
                apart(&log_det, expected) < 1e-12,
                "{}: {:.1e} apart",
                peer.name,
                apart(&log_det, expected)
            );
        }
    }
    assert!(read >= 25, "{read} maps were read");
}

/// How far the derived ln|det J| of a graph may be from that of the module, of which the exporter rounds numbers to 32 bits.
const FROM_THE_MODULE: f64 = 1e-5;
/// The same where PyTorch's derivative is not that of the map: that of zuko's quadrature is its integrand.
const FROM_THE_INTEGRAL: f64 = 1e-3;

#[test]
fn derived_log_determinants_are_those_of_automatic_differentiation() {
    for peer in peers() {
        let Ok(map) = &peer.map else { continue };
        let recording = record(map).expect("it was read");
        let outputs = [pushforward::program::Output::Each(recording.log_det().id())];
        let mut program = pushforward::program::Program::<f64>::compile(
            recording.tape(),
            &[recording.input().id()],
            &outputs,
        );
        program.load(&map.parameters()).unwrap();
        let derived = program.run(&[&peer.points], peer.points.len() / map.dim()).unwrap().swap_remove(0);
        let off = apart(&derived, &peer.differentiated);
        let allowed = if peer.name == "zuko_unaf" { FROM_THE_INTEGRAL } else { FROM_THE_MODULE };
        assert!(off < allowed, "{}: {off:.1e} apart", peer.name);
    }
}

/// Why something of a transform is refuted, by the name of its graph.
const EXPLAINED: [(&str, &str); 2] = [
    (
        "nflows_logit",
        "Logit clamps its input to [1e-6, 1 - 1e-6], so that near the ends of (0, 1) the map is constant: neither onto ℝ nor \
         one-to-one. Its log-determinant is that of the clamped input and holds at points between.",
    ),
    (
        "zuko_unaf",
        "The map is a quadrature of 32 nodes, and its log-determinant that of the integral, ln g(x). They differ by the error of \
         the quadrature, which sees the kinks of the network's ELU; the derived one is of the map that is computed.",
    ),
];

/// What is to be known of the numbers and verdicts.
const NOTES: &str = "
Notes:
  Numbers that torch.export 2.15 takes from code (a slope of 0.1, ln 0.001, 2π) are written with 32 bits into graphs of 64, and
  settings of nodes always are: map and log-determinant of such a graph differ by 1e-8, and by 1e-6 counts as equal.
  softplus is exported as a choice, x from x = 20 on: nflows' scales jump there by 2e-9, which is recorded.
  nflows' and normflows' splines with linear tails select rows by a mask (NonZero), which is refused; their pieces are audited on
  the unit interval. Floor jumps, and is refused.
  zuko's signed power is x·|x|^(e^α - 1), which is 0·∞ at x = 0 for α < 0: it is one-to-one where it is defined, and det J is
  positive but at points.
  zuko's Gaussianization (erfinv), Bernstein (xlogy) and rotation (matrix_exp) are not exported by torch 2.15, nor is slogdet:
  nflows' NaiveLinear is here without its log-determinant, and so is zuko's NAF, whose one is an automatic derivative.
";

#[test]
fn the_table_of_audits() {
    let mut table = String::from(
        "Transforms of zuko 1.6.0, nflows 0.14 and normflows 1.7.3, exported with random parameters in double precision.\n\n\
         A proof counts for all parameters of the file, or for its numbers alone. The last column compares the transform's own\n\
         log-determinant with the derived one at 16 points.\n\n",
    );
    let header = ["transform", "nodes", "structure", "det J ≠ 0", "bijective", "own ln|det J|"];
    let mut rows: Vec<[String; 6]> = vec![header.map(str::to_string)];
    let (mut refusals, mut explanations, mut told) = (Vec::new(), Vec::new(), Vec::new());
    for peer in peers() {
        match &peer.map {
            Err(error) => refusals.push(format!("{}: {error}", peer.name)),
            Ok(map) => {
                let row = row(&peer.name, map);
                if row.iter().any(|cell| cell.starts_with("refuted")) || row[5] == "not proven" {
                    told.push(peer.name.clone());
                }
                rows.push(row);
            }
        }
    }
    for (name, why) in EXPLAINED {
        explanations.push(format!("{name}: {why}"));
    }
    let widths: Vec<usize> =
        (0..6).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.chars().count())))
            .collect();
        table.push_str(cells.join("  ").trim_end());
        table.push('\n');
    }
    table.push_str("\nNot read:\n");
    refusals.iter().for_each(|refusal| table.push_str(&format!("  {refusal}\n")));
    table.push_str("\nWhat is refuted, and why:\n");
    explanations.iter().for_each(|explanation| table.push_str(&format!("  {explanation}\n")));
    table.push_str(NOTES);
    let explained: Vec<&str> = EXPLAINED.iter().map(|(name, _)| *name).collect();
    snapshot("peers", &table);
    assert_eq!(told, explained, "what is refuted has an explanation, and nothing else");
}

fn row(name: &str, map: &ImportedMap) -> [String; 6] {
    let audited = |map: &ImportedMap| {
        let parameters = Some(map.parameters());
        let log_det_tolerance = map.log_det_tolerance();
        let options = AuditOptions { parameters, log_det_tolerance, points: 16, decide_only: true, seed: 0 };
        audit_with(map, &options).expect("it was read")
    };
    let for_all = audited(map);
    let has_parameters = map.tensors().iter().any(|(_, _, role)| *role == Role::Parameter);
    let fixed = has_parameters.then(|| audited(&map.with_constants().expect("it was read")));
    let label = |report: &Report, topic: Topic| report.claim(topic).map(|claim| claim.evidence.label());
    let verdict = |topic: Topic| {
        let own = label(&for_all, topic);
        let numbers = fixed.as_ref().and_then(|report| label(report, topic));
        match (own, numbers) {
            (Some("proven"), _) if has_parameters => "proven, all parameters".to_string(),
            (Some("proven"), _) => "proven".to_string(),
            (_, Some("proven")) => "proven, these numbers".to_string(),
            (own, _) => own.unwrap_or("-").to_string(),
        }
    };
    let onto = |report: &Report| {
        report.claim(Topic::Injective).is_some_and(|claim| claim.evidence.label() == "proven")
            && report.claim(Topic::Codomain).is_none()
    };
    let missed = |report: &Report| report.refuted().any(|claim| claim.topic == Topic::Codomain);
    let injective = verdict(Topic::Injective);
    let bijective = match injective.starts_with("proven") {
        _ if missed(&for_all) => "refuted (not onto)".to_string(),
        true if onto(&for_all) || fixed.as_ref().is_some_and(onto) => injective,
        true => format!("{injective} (one-to-one)"),
        false => injective,
    };
    let structure = match map.structure() {
        Structure::Triangular { .. } => "triangular".to_string(),
        Structure::BlockTriangular { blocks, .. } => format!("blocks {blocks:?}"),
        other => other.to_string(),
    };
    let own = label(&for_all, Topic::GivenLogDet).map_or("-".to_string(), |label| match label {
        "checked" => "holds".to_string(),
        other => other.to_string(),
    });
    let almost = label(&for_all, Topic::DeterminantAlmostEverywhere) == Some("proven");
    let determinant = if almost { "proven, but at points".to_string() } else { verdict(Topic::Determinant) };
    [name.to_string(), map.nodes().to_string(), structure, determinant, bijective, own]
}
