//! Source lines as evidence.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// Normalises a path: `a/b/../c.rs` becomes `a/c.rs`.
pub(super) fn tidy(path: &str) -> String {
    let mut kept = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::ParentDir if kept.file_name().is_some() => {
                kept.pop();
            }
            Component::CurDir => {}
            other => kept.push(other),
        }
    }
    kept.display().to_string()
}

/// Normalises every path in a text, such as the evidence of an audit.
pub(crate) fn tidied(text: &str) -> String {
    let parts = text.split_inclusive([' ', '\n', '(', ')']);
    parts.map(|part| if part.contains("/../") { tidy(part) } else { part.to_string() }).collect()
}

/// Returns the place of a source line, and its text below.
pub(super) fn quoted(file: &str, line: u32) -> String {
    let place = format!("{}:{line}", tidy(file));
    match line_of(file, line) {
        Some(text) => format!("{place}\n    {text}"),
        None => place,
    }
}

/// Returns the text of a line, if the file is where it was compiled.
fn line_of(file: &str, line: u32) -> Option<String> {
    // The compiler names files from the root of the repository.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let text = fs::read_to_string(root.join(tidy(file))).ok()?;
    let line = text.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    Some(line.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::{tidied, tidy};

    #[test]
    fn a_path_loses_its_detours() {
        assert_eq!(tidy("lessons/exercises/src/bin/../../07.rs"), "lessons/exercises/07.rs");
        assert_eq!(tidy("./lessons/07.rs"), "lessons/07.rs");
        assert_eq!(tidied("mul (src/cli/../../lessons/07.rs:3); so"), "mul (lessons/07.rs:3); so");
    }
}
