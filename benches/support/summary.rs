//! The results of all benches in one file, `summary.json` beside criterion's own.
//!
//! A bench replaces its own part and leaves the others alone. A filtered run leaves only its own results: numbers of
//! different runs are not mixed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::bench::Measurement;
use super::machine;
use super::table::{Layout, exponents};

/// Returns criterion's folder of results.
pub fn directory() -> PathBuf {
    if let Some(home) = std::env::var_os("CRITERION_HOME") {
        return home.into();
    }
    if let Some(target) = std::env::var_os("CARGO_TARGET_DIR") {
        return Path::new(&target).join("criterion");
    }
    // A bench lies in <target>/release/deps.
    let own = std::env::current_exe().ok();
    let target = own.as_deref().and_then(|path| path.ancestors().nth(3));
    target.unwrap_or(Path::new("target")).join("criterion")
}

/// Writes to a temporary name first, so that readers never see an incomplete file.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&temporary, text)?;
    fs::rename(&temporary, path)
}

/// Replaces one bench's part; returns the path of the file.
pub fn merge(bench: &str, layout: &Layout, measurements: &[Measurement]) -> io::Result<PathBuf> {
    let number = |value: f64| if value.is_finite() { json!(value) } else { Value::Null };
    let all: Vec<Value> = measurements
        .iter()
        .map(|m| {
            json!({
                "series": m.series,
                "case": m.case,
                "size": number(m.size),
                "median_s": m.seconds,
                "runs": m.runs,
            })
        })
        .collect();
    let fitted: Vec<Value> = exponents(layout, measurements)
        .into_iter()
        .map(|fit| json!({ "series": fit.series, "exponent": fit.exponent, "from": fit.from, "to": fit.to }))
        .collect();
    let part = json!({
        "processor": machine::processor(),
        "cores": machine::cores(),
        "load1": machine::load(),
        "size": layout.size,
        "measurements": all,
        "exponents": fitted,
    });
    replace(bench, part)
}

/// Replaces the summary of `bench` by `part`; returns the path of the file.
pub fn replace(bench: &str, part: Value) -> io::Result<PathBuf> {
    let path = directory().join("summary.json");
    let known = fs::read_to_string(&path).ok();
    let mut whole: Map<String, Value> =
        known.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    whole.insert(bench.to_string(), part);
    write(&path, &format!("{}\n", serde_json::to_string_pretty(&whole)?))?;
    Ok(path)
}
