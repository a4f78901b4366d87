//! Results of nodes, written as formulas.

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::attribute;
use super::graph::Graph;
use crate::onnx::schema::DataType;

/// The result of a node, a constant, or an input.
#[derive(Clone, Copy)]
pub(super) struct Value<'g> {
    pub graph: &'g Graph,
    pub id: u32,
    /// The type of its elements.
    pub kind: DataType,
}

macro_rules! functions {
    ($($(#[$meaning:meta])* $name:ident $operator:literal;)*) => {
        impl<'g> Value<'g> {
            $($(#[$meaning])* pub fn $name(self) -> Value<'g> { self.apply($operator) })*
        }
    };
}

functions! {
    /// eᵃ
    exp "Exp";
    /// ln a
    ln "Log";
    /// √a
    sqrt "Sqrt";
    /// |a|
    abs "Abs";
    /// The sign.
    sign "Sign";
    /// The largest whole number that is not above a.
    floor "Floor";
    /// tanh a
    tanh "Tanh";
    /// sin a
    sin "Sin";
    /// cos a
    cos "Cos";
    /// 1/a
    recip "Reciprocal";
    /// The same value by another name.
    identity "Identity";
}

macro_rules! comparisons {
    ($($(#[$meaning:meta])* $name:ident $operator:literal;)*) => {
        impl<'g> Value<'g> {
            $(
                $(#[$meaning])*
                pub fn $name(self, other: impl Operand<'g>) -> Value<'g> {
                    let other = other.beside(self);
                    self.graph.node($operator, &[self, other], vec![], DataType::Bool)
                }
            )*
        }
    };
}

comparisons! {
    /// a < b
    lt "Less";
    /// a ≤ b
    le "LessOrEqual";
    /// a > b
    gt "Greater";
    /// a ≥ b
    ge "GreaterOrEqual";
    /// a = b
    eq "Equal";
    /// Both.
    and "And";
    /// One of them at least.
    or "Or";
}

impl<'g> Value<'g> {
    fn apply(self, operator: &str) -> Value<'g> {
        self.graph.node(operator, &[self], vec![], self.kind)
    }

    /// An operator of two operands of one type.
    pub fn with(self, operator: &str, other: impl Operand<'g>) -> Value<'g> {
        let other = other.beside(self);
        self.graph.node(operator, &[self, other], vec![], self.kind)
    }

    /// The larger of the two; NaN if one is.
    pub fn max(self, other: impl Operand<'g>) -> Value<'g> {
        self.with("Max", other)
    }

    /// The smaller of the two; NaN if one is.
    pub fn min(self, other: impl Operand<'g>) -> Value<'g> {
        self.with("Min", other)
    }

    /// aᵇ
    pub fn pow(self, other: impl Operand<'g>) -> Value<'g> {
        self.with("Pow", other)
    }

    /// The matrix product, of the last two axes.
    pub fn matmul(self, other: Value<'g>) -> Value<'g> {
        self.with("MatMul", other)
    }

    /// Whether it is not a number.
    pub fn is_nan(self) -> Value<'g> {
        self.graph.node("IsNaN", &[self], vec![], DataType::Bool)
    }

    /// Whether it is ∞ or -∞. (The operator for infinities has no kernel for all types everywhere.)
    pub fn is_infinite(self) -> Value<'g> {
        self.abs().eq(f64::INFINITY)
    }

    /// The opposite of a truth value.
    pub fn not(self) -> Value<'g> {
        self.apply("Not")
    }

    /// Where it is true the one, elsewhere the other; the one not taken is not looked at.
    pub fn select(self, then: Value<'g>, otherwise: impl Operand<'g>) -> Value<'g> {
        let otherwise = otherwise.beside(then);
        self.graph.node("Where", &[self, then, otherwise], vec![], then.kind)
    }

    /// As another type.
    pub fn cast(self, kind: DataType) -> Value<'g> {
        match self.kind == kind {
            true => self,
            false => self.graph.node("Cast", &[self], vec![attribute::integer("to", kind as i64)], kind),
        }
    }

    /// In this shape; -1 stands for what is left, 0 for no elements.
    pub fn reshape(self, dims: &[i64]) -> Value<'g> {
        let shape = self.graph.integers(dims);
        self.reshape_to(shape)
    }

    /// In the shape that a list of sizes says.
    pub fn reshape_to(self, shape: Value<'g>) -> Value<'g> {
        let empty = attribute::integer("allowzero", 1);
        self.graph.node("Reshape", &[self, shape], vec![empty], self.kind)
    }

    /// Repeated along axes of size 1.
    pub fn expand(self, shape: Value<'g>) -> Value<'g> {
        self.graph.node("Expand", &[self, shape], vec![], self.kind)
    }

    /// With axes of size 1 at these places.
    pub fn unsqueeze(self, axes: &[i64]) -> Value<'g> {
        let axes = self.graph.integers(axes);
        self.graph.node("Unsqueeze", &[self, axes], vec![], self.kind)
    }

    /// Without these axes of size 1.
    pub fn squeeze(self, axes: &[i64]) -> Value<'g> {
        let axes = self.graph.integers(axes);
        self.graph.node("Squeeze", &[self, axes], vec![], self.kind)
    }

    /// Axes in this order.
    pub fn transpose(self, order: &[i64]) -> Value<'g> {
        self.graph.node("Transpose", &[self], vec![attribute::integers("perm", order)], self.kind)
    }

    /// The elements at these positions of an axis.
    pub fn gather(self, axis: i64, positions: Value<'g>) -> Value<'g> {
        self.graph.node("Gather", &[self, positions], vec![attribute::integer("axis", axis)], self.kind)
    }

    /// For each place the element at its own position of an axis.
    pub fn gather_elements(self, axis: i64, positions: Value<'g>) -> Value<'g> {
        let axis = attribute::integer("axis", axis);
        self.graph.node("GatherElements", &[self, positions], vec![axis], self.kind)
    }

    /// These values added at their own positions of an axis.
    pub fn scatter_add(self, axis: i64, positions: Value<'g>, values: Value<'g>) -> Value<'g> {
        let settings = vec![attribute::integer("axis", axis), attribute::word("reduction", "add")];
        self.graph.node("ScatterElements", &[self, positions, values], settings, self.kind)
    }

    /// Reduced over axes: `ReduceSum`, `ReduceMax`, `ReduceMin`.
    pub fn reduce(self, operator: &str, axes: &[i64], keep: bool) -> Value<'g> {
        let axes = self.graph.integers(axes);
        let keep = attribute::integer("keepdims", i64::from(keep));
        self.graph.node(operator, &[self, axes], vec![keep], self.kind)
    }

    /// The sum over axes, which are dropped.
    pub fn sum(self, axes: &[i64]) -> Value<'g> {
        self.reduce("ReduceSum", axes, false)
    }

    /// Of truth values: whether one is true, along the last axis, which is dropped.
    pub fn any(self) -> Value<'g> {
        self.cast(DataType::Int64).reduce("ReduceMax", &[-1], false).cast(DataType::Bool)
    }

    /// Of truth values: whether one is true among all.
    pub fn any_of_all(self) -> Value<'g> {
        let flat = self.reshape(&[-1]).cast(DataType::Int64);
        // One more, so that none of no rows is none.
        let none = self.graph.integers(&[0]);
        self.graph.concat(0, &[flat, none]).reduce("ReduceMax", &[0], false).cast(DataType::Bool)
    }

    /// The place of the largest element along an axis, which stays with size 1.
    pub fn arg_max(self, axis: i64) -> Value<'g> {
        self.graph.node("ArgMax", &[self], vec![attribute::integer("axis", axis)], DataType::Int64)
    }

    /// The sizes of all axes.
    pub fn shape(self) -> Value<'g> {
        self.graph.node("Shape", &[self], vec![], DataType::Int64)
    }

    /// The size of the first axis, as a list of one number.
    pub fn rows(self) -> Value<'g> {
        let (start, end) = (attribute::integer("start", 0), attribute::integer("end", 1));
        self.graph.node("Shape", &[self], vec![start, end], DataType::Int64)
    }
}

