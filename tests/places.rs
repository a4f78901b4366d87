//! The places of a layer and of a base: what CONTRIBUTING lists is there for each of them.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The public types of a folder that implement a trait, by the text of their files.
fn implementors(folder: &str, of: &str) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), vec![root().join(folder)]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for line in text.lines() {
                let Some((_, rest)) = line.split_once(&format!("{of} for ")) else { continue };
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
                // `struct Name`, not `pub struct Name`: a part of another layer.
                let is_part = text.contains(&format!("\nstruct {name} "));
                if line.starts_with("impl") && name != "Box" && !is_part {
                    found.push(name);
                }
            }
        }
    }
    found.sort();
    found
}

/// Layers that have a log-determinant of the books elsewhere. That of a continuous layer is an integral; a circular spline maps angles, and the catalogue is of maps between parts of ℝᵈ.
const ELSEWHERE: [(&str, &str); 2] =
    [("Continuous", "tests/continuous.rs"), ("CircularSpline", "tests/spline.rs")];

#[test]
fn every_layer_is_in_the_catalogue_and_has_the_log_determinant_of_the_books() {
    let layers = implementors("src/layers", "Bijection");
    assert!(layers.len() >= 9, "{layers:?}");
    for place in ["src/layers/catalogue.rs", "tests/derivations.rs", "src/model/catalogue.rs"] {
        let text = read(place);
        for layer in layers.iter().filter(|layer| ELSEWHERE.iter().all(|(other, _)| layer != other)) {
            assert!(text.contains(layer.as_str()), "{layer} has no line in {place}");
        }
    }
    for (layer, place) in ELSEWHERE {
        assert!(read(place).contains(layer), "{layer} has no line in {place}");
    }
}

#[test]
fn every_base_is_tested_as_a_density() {
    let bases = implementors("src/base", "Base");
    assert!(bases.len() >= 5, "{bases:?}");
    for place in ["tests/bases.rs", "src/model/catalogue.rs"] {
        let text = read(place);
        for base in &bases {
            assert!(text.contains(base.as_str()), "{base} has no line in {place}");
        }
    }
}

#[test]
fn layers_and_bases_are_in_the_prelude() {
    let text = read("src/lib.rs");
    for name in implementors("src/layers", "Bijection").iter().chain(&implementors("src/base", "Base")) {
        assert!(text.contains(name.as_str()), "{name} is not in the prelude");
    }
}
