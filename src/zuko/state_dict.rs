//! The tensors of a state dict, by name.

use std::collections::BTreeMap;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::error::ZukoError;

/// A tensor; truth values are 0 and 1.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    dtype: Dtype,
    pub extents: Vec<usize>,
    pub values: Vec<f64>,
}

/// Tensors by name.
#[derive(Clone, Debug)]
pub(super) struct StateDict {
    pub entries: BTreeMap<String, Entry>,
}

impl StateDict {
    pub fn read(bytes: &[u8]) -> Result<StateDict, ZukoError> {
        let file = SafeTensors::deserialize(bytes).map_err(|error| ZukoError::File(error.to_string()))?;
        let mut entries = BTreeMap::new();
        for (name, view) in file.tensors() {
            let values = values(&view).ok_or_else(|| {
                let problem = format!(
                    "holds {:?}; singles, doubles, truth values and whole numbers are read",
                    view.dtype()
                );
                ZukoError::Tensor { name: name.clone(), problem }
            })?;
            entries.insert(name, Entry { dtype: view.dtype(), extents: view.shape().to_vec(), values });
        }
        Ok(StateDict { entries })
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let written: Vec<(&str, &Entry, Vec<u8>)> =
            self.entries.iter().map(|(name, entry)| (name.as_str(), entry, bytes(entry))).collect();
        let views = written.iter().map(|(name, entry, bytes)| {
            let view = TensorView::new(entry.dtype, entry.extents.clone(), bytes);
            (*name, view.expect("as many bytes as the shape says"))
        });
        safetensors::serialize(views, None).expect("tensors as they were read")
    }

    pub fn get(&self, name: &str) -> Result<&Entry, ZukoError> {
        let missing = || ZukoError::Tensor { name: name.to_string(), problem: "is missing".to_string() };
        self.entries.get(name).ok_or_else(missing)
    }

    /// A tensor with this many axes.
    pub fn with_axes(&self, name: &str, axes: usize) -> Result<&Entry, ZukoError> {
        let entry = self.get(name)?;
        if entry.extents.len() == axes {
            return Ok(entry);
        }
        let problem = format!("has the shape {:?}, and not {axes} axes", entry.extents);
        Err(ZukoError::Tensor { name: name.to_string(), problem })
    }
}

fn values(view: &TensorView<'_>) -> Option<Vec<f64>> {
    let data = view.data();
    Some(match view.dtype() {
        Dtype::F32 => {
            let one = |b: &[u8]| f64::from(f32::from_le_bytes(b.try_into().expect("4 bytes")));
            data.chunks_exact(4).map(one).collect()
        }
        Dtype::F64 => {
            data.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().expect("8 bytes"))).collect()
        }
        Dtype::BOOL => data.iter().map(|b| f64::from(u8::from(*b != 0))).collect(),
        // Orders: whole numbers far below 2⁵³.
        Dtype::I64 => {
            data.chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().expect("8 bytes")) as f64).collect()
        }
        _ => return None,
    })
}

fn bytes(entry: &Entry) -> Vec<u8> {
    let values = entry.values.iter();
    match entry.dtype {
        Dtype::F32 => values.flat_map(|value| (*value as f32).to_le_bytes()).collect(),
        Dtype::BOOL => values.map(|value| u8::from(*value != 0.0)).collect(),
        Dtype::I64 => values.flat_map(|value| (*value as i64).to_le_bytes()).collect(),
        _ => values.flat_map(|value| value.to_le_bytes()).collect(),
    }
}
