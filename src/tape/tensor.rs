//! Operations on vectors and matrices, with their shape rules.

use std::panic::Location;

use smallvec::smallvec;

use super::var::unary;
use super::{Op, Shape, Var, select};

impl<'t> Var<'t> {
    /// The sum of all elements.
    #[track_caller]
    pub fn sum(self) -> Var<'t> {
        unary(Op::Sum, self, Shape::Scalar)
    }

    /// Σ aᵢbᵢ of two vectors of equal length.
    #[track_caller]
    pub fn dot(self, other: Var<'t>) -> Var<'t> {
        match (self.shape(), other.shape()) {
            (Shape::Vector(n), Shape::Vector(m)) if n == m => (self * other).sum(),
            _ => self.refuse("dot", "two vectors of equal length are needed", &[other], Shape::Scalar),
        }
    }

    /// √(Σ aᵢ²), the Euclidean norm of all elements, with derivative 0 where every element is 0.
    ///
    /// The norm has no derivative there; 0 is one of its subgradients, and gives the right result for
    /// functions that are smooth nevertheless, like a/(1 + |a|). A plain square root of a sum of squares
    /// gives NaN there, from ∞·0.
    ///
    /// ```
    /// use pushforward::prelude::*;
    ///
    /// /// x = z + z/(2(1 + |z|)) has the Jacobian 3/2·I at 0.
    /// struct Radial;
    ///
    /// impl Bijection for Radial {
    ///     fn dim(&self) -> usize {
    ///         2
    ///     }
    ///     fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
    ///         z + (0.5 / (1.0 + z.norm())) * z
    ///     }
    /// }
    ///
    /// let recording = record(&Radial).unwrap();
    /// let values = pushforward::program::values(recording.tape(), recording.input(), &[recording.log_det()], &[0.0; 2]);
    /// assert!((values[0][0] - 2.0 * 1.5f64.ln()).abs() < 1e-15);
    /// ```
    #[track_caller]
    pub fn norm(self) -> Var<'t> {
        let square = (self * self).sum();
        select(square.le(0.0), 0.0, square.sqrt())
    }

    /// Element i of a vector, as a scalar; indices start at 0.
    #[track_caller]
    pub fn at(self, i: usize) -> Var<'t> {
        self.pick("at", &[i], Shape::Scalar)
    }

    /// The elements at these positions, as a vector.
    #[track_caller]
    pub fn gather(self, positions: &[usize]) -> Var<'t> {
        self.pick("gather", positions, Shape::Vector(positions.len()))
    }

    /// The elements of a vector in `range`.
    #[track_caller]
    pub fn slice(self, range: std::ops::Range<usize>) -> Var<'t> {
        let positions: Vec<usize> = range.collect();
        self.pick("slice", &positions, Shape::Vector(positions.len()))
    }

    /// Row i of a matrix, as a vector.
    #[track_caller]
    pub fn row(self, i: usize) -> Var<'t> {
        let Shape::Matrix(_, columns) = self.shape() else {
            return self.refuse("row", "only a matrix has rows", &[], self.shape());
        };
        let positions: Vec<usize> = (i * columns..(i + 1) * columns).collect();
        self.pick("row", &positions, Shape::Vector(columns))
    }

    /// Column j of a matrix, as a vector.
    #[track_caller]
    pub fn column(self, j: usize) -> Var<'t> {
        let Shape::Matrix(rows, columns) = self.shape() else {
            return self.refuse("column", "only a matrix has columns", &[], self.shape());
        };
        if j >= columns {
            return self.refuse("column", &format!("there is no column {j}"), &[], Shape::Vector(rows));
        }
        let positions: Vec<usize> = (0..rows).map(|row| row * columns + j).collect();
        self.pick("column", &positions, Shape::Vector(rows))
    }

    /// The elements of a matrix on its diagonal.
    #[track_caller]
    pub fn diagonal(self) -> Var<'t> {
        let Shape::Matrix(rows, columns) = self.shape() else {
            return self.refuse("diagonal", "only a matrix has a diagonal", &[], self.shape());
        };
        let n = rows.min(columns);
        let positions: Vec<usize> = (0..n).map(|i| i * columns + i).collect();
        self.pick("diagonal", &positions, Shape::Vector(n))
    }

    /// Returns the elements, by rows, in another shape.
    #[track_caller]
    pub fn reshape(self, shape: Shape) -> Var<'t> {
        if self.len() != shape.len() {
            let message = format!("{} elements do not fill {shape}", self.len());
            return self.refuse("reshape", &message, &[], shape);
        }
        if self.shape() == shape {
            return self;
        }
        let positions: Vec<usize> = (0..shape.len()).collect();
        self.pick("reshape", &positions, shape)
    }

    /// The elements at these positions, numbered by rows, in this shape.
    #[track_caller]
    pub(crate) fn pick(self, call: &'static str, positions: &[usize], shape: Shape) -> Var<'t> {
        if let Some(position) = positions.iter().find(|position| **position >= self.len()) {
            let message = match self.len() {
                0 => format!("there is no element {position}; it has none"),
                n => format!("there is no element {position}; indices run from 0 to {}", n - 1),
            };
            return self.refuse(call, &message, &[], shape);
        }
        let indices = positions.iter().map(|position| *position as u32).collect();
        unary(Op::Gather(indices), self, shape)
    }

    /// A node of this shape that is zero except for element k of `self`, added at `positions[k]`.
    #[track_caller]
    pub fn scatter(self, positions: &[usize], shape: Shape) -> Var<'t> {
        if positions.len() != self.len() || positions.iter().any(|position| *position >= shape.len()) {
            let message = format!("{} positions for {} elements of {shape}", positions.len(), self.len());
            return self.refuse("scatter", &message, &[], shape);
        }
        let indices = positions.iter().map(|position| *position as u32).collect();
        unary(Op::Scatter(indices), self, shape)
    }

    /// The transpose of a matrix.
    #[track_caller]
    pub fn transpose(self) -> Var<'t> {
        match self.shape() {
            Shape::Matrix(rows, columns) => unary(Op::Transpose, self, Shape::Matrix(columns, rows)),
            _ => self.refuse("transpose", "only a matrix can be transposed", &[], self.shape()),
        }
    }

    /// Matrix-vector product.
    #[track_caller]
    pub fn matvec(self, vector: Var<'t>) -> Var<'t> {
        match (self.shape(), vector.shape()) {
            (Shape::Matrix(rows, columns), Shape::Vector(n)) if columns == n => {
                self.binary(Op::MatVec, vector, Shape::Vector(rows))
            }
            (Shape::Matrix(rows, _), _) => {
                self.refuse("matvec", "a matrix [m×k] takes a vector [k]", &[vector], Shape::Vector(rows))
            }
            _ => self.refuse("matvec", "a matrix [m×k] takes a vector [k]", &[vector], vector.shape()),
        }
    }

    /// Matrix-matrix product.
    #[track_caller]
    pub fn matmul(self, other: Var<'t>) -> Var<'t> {
        match (self.shape(), other.shape()) {
            (Shape::Matrix(rows, inner), Shape::Matrix(same, columns)) if inner == same => {
                self.binary(Op::MatMul, other, Shape::Matrix(rows, columns))
            }
            _ => self.refuse("matmul", "a matrix [m×k] takes a matrix [k×n]", &[other], self.shape()),
        }
    }

    /// The matrix a bᵀ of two vectors.
    #[track_caller]
    pub fn outer(self, other: Var<'t>) -> Var<'t> {
        match (self.shape(), other.shape()) {
            (Shape::Vector(rows), Shape::Vector(columns)) => {
                self.binary(Op::Outer, other, Shape::Matrix(rows, columns))
            }
            _ => self.refuse("outer", "two vectors are needed", &[other], self.shape()),
        }
    }

    /// ln|det a| of a square matrix, by LU with partial pivoting; -∞ when it is singular.
    #[track_caller]
    pub fn log_abs_det(self) -> Var<'t> {
        match self.shape() {
            Shape::Matrix(rows, columns) if rows == columns => unary(Op::LogAbsDet, self, Shape::Scalar),
            _ => self.refuse("log_abs_det", "a square matrix is needed", &[], Shape::Scalar),
        }
    }

    /// The inverse of a square matrix, by LU with partial pivoting; NaN when it is singular.
    #[track_caller]
    pub fn inverse(self) -> Var<'t> {
        match self.shape() {
            Shape::Matrix(rows, columns) if rows == columns => unary(Op::Inverse, self, self.shape()),
            _ => self.refuse("inverse", "a square matrix is needed", &[], self.shape()),
        }
    }

    /// The exponential Σ Aᵏ/k! of a square matrix A; it is never singular, and its inverse is that of -A.
    ///
    /// Computed by scaling, a Padé approximant, and squaring (Higham, "The scaling and squaring method for the matrix
    /// exponential revisited", 2005).
    #[track_caller]
    pub fn matrix_exp(self) -> Var<'t> {
        match self.shape() {
            Shape::Matrix(rows, columns) if rows == columns => unary(Op::MatrixExp, self, self.shape()),
            _ => self.refuse("matrix_exp", "a square matrix is needed", &[], self.shape()),
        }
    }

    #[track_caller]
    fn binary(self, op: Op, other: Var<'t>, shape: Shape) -> Var<'t> {
        if !self.same_tape(&[other], op.name(), Location::caller()) {
            return self.tape().placeholder(shape);
        }
        self.tape().push(op, smallvec![self.id(), other.id()], shape)
    }

    /// Notes an error and returns a placeholder of the expected shape.
    #[track_caller]
    fn refuse(self, call: &'static str, message: &str, others: &[Var<'t>], shape: Shape) -> Var<'t> {
        let mut shapes = vec![self.shape()];
        shapes.extend(others.iter().map(|other| other.shape()));
        self.tape().note(call, message.to_string(), &shapes, Location::caller());
        self.tape().placeholder(shape)
    }
}
