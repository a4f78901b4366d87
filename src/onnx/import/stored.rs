//! Tensors that a file holds.

use super::array::{Array, Elements};
use super::dims;
use super::error::ImportError;
use crate::onnx::schema::{DataType, Tensor};

/// A tensor whose elements are known.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub dims: Vec<usize>,
    pub numbers: Numbers,
}

/// The elements of a stored tensor, in order.
#[derive(Clone, Debug)]
pub(super) enum Numbers {
    Floats(Vec<f64>),
    Integers(Vec<i64>),
    Truths(Vec<bool>),
}

impl Stored {
    /// As a value of a graph.
    pub fn array<'t>(&self) -> Array<'t> {
        let elements = match &self.numbers {
            Numbers::Floats(values) => Elements::Numbers(values.clone()),
            Numbers::Integers(values) => Elements::Integers(values.clone()),
            Numbers::Truths(values) => Elements::Truths(values.clone()),
        };
        Array::new(self.dims.clone(), elements)
    }

    /// The floating-point numbers, if they are such.
    pub fn floats(&self) -> Option<&[f64]> {
        match &self.numbers {
            Numbers::Floats(values) => Some(values),
            _ => None,
        }
    }
}

/// Reads a tensor.
///
/// # Errors
/// [`ImportError::Data`] when it is not as its type and shape say, or lies in another file.
pub(super) fn stored(tensor: &Tensor, name: &str) -> Result<Stored, ImportError> {
    let wrong = |what: String, advice| ImportError::Data { name: name.to_string(), what, advice };
    const ANEW: &str = "write the file anew";
    if tensor.data_location != 0 || !tensor.external_data.is_empty() {
        let advice =
            "export with external_data=False, or load and save it with onnx, so that all is in one file";
        return Err(wrong("its numbers are in another file".to_string(), advice));
    }
    let sizes: Option<Vec<usize>> = tensor.dims.iter().map(|size| usize::try_from(*size).ok()).collect();
    let found = sizes.ok_or_else(|| wrong(format!("its shape is {:?}", tensor.dims), ANEW))?;
    let count = dims::count(&found).ok_or_else(|| {
        wrong(format!("its shape {found:?} has more than {} elements", dims::MOST), "export a smaller model")
    })?;
    let raw = &tensor.raw_data;
    let numbers = match DataType::try_from(tensor.data_type) {
        Ok(DataType::Float) => Numbers::Floats(match raw.is_empty() {
            true => tensor.float_data.iter().map(|value| f64::from(*value)).collect(),
            false => chunks(raw).map(|bytes| f64::from(f32::from_le_bytes(bytes))).collect(),
        }),
        Ok(DataType::Double) => Numbers::Floats(match raw.is_empty() {
            true => tensor.double_data.clone(),
            false => chunks(raw).map(f64::from_le_bytes).collect(),
        }),
        Ok(DataType::Int64) => Numbers::Integers(match raw.is_empty() {
            true => tensor.int64_data.clone(),
            false => chunks(raw).map(i64::from_le_bytes).collect(),
        }),
        Ok(DataType::Int32) => Numbers::Integers(match raw.is_empty() {
            true => tensor.int32_data.iter().map(|value| i64::from(*value)).collect(),
            false => chunks(raw).map(|bytes| i64::from(i32::from_le_bytes(bytes))).collect(),
        }),
        Ok(DataType::Int8) => Numbers::Integers(match raw.is_empty() {
            true => tensor.int32_data.iter().map(|value| i64::from(*value)).collect(),
            false => raw.iter().map(|byte| i64::from(i8::from_le_bytes([*byte]))).collect(),
        }),
        Ok(DataType::Uint8) => Numbers::Integers(match raw.is_empty() {
            true => tensor.int32_data.iter().map(|value| i64::from(*value)).collect(),
            false => raw.iter().map(|byte| i64::from(*byte)).collect(),
        }),
        Ok(DataType::Bool) => Numbers::Truths(match raw.is_empty() {
            true => tensor.int32_data.iter().map(|value| *value != 0).collect(),
            false => raw.iter().map(|byte| *byte != 0).collect(),
        }),
        other => {
            let what = other.map_or(format!("number {}", tensor.data_type), |other| format!("{other:?}"));
            return Err(wrong(format!("its elements are of type {what}"), "export float or double numbers"));
        }
    };
    let given = match &numbers {
        Numbers::Floats(values) => values.len(),
        Numbers::Integers(values) => values.len(),
        Numbers::Truths(values) => values.len(),
    };
    match given == count {
        true => Ok(Stored { dims: found, numbers }),
        false => Err(wrong(format!("{given} elements do not fill the shape {found:?}"), ANEW)),
    }
}

/// The bytes of each element.
fn chunks<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    // Bytes that are left over make the number of elements wrong.
    let whole = bytes.len().is_multiple_of(N);
    bytes.chunks(N).filter(move |_| whole).filter_map(|chunk| chunk.try_into().ok())
}
