//! One node with its operands: what operators ask of it, and how they refuse.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::array::{Array, Elements};
use super::dims;
use super::error::ImportError;
use crate::onnx::schema::{Attribute, Node};
use crate::tape::{Condition, Tape, Var};

/// A node whose operands are known.
pub(super) struct Call<'a, 't> {
    pub tape: &'t Tape,
    pub node: &'a Node,
    pub operands: Vec<Option<Array<'t>>>,
    /// The version of the operator set.
    pub version: i64,
    /// The name of the node, or of its first output where it has none.
    pub name: &'a str,
    /// Nodes that read at an index which can be out of bounds.
    pub clamped: &'a RefCell<BTreeSet<String>>,
}

pub(super) type Result<T> = std::result::Result<T, ImportError>;

/// The name of a node, or of its first output where it has none.
pub(super) fn name(node: &Node) -> &str {
    match (node.name.as_str(), node.output.iter().find(|output| !output.is_empty())) {
        ("", Some(output)) => output,
        (name, _) => name,
    }
}

impl<'a, 't> Call<'a, 't> {
    /// An error of operands or settings.
    pub fn wrong(&self, reason: impl Into<String>) -> ImportError {
        let (node, operator) = (self.name.to_string(), self.node.op_type.clone());
        ImportError::Node { node, operator, reason: reason.into() }
    }

    /// An operator, or a use of it, that is not read.
    pub fn refuse(&self, reason: impl Into<String>) -> ImportError {
        let (node, operator) = (self.name.to_string(), self.node.op_type.clone());
        ImportError::Operator { node, operator, reason: reason.into() }
    }

    /// An operand that may be left out.
    pub fn optional(&self, k: usize) -> Option<&Array<'t>> {
        self.operands.get(k).and_then(Option::as_ref)
    }

    /// An operand.
    pub fn operand(&self, k: usize) -> Result<&Array<'t>> {
        self.optional(k).ok_or_else(|| self.wrong(format!("operand {k} is missing")))
    }

    /// An operand as floating-point numbers.
    pub fn var(&self, k: usize) -> Result<Var<'t>> {
        let array = self.operand(k)?;
        if array.count() == 0 {
            return Err(self.wrong(format!("operand {k} has no elements")));
        }
        match array.is_float() {
            true => array.var(self.tape).map_err(|reason| self.wrong(reason)),
            false => Err(self.refuse(format!("operand {k} is {}, not floating-point numbers", array.kind()))),
        }
    }

    /// An operand as truth values.
    pub fn condition(&self, k: usize) -> Result<Condition<'t>> {
        let array = self.operand(k)?;
        array
            .condition(self.tape)
            .ok_or_else(|| self.wrong(format!("operand {k} is {}, not truth values", array.kind())))
    }

    /// An operand whose whole numbers are known: axes, shapes, indices.
    pub fn integers(&self, k: usize) -> Result<&[i64]> {
        match &self.operand(k)?.elements {
            Elements::Integers(values) => Ok(values),
            _ => Err(self.refuse(format!(
                "operand {k} is {}, but shapes, axes and positions must be known when the file is read",
                self.operand(k)?.kind()
            ))),
        }
    }

    /// A floating-point number that is known.
    pub fn number(&self, k: usize) -> Result<f64> {
        match &self.operand(k)?.elements {
            Elements::Numbers(values) if values.len() == 1 => Ok(values[0]),
            Elements::Integers(values) if values.len() == 1 => Ok(values[0] as f64),
            _ => Err(self.refuse(format!("operand {k} must be one known number"))),
        }
    }

    fn attribute(&self, name: &str) -> Option<&'a Attribute> {
        self.node.attribute.iter().find(|attribute| attribute.name == name)
    }

    /// Returns whether a setting is there.
    pub fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    /// A setting that is a whole number.
    pub fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).map_or(default, |attribute| attribute.i)
    }

    /// A setting that is a number.
    pub fn float(&self, name: &str, default: f32) -> f64 {
        f64::from(self.attribute(name).map_or(default, |attribute| attribute.f))
    }

    /// A setting that is a text.
    pub fn text(&self, name: &str, default: &str) -> String {
        self.attribute(name)
            .map_or(default.to_string(), |found| String::from_utf8_lossy(&found.s).into_owned())
    }

    /// A setting that is a list of whole numbers.
    pub fn ints(&self, name: &str) -> Option<&'a [i64]> {
        self.attribute(name).map(|attribute| attribute.ints.as_slice())
    }

    /// The setting itself.
    pub fn setting(&self, name: &str) -> Option<&'a Attribute> {
        self.attribute(name)
    }

    /// An axis of an operand of this rank.
    pub fn axis(&self, axis: i64, rank: usize) -> Result<usize> {
        dims::axis(axis, rank)
            .ok_or_else(|| self.wrong(format!("there is no axis {axis} in a tensor of rank {rank}")))
    }

    /// Axes given as an operand or, in older operator sets, as a setting; `None` where there are none.
    pub fn axes(&self, operand: usize, rank: usize) -> Result<Option<Vec<usize>>> {
        let given = match (self.ints("axes"), self.optional(operand)) {
            (Some(axes), _) => axes,
            (None, Some(_)) => self.integers(operand)?,
            (None, None) => return Ok(None),
        };
        given.iter().map(|axis| self.axis(*axis, rank)).collect::<Result<Vec<usize>>>().map(Some)
    }

    /// Number of elements of a result.
    pub fn count(&self, dims: &[usize]) -> Result<usize> {
        dims::count(dims).ok_or_else(|| {
            self.refuse(format!(
                "a tensor of shape {dims:?} has more than {} elements; export a smaller one",
                dims::MOST
            ))
        })
    }

    /// The shape to which two operands are broadcast.
    pub fn broadcast(&self, a: &[usize], b: &[usize]) -> Result<Vec<usize>> {
        let dims =
            dims::broadcast(a, b).ok_or_else(|| self.wrong(format!("shapes {a:?} and {b:?} do not fit")))?;
        self.count(&dims)?;
        Ok(dims)
    }

    /// An operand broadcast to a shape.
    pub fn spread(&self, array: &Array<'t>, dims: &[usize]) -> Result<Array<'t>> {
        array
            .broadcast(dims)
            .ok_or_else(|| self.wrong(format!("shape {:?} does not fit {dims:?}", array.dims)))
    }

    /// A result that is recorded.
    pub fn recorded(&self, dims: Vec<usize>, var: Var<'t>) -> Vec<Array<'t>> {
        vec![Array::new(dims, Elements::Recorded(var))]
    }
}
