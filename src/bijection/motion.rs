//! Continuous layers, which integrate a differential equation numerically.

use super::recording::InverseWithLogDet;
use crate::tape::Var;

/// A continuous layer: x is the value at the final time of the solution of dz/dt = v(z, t) that starts at z.
///
/// Its ln|det J| is ∫ tr ∂v/∂z dt along the trajectory (Chen et al., "Neural Ordinary Differential
/// Equations", 2018, theorem 1), integrated by the same solver. Unlike all other layers this is an
/// approximation: the discretised map, the integration backwards in time and the integral agree only up to
/// the discretisation error. [`Motion::tolerance`] is the largest difference that an audit accepts.
///
/// The trait is sealed, so that no density can use an integral written by hand. Users implement a
/// [field](crate::layers::Field).
pub trait Motion: Sealed {
    /// Records v(z, t) of a vector and a scalar.
    fn velocity<'t>(&self, z: Var<'t>, t: Var<'t>) -> Var<'t>;

    /// Records tr ∂v/∂z at (z, t), as it is integrated.
    fn divergence<'t>(&self, z: Var<'t>, t: Var<'t>) -> Var<'t>;

    /// The times at z and at x.
    fn span(&self) -> (f64, f64);

    /// Records x from z, and ln|det J|.
    fn push<'t>(&self, z: Var<'t>) -> Trajectory<'t>;

    /// Records z from x, and ln|det J| from z to x.
    fn pull<'t>(&self, x: Var<'t>) -> InverseWithLogDet<'t>;

    /// The method in a few words, for example `8 Runge-Kutta steps, exact trace`.
    fn method(&self) -> String;

    /// Tolerance for ln|det J| and round trips.
    fn tolerance(&self) -> f64;
}

/// Prevents implementations of [`Motion`] outside of this crate.
pub trait Sealed {}

/// Result of the integration from z to x.
#[derive(Clone, Copy, Debug)]
pub struct Trajectory<'t> {
    /// x.
    pub x: Var<'t>,
    /// ln|det J|.
    pub log_det: Var<'t>,
}
