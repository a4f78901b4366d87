//! What an ONNX file says beside its graph, and how it is written.

use std::io::Write;
use std::path::Path;

use prost::Message;

use super::error::ExportError;
use super::graph::{Finished, OPSET, OWN};
use crate::onnx::schema::{Entry, Model, OperatorSet};

/// The version of the format: the first that has functions of a file's own.
const FORMAT: i64 = 8;

/// The bytes of a file.
pub(super) fn bytes(finished: Finished, meaning: &str, metadata: &[(&str, String)]) -> Vec<u8> {
    let opset = |domain: &str, version| OperatorSet { domain: domain.to_string(), version };
    let own = (!finished.functions.is_empty()).then(|| opset(OWN, 1));
    let entry = |(key, value): &(&str, String)| Entry { key: (*key).to_string(), value: value.clone() };
    let model = Model {
        ir_version: FORMAT,
        opset_import: [opset("", OPSET)].into_iter().chain(own).collect(),
        producer_name: "pushforward".to_string(),
        producer_version: env!("CARGO_PKG_VERSION").to_string(),
        doc_string: meaning.to_string(),
        graph: Some(finished.graph),
        metadata_props: metadata.iter().map(entry).collect(),
        functions: finished.functions,
    };
    model.encode_to_vec()
}

/// Writes a file that is complete or absent: under another name first, synced, and renamed.
pub(super) fn write(bytes: &[u8], path: &Path) -> Result<(), ExportError> {
    let failed = |source| ExportError::Write { path: path.display().to_string(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
