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

#[test]
fn a_jax_module_is_a_folder_and_its_parameters_come_back() {
    let folder = Folder::new("export_jax");
    folder.file("table.csv", &table());
    folder.told(&["fit", "table.csv", "-o", "table.model", "--model", "gaussian"]);
    let told = folder.told(&["export", "table.model", "--to", "jax"]);
    assert!(
        told.starts_with("A Python module of ") && told.contains("pushforward import PARAMS --like"),
        "{told}"
    );
    let module = fs::read_to_string(folder.0.join("table_jax/__init__.py")).unwrap();
    assert!(
        module.contains("COLUMNS = [\"x\", \"y\"]") && module.contains("def log_prob(params, x):"),
        "{module}"
    );
    folder.told(&["import", "table_jax/params.safetensors", "--like", "table.model", "-o", "back.model"]);
    let scores = |model: &str| folder.told(&["score", model, "table.csv"]);
    assert_eq!(scores("back.model"), scores("table.model"));
    let refused = folder.refused(&["import", "table.csv", "--like", "table.model", "-o", "other.model"]);
    assert!(refused.contains("no safetensors"), "{refused}");
    let refused = folder.refused(&["export", "table.model", "--to", "jax", "-o", "-"]);
    assert!(refused.contains("a JAX module is a folder"), "{refused}");
    // Another model's parameters do not fit.
    folder.told(&["fit", "table.csv", "-o", "coupling.model", "--model", "coupling", "--time", "2s"]);
    folder.told(&["export", "coupling.model", "--to", "jax", "-o", "other"]);
    let refused =
        folder.refused(&["import", "other/params.safetensors", "--like", "table.model", "-o", "z.model"]);
    assert!(refused.contains("the model has a parameter") || refused.contains("has the shape"), "{refused}");
}
