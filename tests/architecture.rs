//! The allowed dependences between modules. An import that is not listed fails.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module and what it may import.
const ARROWS: [(&str, &[&str]); 13] = [
    ("checker", &[]),
    ("kernel", &[]),
    ("tape", &[]),
    ("sweep", &["kernel", "tape"]),
    ("program", &["kernel", "sweep", "tape"]),
    ("jacobian", &["sweep", "tape"]),
    ("bijection", &["jacobian", "sweep", "tape"]),
    ("layers", &["bijection", "jacobian", "tape"]),
    ("base", &["bijection", "tape"]),
    ("train", &["base", "kernel", "program", "sweep", "tape"]),
    ("flow", &["bijection", "base", "program", "sweep", "tape", "train"]),
    ("audit", &["checker", "flow", "layers", "base", "bijection", "jacobian", "program", "sweep", "tape"]),
    ("derivation", &["audit", "bijection", "jacobian", "sweep", "tape"]),
];

fn source_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

/// The modules behind `crate::`, in imports and in paths written out.
fn imports(text: &str) -> BTreeSet<String> {
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    code.match_indices("crate::")
        .map(|(at, found)| {
            let rest = &code[at + found.len()..];
            rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
        })
        .collect()
}

#[test]
fn every_import_follows_an_arrow() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    let (mut seen, mut wrong) = (0, Vec::new());
    for (module, allowed) in ARROWS {
        for file in source_files(&src.join(module)) {
            for import in imports(&fs::read_to_string(&file).unwrap()) {
                seen += 1;
                if import != module && !allowed.contains(&import.as_str()) {
                    wrong.push(format!("{} uses crate::{import}", file.display()));
                }
            }
        }
    }
    assert!(seen > 50, "only {seen} imports were found: the reader of imports is broken");
    assert!(wrong.is_empty(), "arrows that the design does not have:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_has_its_arrows() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    for entry in fs::read_dir(src).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            let name = entry.file_name().into_string().unwrap();
            assert!(ARROWS.iter().any(|(module, _)| *module == name), "src/{name} is in no list of arrows");
        }
    }
}
