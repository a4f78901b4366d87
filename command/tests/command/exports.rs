//! `export`: a model as an ONNX file.

use std::fs;

use crate::tables::{Folder, table};

#[test]
fn a_model_is_exported_under_its_name_or_another() {
    let folder = Folder::new("export");
    folder.file("table.csv", &table());
    folder.told(&["fit", "table.csv", "-o", "table.model", "--model", "gaussian"]);
    let told = folder.told(&["export", "table.model", "--to", "onnx"]);
    assert!(told.starts_with("log_prob, in numbers of 32 bits, is in table.log_prob.onnx ("), "{told}");
    folder.told(&["export", "table.model", "--to", "onnx", "--what", "sample", "-o", "draws.onnx"]);
    folder.told(&["export", "table.model", "--to", "onnx", "--what", "inverse", "--float", "64"]);
    let expected = ["draws.onnx", "table.csv", "table.inverse.onnx", "table.log_prob.onnx", "table.model"];
    assert_eq!(folder.names(), expected);
    // Names of columns, of the output and of the producer are text in the file.
    let holds = |file: &str, text: &str| {
        let bytes = fs::read(folder.0.join(file)).unwrap();
        assert!(bytes.windows(text.len()).any(|part| part == text.as_bytes()), "{file} has no {text}");
    };
    holds("table.log_prob.onnx", "pushforward");
    holds("table.log_prob.onnx", "rows in the units of the file: x, y");
    holds("draws.onnx", "independent standard normal numbers");
}

#[test]
fn an_export_is_never_written_over_the_model_and_says_what_it_needs() {
    let folder = Folder::new("export_refused");
    folder.file("table.csv", &table());
    folder.told(&["fit", "table.csv", "-o", "table.model", "--model", "gaussian"]);
    let model = fs::read(folder.0.join("table.model")).unwrap();
    folder.refused(&["export", "table.model", "--to", "onnx", "-o", "table.model"]);
    assert_eq!(fs::read(folder.0.join("table.model")).unwrap(), model);
    assert!(folder.refused(&["export", "table.model"]).contains("--to"));
    let bits = folder.refused(&["export", "table.model", "--to", "onnx", "--float", "16"]);
    assert!(bits.contains("32 or 64 bits"), "{bits}");
    assert!(folder.refused(&["export", "table.csv", "--to", "onnx"]).contains("table.csv"));
    assert_eq!(folder.names(), ["table.csv", "table.model"]);
}