impl Graph {
    /// Side by side along an axis.
    pub fn concat<'g>(&'g self, axis: i64, parts: &[Value<'g>]) -> Value<'g> {
        self.node("Concat", parts, vec![attribute::integer("axis", axis)], parts[0].kind)
    }

    /// Copies of a number in the shape that a list of sizes says.
    pub fn filled<'g>(&'g self, value: Value<'g>, shape: Value<'g>) -> Value<'g> {
        value.expand(shape)
    }
}

/// What can stand beside a value: another one, or a number.
pub(super) trait Operand<'g> {
    fn beside(self, value: Value<'g>) -> Value<'g>;
}

impl<'g> Operand<'g> for Value<'g> {
    fn beside(self, _: Value<'g>) -> Value<'g> {
        self
    }
}

impl<'g> Operand<'g> for f64 {
    fn beside(self, value: Value<'g>) -> Value<'g> {
        value.graph.number_of(value.kind, self)
    }
}

macro_rules! arithmetic {
    ($($kind:ident $name:ident $operator:literal;)*) => {
        $(
            impl<'g, O: Operand<'g>> $kind<O> for Value<'g> {
                type Output = Value<'g>;
                fn $name(self, other: O) -> Value<'g> {
                    self.with($operator, other)
                }
            }
            impl<'g> $kind<Value<'g>> for f64 {
                type Output = Value<'g>;
                fn $name(self, other: Value<'g>) -> Value<'g> {
                    self.beside(other).with($operator, other)
                }
            }
        )*
    };
}

arithmetic! {
    Add add "Add";
    Sub sub "Sub";
    Mul mul "Mul";
    Div div "Div";
}

impl<'g> Neg for Value<'g> {
    type Output = Value<'g>;
    fn neg(self) -> Value<'g> {
        self.apply("Neg")
    }
}
