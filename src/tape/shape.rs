//! Shapes of nodes: a scalar, a vector or a matrix.

use std::fmt;

/// The shape of a node. Elements of a matrix are numbered by rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Shape {
    /// A single number.
    Scalar,
    /// A vector of this many elements.
    Vector(usize),
    /// A matrix of this many rows and columns.
    Matrix(usize, usize),
}

impl Shape {
    /// Number of elements of a node of this shape.
    pub fn len(self) -> usize {
        match self {
            Shape::Scalar => 1,
            Shape::Vector(n) => n,
            Shape::Matrix(rows, columns) => rows * columns,
        }
    }

    /// Number of rows of a matrix; a vector is a column.
    pub fn rows(self) -> usize {
        match self {
            Shape::Scalar => 1,
            Shape::Vector(n) | Shape::Matrix(n, _) => n,
        }
    }

    /// Returns rows and columns of a matrix.
    ///
    /// # Panics
    /// When it is no matrix: the operation that asks takes matrices only, and was recorded with something else.
    #[track_caller]
    pub(crate) fn matrix_dims(self) -> (usize, usize) {
        match self {
            Shape::Matrix(rows, columns) => (rows, columns),
            Shape::Scalar | Shape::Vector(_) => panic!("an operation on matrices was recorded with {self}"),
        }
    }

    /// Returns whether there are no elements.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Scalar => f.write_str("a scalar"),
            Shape::Vector(n) => write!(f, "[{n}]"),
            Shape::Matrix(rows, columns) => write!(f, "[{rows}×{columns}]"),
        }
    }
}
