//! Maps of ONNX files on the command line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::snapshot::{snapshot, without_rounding};

/// A folder with one of the graphs of `tests/peers`.
fn folder(graph: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("graph_{graph}"));
    fs::create_dir_all(&folder).unwrap();
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers");
    fs::copy(peers.join(format!("{graph}.onnx")), folder.join("forward.onnx")).unwrap();
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pushforward")).args(arguments).current_dir(folder).output().unwrap()
}

fn told(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let wide = text.lines().find(|line| line.chars().count() > 80);
    assert!(wide.is_none() || arguments[0] == "derive", "a line is wider than 80 columns: {wide:?}");
    text
}

#[test]
fn a_map_of_pytorch_is_audited_and_its_certificates_are_accepted() {
    let folder = folder("zuko_realnvp");
    let text =
        told(&folder, &["audit", "forward.onnx", "--log-det", "log_det", "--certificate", "proofs.txt"]);
    snapshot("audit_onnx", &without_rounding(&text));
    assert!(told(&folder, &["verify", "proofs.txt"]).contains("accepted"));
}

#[test]
fn a_map_of_pytorch_is_derived_in_three_notations() {
    let folder = folder("zuko_affine");
    assert!(told(&folder, &["derive", "forward.onnx"]).contains("ln|det J|"));
    assert!(told(&folder, &["derive", "forward.onnx", "--latex"]).contains("\\begin{document}"));
    assert!(told(&folder, &["derive", "forward.onnx", "--html"]).contains("<!DOCTYPE html>"));
}

#[test]
fn what_is_claimed_of_a_graph_wrongly_is_refuted_by_the_names_of_its_nodes() {
    let folder = folder("zuko_realnvp");
    let output = run(&folder, &["audit", "forward.onnx", "--structure", "diagonal"]);
    assert!(!output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("refuted") && text.contains("node `node_"), "{text}");
}

#[test]
fn a_graph_that_cannot_be_read_says_why() {
    let folder = folder("zuko_circular_shift");
    let said = |arguments: &[&str]| {
        let output = run(&folder, arguments);
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let jump = said(&["audit", "forward.onnx"]);
    assert!(
        jump.contains("forward.onnx: node `") && jump.contains("Floor") && jump.contains("it jumps"),
        "{jump}"
    );
    assert!(said(&["audit", "nowhere.onnx"]).contains("cannot be read"));
    assert!(said(&["derive", "forward.onnx", "--output", "z"]).contains("its outputs are `y`, `log_det`"));
    assert!(said(&["audit", "forward.onnx", "--domain", "1..0"]).contains("1 is not below 0"));
    fs::write(folder.join("cut.onnx"), &fs::read(folder.join("forward.onnx")).unwrap()[..300]).unwrap();
    assert!(said(&["audit", "cut.onnx"]).contains("no ONNX file, or it was cut off"));
}
