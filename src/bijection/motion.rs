//! Layers that move points along a differential equation, computed by steps.

use super::record::{LayerRecord, Pulled, Pushed, checked};
use super::{Bijection, BijectionError};
use crate::jacobian::Route;
use crate::tape::Var;

/// What a layer computes by steps: where the solution of dz/dt = v(z, t) ends that begins at z.
///
/// Its ln|det J| is ∫ tr ∂v/∂z dt along the way (Chen et al., "Neural Ordinary Differential Equations", 2018, theorem 1),
/// summed by the same steps. Unlike everything else that is recorded this is an approximation: the map that the steps make,
/// the way back and the integral belong to one bijection only as far as the steps are fine. [`Motion::tolerance`] says how
/// far apart an audit lets them be.
///
/// Only the library's own layers are motions: nobody writes an integral by hand that a density would then be made of. A
/// user writes a [field](crate::layers::Field).
pub trait Motion: Sealed {
    /// v(z, t), of a vector and a scalar.
    fn velocity<'t>(&self, z: Var<'t>, t: Var<'t>) -> Var<'t>;

    /// tr ∂v/∂z as it is summed, of the same.
    fn divergence<'t>(&self, z: Var<'t>, t: Var<'t>) -> Var<'t>;

    /// The times at z and at x.
    fn span(&self) -> (f64, f64);

    /// From z to x, and ln|det J| on the way.
    fn push<'t>(&self, z: Var<'t>) -> Ended<'t>;

    /// From x back to z, and ln|det J| of the way from z to x.
    fn pull<'t>(&self, x: Var<'t>) -> Pulled<'t>;

    /// How it is computed, in a few words: `8 Runge-Kutta steps, exact trace`.
    fn method(&self) -> String;

    /// How far ln|det J| and a round trip may be off.
    fn tolerance(&self) -> f64;
}

/// Keeps [`Motion`] to this crate.
pub trait Sealed {}

/// Where a motion ends.
#[derive(Clone, Copy, Debug)]
pub struct Ended<'t> {
    /// x.
    pub x: Var<'t>,
    /// ln|det J|.
    pub log_det: Var<'t>,
}

/// Records such a layer at z, where x is what its `forward` gave: ln|det J| is summed on the way.
pub(super) fn moved<'t>(
    bijection: &dyn Bijection,
    motion: &dyn Motion,
    (z, x): (Var<'t>, Var<'t>),
) -> Result<Pushed<'t>, BijectionError> {
    let ended = z.tape().pass(|| motion.push(z));
    if checked(bijection, "push", ended.x)?.id() != x.id() {
        return Err(BijectionError::Impure { layer: bijection.name(), function: "push" });
    }
    let record = LayerRecord {
        name: bijection.name(),
        input: z.id(),
        output: x.id(),
        log_det: ended.log_det.id(),
        literal_log_det: ended.log_det.id(),
        steps: Vec::new(),
        rules: Vec::new(),
        diagonal: None,
        structure: bijection.structure(),
        route: Route::Integral { method: motion.method() },
    };
    Ok(Pushed { x, log_det: ended.log_det, layers: vec![record] })
}
