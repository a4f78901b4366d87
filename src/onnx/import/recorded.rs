//! Tensors of any rank on a tape, which knows scalars, vectors and matrices.
//!
//! Axes of size 1 are dropped. What is left of rank 0, 1 or 2 is a scalar, a vector or a matrix; of a larger rank it is the vector
//! of all elements. So two tensors of one shape have nodes of one shape, and weights stay matrices.

use crate::tape::{Shape, Var};

/// The shape of the node of a tensor.
pub(super) fn canonical(dims: &[usize]) -> Shape {
    let sizes: Vec<usize> = dims.iter().copied().filter(|size| *size != 1).collect();
    match sizes[..] {
        [] => Shape::Scalar,
        [n] => Shape::Vector(n),
        [rows, columns] => Shape::Matrix(rows, columns),
        _ => Shape::Vector(sizes.iter().product()),
    }
}

/// The elements at these positions as a tensor.
#[track_caller]
pub(super) fn picked<'t>(var: Var<'t>, positions: &[usize], dims: &[usize]) -> Var<'t> {
    let shape = canonical(dims);
    let unmoved = positions.len() == var.len() && positions.iter().enumerate().all(|(e, at)| e == *at);
    match unmoved {
        true => reshaped(var, dims),
        false => var.pick("gather", positions, shape),
    }
}

/// The same elements as a tensor of another shape.
#[track_caller]
pub(super) fn reshaped<'t>(var: Var<'t>, dims: &[usize]) -> Var<'t> {
    let shape = canonical(dims);
    if var.shape() == shape {
        return var;
    }
    let positions: Vec<usize> = (0..var.len()).collect();
    var.pick("reshape", &positions, shape)
}
