//! Elementwise operations and their shape rule: equal shapes, or a scalar, which is broadcast.

use std::panic::Location;

use super::var::unary;
use super::{Op, Operands, Shape, Var};

/// Records an elementwise operation; operands are broadcast to a common shape first.
#[track_caller]
pub(super) fn elementwise<'t>(op: Op, operands: &[Var<'t>]) -> Var<'t> {
    let place = Location::caller();
    let (first, tape) = (operands[0], operands[0].tape());
    if !first.same_tape(operands, op.name(), place) {
        return first;
    }
    let shapes: Vec<Shape> = operands.iter().map(|operand| operand.shape()).collect();
    let shape = shapes.iter().copied().find(|shape| *shape != Shape::Scalar).unwrap_or(Shape::Scalar);
    if shapes.iter().any(|other| *other != shape && *other != Shape::Scalar) {
        let message = "the shapes differ; only scalars are broadcast".to_string();
        tape.note(op.name(), message, &shapes, place);
        return tape.placeholder(shape);
    }
    let ids: Operands = operands.iter().map(|operand| operand.broadcast(shape).id()).collect();
    tape.push(op, ids, shape)
}

impl<'t> Var<'t> {
    /// Broadcasts a scalar to this shape; returns a node of this shape unchanged.
    ///
    /// A vector or matrix of another shape is a recording error.
    #[track_caller]
    pub fn broadcast(self, shape: Shape) -> Var<'t> {
        if self.shape() == shape {
            return self;
        }
        if self.shape() != Shape::Scalar {
            let message = "only a scalar can be broadcast".to_string();
            self.tape().note("broadcast", message, &[self.shape(), shape], Location::caller());
            return self.tape().placeholder(shape);
        }
        unary(Op::Broadcast, self, shape)
    }
}
