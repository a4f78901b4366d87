//! A folder of ONNX files with inputs and our results, for other runtimes to be held against.
//!
//! `manifest.json` lists the cases; numbers are little-endian files of the type that the case says, expected ones doubles.

use std::fs;
use std::path::{Path, PathBuf};

use pushforward::onnx::Float;
use serde_json::{Value, json};

/// A case: a file, what it is given, and what should come out.
pub struct Case<'a> {
    pub name: &'a str,
    /// What the file computes: the name of its output.
    pub output: &'a str,
    pub float: Float,
    pub file: Vec<u8>,
    /// Name, width (0 for a list of numbers, one a row) and numbers.
    pub inputs: Vec<(&'a str, usize, Vec<f64>)>,
    /// The width of the output, 0 for one number a row.
    pub width: usize,
    pub expected: Vec<f64>,
    /// By how much each expected number is uncertain: what a unit in the last place of the inputs moves it, and by how much
    /// this library itself is off.
    pub uncertain: Vec<f64>,
    /// How long our own program takes for these rows, where that was measured.
    pub seconds: Option<f64>,
}

pub struct Folder {
    path: PathBuf,
    cases: Vec<Value>,
}

impl Folder {
    /// An empty folder under `target`.
    pub fn new(name: &str) -> Folder {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/onnx").join(name);
        if path.exists() {
            fs::remove_dir_all(&path).unwrap();
        }
        fs::create_dir_all(&path).unwrap();
        Folder { path, cases: Vec::new() }
    }

    pub fn add(&mut self, case: Case<'_>) {
        let (name, suffix) = match case.float {
            Float::F32 => (format!("{}.{}.f32", case.name, case.output), "f32"),
            Float::F64 => (format!("{}.{}.f64", case.name, case.output), "f64"),
        };
        let write = |what: &str, bytes: Vec<u8>| {
            let file = format!("{name}.{what}");
            fs::write(self.path.join(&file), bytes).unwrap();
            file
        };
        let own = |values: &[f64]| match case.float {
            Float::F32 => values.iter().flat_map(|value| (*value as f32).to_le_bytes()).collect(),
            Float::F64 => doubles(values),
        };
        let inputs: Vec<Value> = case
            .inputs
            .iter()
            .map(|(input, width, values)| {
                json!({"name": input, "width": width, "file": write(&format!("{input}.bin"), own(values))})
            })
            .collect();
        let bytes = case.file.len();
        self.cases.push(json!({
            "case": case.name,
            "output": case.output,
            "float": suffix,
            "file": write("onnx", case.file),
            "bytes": bytes,
            "inputs": inputs,
            "width": case.width,
            "expected": write("expected.bin", doubles(&case.expected)),
            "seconds": case.seconds,
            "uncertain": write("uncertain.bin", doubles(&case.uncertain)),
        }));
    }

    /// Writes the list of cases.
    pub fn finish(self) {
        let manifest = serde_json::to_string_pretty(&self.cases).unwrap();
        fs::write(self.path.join("manifest.json"), manifest).unwrap();
    }
}

fn doubles(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
