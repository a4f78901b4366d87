//! The files of a JAX module, and parameters that come back.

use std::fs;
use std::io::Write;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::error::JaxError;
use crate::tape::{Parameters, Shape};

/// A Python module with its numbers.
#[derive(Clone, Debug)]
pub struct Package {
    /// The text of the module.
    pub module: String,
    /// The parameters, by name: safetensors of doubles.
    pub params: Vec<u8>,
    /// What formulas use and training does not change, as masks: safetensors.
    pub constants: Vec<u8>,
}

/// The names of the three files.
const FILES: [&str; 3] = ["__init__.py", "params.safetensors", "constants.safetensors"];

impl Package {
    /// Writes a folder that Python imports under its name: `__init__.py`, `params.safetensors`, `constants.safetensors`.
    /// Files of these names are replaced, each complete or not at all.
    ///
    /// # Errors
    /// [`JaxError::Write`], also for a folder that holds other files: nothing else is to be imported with it.
    pub fn write(&self, folder: impl AsRef<Path>) -> Result<(), JaxError> {
        let folder = folder.as_ref();
        let failed = |path: &Path| {
            let path = path.display().to_string();
            move |error: std::io::Error| JaxError::Write { path, problem: error.to_string() }
        };
        fs::create_dir_all(folder).map_err(failed(folder))?;
        for entry in fs::read_dir(folder).map_err(failed(folder))? {
            let name = entry.map_err(failed(folder))?.file_name();
            if !FILES.iter().any(|file| name == *file) && name != "__pycache__" {
                let problem = format!(
                    "it holds `{}`, which is no file of a JAX module; choose a new folder",
                    name.display()
                );
                return Err(JaxError::Write { path: folder.display().to_string(), problem });
            }
        }
        let contents = [self.module.as_bytes(), &self.params, &self.constants];
        for (name, content) in FILES.iter().zip(contents) {
            let path = folder.join(name);
            let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed(&path))?;
            file.write_all(content).map_err(failed(&path))?;
            file.as_file().sync_all().map_err(failed(&path))?;
            file.persist(&path).map_err(|error| failed(&path)(error.error))?;
        }
        Ok(())
    }
}

/// Reads parameters that a JAX module saved: safetensors of doubles or singles, by the names that the module has.
///
/// # Errors
/// [`JaxError::Parameters`] for a file that is no safetensors, and for tensors of another type or of more than two axes.
pub fn parameters(bytes: &[u8]) -> Result<Parameters, JaxError> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| JaxError::Parameters(format!("the file is no safetensors ({error})")))?;
    let mut read = Parameters::default();
    for (name, view) in file.tensors() {
        let shape = match *view.shape() {
            [] => Shape::Scalar,
            [n] => Shape::Vector(n),
            [rows, columns] => Shape::Matrix(rows, columns),
            _ => return Err(JaxError::Parameters(format!("`{name}` has the shape {:?}", view.shape()))),
        };
        let data = view.data();
        let values = match view.dtype() {
            Dtype::F64 => {
                data.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().expect("8 bytes"))).collect()
            }
            Dtype::F32 => {
                let singles =
                    data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().expect("4 bytes")));
                singles.map(f64::from).collect()
            }
            other => {
                return Err(JaxError::Parameters(format!(
                    "`{name}` holds {other:?}, not doubles or singles"
                )));
            }
        };
        read.set(&name, shape, values).map_err(|error| JaxError::Parameters(error.to_string()))?;
    }
    Ok(read)
}

/// Numbers and indices that are too many for the text of a module.
#[derive(Default)]
pub(super) struct Constants {
    tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
}

impl Constants {
    /// Returns the name of these numbers.
    pub fn numbers(&mut self, values: &[f64], shape: Shape) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.named("numbers", Dtype::F64, extents(shape), bytes)
    }

    /// Returns the name of these indices.
    pub fn indices(&mut self, indices: &[u32]) -> String {
        let bytes = indices.iter().flat_map(|index| i64::from(*index).to_le_bytes()).collect();
        self.named("indices", Dtype::I64, vec![indices.len()], bytes)
    }

    fn named(&mut self, kind: &str, dtype: Dtype, extents: Vec<usize>, bytes: Vec<u8>) -> String {
        let same = |(_, own, shape, data): &&(String, Dtype, Vec<usize>, Vec<u8>)| {
            *own == dtype && *shape == extents && *data == bytes
        };
        if let Some((name, ..)) = self.tensors.iter().find(same) {
            return name.clone();
        }
        let name = format!("{kind}.{}", self.tensors.len());
        self.tensors.push((name.clone(), dtype, extents, bytes));
        name
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        written(&self.tensors)
    }
}

/// The values of parameters as safetensors, with a prefix for their names.
pub(super) fn saved<'a>(all: impl Iterator<Item = (String, &'a Parameters)>) -> Vec<u8> {
    let mut tensors = Vec::new();
    for (prefix, parameters) in all {
        for (name, tensor) in parameters.iter() {
            let bytes = tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect();
            tensors.push((format!("{prefix}{name}"), Dtype::F64, extents(tensor.shape), bytes));
        }
    }
    written(&tensors)
}

fn written(tensors: &[(String, Dtype, Vec<usize>, Vec<u8>)]) -> Vec<u8> {
    let views = tensors.iter().map(|(name, dtype, extents, bytes)| {
        (
            name.as_str(),
            TensorView::new(*dtype, extents.clone(), bytes).expect("as many bytes as the shape says"),
        )
    });
    safetensors::serialize(views, None).expect("tensors of numbers")
}

fn extents(shape: Shape) -> Vec<usize> {
    match shape {
        Shape::Scalar => vec![],
        Shape::Vector(n) => vec![n],
        Shape::Matrix(rows, columns) => vec![rows, columns],
    }
}
