//! The bytes of a model file: safetensors with a JSON document and a checksum in the metadata.
//!
//! safetensors keeps a header length, a header and the tensors' bytes; a file that ends too early has fewer bytes
//! than its header says. The checksum (CRC-32, against accidents) is of the document and of every tensor.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use super::error::ModelError;
use crate::tape::{Shape, Tensor};

/// The newest format that is written and read.
pub(super) const VERSION: u64 = 1;

const DOCUMENT: &str = "pushforward";
const CHECKSUM: &str = "crc32";

/// A JSON document and named tensors.
#[derive(Default)]
pub(super) struct Content {
    pub document: String,
    pub tensors: Vec<(String, Tensor)>,
}

impl Content {
    pub fn to_bytes(&self) -> Vec<u8> {
        let numbers: Vec<(&str, Vec<usize>, Vec<u8>)> = self
            .tensors
            .iter()
            .map(|(name, tensor)| {
                let bytes = tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect();
                (name.as_str(), extents(tensor.shape), bytes)
            })
            .collect();
        let written =
            checksum(&self.document, numbers.iter().map(|(name, _, bytes)| (*name, bytes.as_slice())));
        let metadata = HashMap::from([
            (DOCUMENT.to_string(), self.document.clone()),
            (CHECKSUM.to_string(), format!("{written:08x}")),
        ]);
        let views = numbers.iter().map(|(name, extents, bytes)| {
            (
                *name,
                TensorView::new(Dtype::F64, extents.clone(), bytes).expect("as many bytes as the shape says"),
            )
        });
        safetensors::serialize(views, Some(metadata)).expect("tensors of doubles")
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Content, ModelError> {
        let read = SafeTensors::read_metadata(bytes)
            .and_then(|(_, header)| Ok((header, SafeTensors::deserialize(bytes)?)));
        let (header, file) = read.map_err(|error| unreadable(bytes, &error))?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let (Some(document), Some(written)) = (metadata.get(DOCUMENT), metadata.get(CHECKSUM)) else {
            let problem = "it is safetensors, but was not written by pushforward".to_string();
            return Err(ModelError::Foreign(problem));
        };
        known_version(document)?;
        let mut views: Vec<(String, TensorView<'_>)> = file.tensors();
        views.sort_by(|a, b| a.0.cmp(&b.0));
        let found = checksum(document, views.iter().map(|(name, view)| (name.as_str(), view.data())));
        let written = u32::from_str_radix(written, 16).unwrap_or(!found);
        if found != written {
            return Err(ModelError::Altered { found, written });
        }
        let tensors: Result<Vec<_>, ModelError> =
            views.iter().map(|(name, view)| Ok((name.clone(), tensor(name, view)?))).collect();
        Ok(Content { document: document.clone(), tensors: tensors? })
    }

    /// Writes a file that is complete or absent: under another name first, synced, and renamed.
    pub fn write(&self, path: &Path) -> Result<(), ModelError> {
        let failed = |source| ModelError::Write { path: path.display().to_string(), source };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(&self.to_bytes()).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    pub fn read(path: &Path) -> Result<Content, ModelError> {
        let bytes = std::fs::read(path)
            .map_err(|source| ModelError::Read { path: path.display().to_string(), source })?;
        Content::from_bytes(&bytes)
    }
}

/// Why a file is not safetensors: it is shorter than its header says, or something else altogether.
fn unreadable(bytes: &[u8], error: &safetensors::SafeTensorError) -> ModelError {
    if bytes.is_empty() {
        return ModelError::Foreign("it is empty".to_string());
    }
    let given = bytes.len() as u64;
    match announced(bytes) {
        Some(expected) if given < expected => ModelError::Truncated { expected, given },
        _ => ModelError::Foreign(format!("it is no safetensors file ({error})")),
    }
}

/// The number of bytes that the header announces; of the header itself where that is cut off.
fn announced(bytes: &[u8]) -> Option<u64> {
    let size = u64::from_le_bytes(*bytes.first_chunk::<8>()?);
    let end = size.checked_add(8)?;
    // A header begins with a brace.
    if bytes.get(8) != Some(&b'{') {
        return None;
    }
    let Some(header) = usize::try_from(end).ok().and_then(|end| bytes.get(8..end)) else { return Some(end) };
    let header: serde_json::Map<String, Value> = serde_json::from_slice(header).ok()?;
    let ends = header.values().filter_map(|tensor| tensor["data_offsets"][1].as_u64());
    end.checked_add(ends.max().unwrap_or(0))
}

/// Returns an error for a document of a newer format, whose checksum may be another one.
fn known_version(document: &str) -> Result<(), ModelError> {
    let document: Value = serde_json::from_str(document)
        .map_err(|error| ModelError::Foreign(format!("its description is no JSON: {error}")))?;
    let version = document["version"].as_u64().unwrap_or(0);
    if version <= VERSION {
        return Ok(());
    }
    let library = document["library"].as_str().unwrap_or("?").to_string();
    Err(ModelError::Newer { version, library, own: env!("CARGO_PKG_VERSION"), newest: VERSION })
}

fn checksum<'a>(document: &str, tensors: impl Iterator<Item = (&'a str, &'a [u8])>) -> u32 {
    let mut sorted: Vec<_> = tensors.collect();
    sorted.sort_by_key(|(name, _)| *name);
    let mut hash = crc32fast::Hasher::new();
    hash.update(document.as_bytes());
    for (name, bytes) in sorted {
        hash.update(name.as_bytes());
        hash.update(bytes);
    }
    hash.finalize()
}

fn extents(shape: Shape) -> Vec<usize> {
    match shape {
        Shape::Scalar => vec![],
        Shape::Vector(n) => vec![n],
        Shape::Matrix(rows, columns) => vec![rows, columns],
    }
}

fn tensor(name: &str, view: &TensorView<'_>) -> Result<Tensor, ModelError> {
    let shape = match *view.shape() {
        [] => Shape::Scalar,
        [n] => Shape::Vector(n),
        [rows, columns] => Shape::Matrix(rows, columns),
        _ => return Err(ModelError::Parameters(format!("`{name}` has the shape {:?}", view.shape()))),
    };
    if view.dtype() != Dtype::F64 {
        return Err(ModelError::Parameters(format!("`{name}` holds {:?}, not doubles", view.dtype())));
    }
    let values =
        view.data().chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().expect("8 bytes")));
    Ok(Tensor { shape, values: values.collect() })
}
