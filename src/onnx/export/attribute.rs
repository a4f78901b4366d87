//! Settings of operators.

use crate::onnx::schema::{Attribute, AttributeKind, Graph, Tensor};

fn named(name: &str, kind: AttributeKind) -> Attribute {
    Attribute { name: name.to_string(), kind: kind as i32, ..Attribute::default() }
}

/// A whole number.
pub(super) fn integer(name: &str, value: i64) -> Attribute {
    Attribute { i: value, ..named(name, AttributeKind::Int) }
}

/// Whole numbers.
pub(super) fn integers(name: &str, values: &[i64]) -> Attribute {
    Attribute { ints: values.to_vec(), ..named(name, AttributeKind::Ints) }
}

/// A word.
pub(super) fn word(name: &str, value: &str) -> Attribute {
    Attribute { s: value.as_bytes().to_vec(), ..named(name, AttributeKind::String) }
}

/// Numbers.
pub(super) fn tensor(name: &str, value: Tensor) -> Attribute {
    Attribute { t: Some(value), ..named(name, AttributeKind::Tensor) }
}

/// A graph: the body of a loop.
pub(super) fn graph(name: &str, value: Graph) -> Attribute {
    Attribute { g: Some(value), ..named(name, AttributeKind::Graph) }
}
