//! Continuous flows: dz/dt = v(z, t), along which d ln p/dt = -tr ∂v/∂z.
//!
//! Chen, Rubanova, Bettencourt, Duvenaud, "Neural Ordinary Differential Equations" (2018), theorem 1; the
//! trace estimate is that of FFJORD (Grathwohl et al., 2019). The equation is solved with a fixed step size,
//! and every step is recorded: gradients are those of the discretised solution.

mod field;
mod solver;

use std::panic::Location;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use field::{Field, NetworkField};
pub use solver::Solver;

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked, Composition, InverseWithLogDet, Motion, Sealed, Trajectory};
use crate::jacobian::{estimated_trace, map, trace};
use crate::tape::{Shape, Tape, Var};

/// How tr ∂v/∂z is computed at each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Divergence {
    /// Exactly, with as many tangent sweeps as the dependence structure of the field requires; at most d.
    Exact,
    /// By Hutchinson's estimate, the mean of εᵀ(∂v/∂z)ε over `probes` vectors ε of random signs ±1. They are
    /// drawn once from `seed` and shared by all rows and steps, so that a density is a deterministic function
    /// of x. The estimate of ln p is unbiased over seeds.
    ///
    /// For training, draw new probes for each row ([`Continuous::inverse_with_probes`]): with fixed probes
    /// the flow can lower the estimated loss along these directions only.
    Hutchinson {
        /// Number of probes ε.
        probes: usize,
        /// Seed of the probes.
        seed: u64,
    },
}

/// Continuous flow layer: x is the solution at t = 1 of dz/dt = v(z, t) with z as its value at t = 0.
///
/// ```
/// use pushforward::layers::{Continuous, Field, Solver};
/// use pushforward::prelude::*;
///
/// /// dz/dt = t·z: x = z·√e, and ln|det J| = ½.
/// struct Spread;
///
/// impl Field for Spread {
///     fn dim(&self) -> usize { 1 }
///     fn velocity<'t>(&self, z: Var<'t>, t: Var<'t>) -> Var<'t> { t * z }
/// }
///
/// let layers: Vec<Box<dyn Bijection>> = vec![Box::new(Continuous::new(Spread, Solver::RungeKutta4, 20))];
/// let flow = Flow::new(StandardNormal::new(1), layers)?;
/// let start = flow.initial(0);
/// let log_p = flow.with(start)?.log_prob(&[1.0])?[0];
/// let exact = -0.5 / 1f64.exp() - 0.5 - 0.5 * (2.0 * std::f64::consts::PI).ln();
/// assert!((log_p - exact).abs() < 1e-7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// x, the inverse and ln|det J| are all approximate, to the order of the solver. An audit measures the error.
#[derive(Clone, Debug)]
pub struct Continuous<V> {
    field: V,
    solver: Solver,
    steps: usize,
    span: (f64, f64),
    divergence: Divergence,
    tolerance: f64,
}

impl<V: Field> Continuous<V> {
    /// Builds a layer that integrates from t = 0 to t = 1 in `steps` steps, with the exact trace.
    ///
    /// # Panics
    /// When `steps` is 0.
    pub fn new(field: V, solver: Solver, steps: usize) -> Continuous<V> {
        Continuous { field, solver, steps, span: (0.0, 1.0), divergence: Divergence::Exact, tolerance: 1e-4 }
            .checked()
    }

    /// Sets the time span: z is the value at `from`, x the value at `to`. `to` may be smaller than `from`.
    ///
    /// # Panics
    /// When either time is not finite.
    pub fn between(self, from: f64, to: f64) -> Continuous<V> {
        Continuous { span: (from, to), ..self }.checked()
    }

    /// Sets how the trace is computed.
    ///
    /// # Panics
    /// When an estimate has no probes.
    pub fn with_divergence(self, divergence: Divergence) -> Continuous<V> {
        Continuous { divergence, ..self }.checked()
    }

    /// Sets the error that an audit tolerates in ln|det J| and in round trips; defaults to 10⁻⁴.
    ///
    /// # Panics
    /// When it is negative or not finite.
    pub fn with_tolerance(self, tolerance: f64) -> Continuous<V> {
        Continuous { tolerance, ..self }.checked()
    }

    /// The vector field.
    pub fn field(&self) -> &V {
        &self.field
    }

    /// Records z and ln|det J| from x, with Hutchinson's estimate over these probes: vectors of independent
    /// entries of mean 0 and variance 1, such as [noise](crate::train::Sources::noise) drawn anew for each
    /// row.
    #[track_caller]
    pub fn inverse_with_probes<'t>(&self, x: Var<'t>, probes: &[Var<'t>]) -> InverseWithLogDet<'t> {
        let (from, to) = self.span;
        let record = || x.tape().recording(|| x.tape().pass(|| self.integrate(x, (to, from), Some(probes))));
        let (z, back) = x.tape().called_from(Location::caller(), record);
        InverseWithLogDet { z, log_det: -back.expect("a trace was asked for") }
    }

    fn probes<'t>(&self, tape: &'t Tape) -> Vec<Var<'t>> {
        let Divergence::Hutchinson { probes, seed } = self.divergence else { return Vec::new() };
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut sign = || if random.random::<bool>() { 1.0 } else { -1.0 };
        let mut probe = || tape.vector(&(0..self.field.dim()).map(|_| sign()).collect::<Vec<f64>>());
        (0..probes).map(|_| probe()).collect()
    }

    /// Integrates from `start` over the time span; also returns ∫ tr ∂v/∂z dt, estimated with the probes, or
    /// exact if there are none.
    fn integrate<'t>(
        &self,
        start: Var<'t>,
        (from, to): (f64, f64),
        probes: Option<&[Var<'t>]>,
    ) -> (Var<'t>, Option<Var<'t>>) {
        let (tape, d) = (start.tape(), self.field.dim());
        let mut first = true;
        let rate = |z: Var<'t>, t: f64| {
            let record = || self.field.velocity(z, tape.constant(t));
            // The first call declares the field's parameters; later calls share them.
            let v = if std::mem::replace(&mut first, false) { record() } else { tape.shared(record) };
            if v.shape() != Shape::Vector(d) {
                let message = format!("v(z, t) of {} must be a vector of {d} numbers", self.field.name());
                tape.note("velocity", message, &[v.shape()], Location::caller());
                return solver::Rate { v: tape.placeholder(Shape::Vector(d)), divergence: None };
            }
            solver::Rate { v, divergence: probes.map(|probes| divergence(z, v, probes)) }
        };
        self.solver.integrate(start, (from, to), self.steps, rate)
    }
}

/// Records tr ∂v/∂z: estimated with these probes, exact if there are none.
fn divergence<'t>(z: Var<'t>, v: Var<'t>, probes: &[Var<'t>]) -> Var<'t> {
    let (tape, map) = (z.tape(), map(z.tape(), z.id(), v.id()));
    match probes {
        [] => trace(tape, &map).value,
        probes => estimated_trace(tape, &map, probes).value,
    }
}

impl<V: Field> Sealed for Continuous<V> {}

impl<V: Field> Motion for Continuous<V> {
    fn velocity<'t>(&self, z: Var<'t>, t: Var<'t>) -> Var<'t> {
        self.field.velocity(z, t)
    }

    fn divergence<'t>(&self, z: Var<'t>, t: Var<'t>) -> Var<'t> {
        divergence(z, self.field.velocity(z, t), &self.probes(z.tape()))
    }

    fn span(&self) -> (f64, f64) {
        self.span
    }

    fn push<'t>(&self, z: Var<'t>) -> Trajectory<'t> {
        let (x, log_det) = self.integrate(z, self.span, Some(&self.probes(z.tape())));
        Trajectory { x, log_det: log_det.expect("a trace was asked for") }
    }

    fn pull<'t>(&self, x: Var<'t>) -> InverseWithLogDet<'t> {
        let (from, to) = self.span;
        let (z, back) = self.integrate(x, (to, from), Some(&self.probes(x.tape())));
        InverseWithLogDet { z, log_det: -back.expect("a trace was asked for") }
    }

    fn method(&self) -> String {
        let steps = if self.steps == 1 { "step" } else { "steps" };
        let trace = match self.divergence {
            Divergence::Exact => "exact trace".to_string(),
            Divergence::Hutchinson { probes: 1, .. } => "trace estimated with 1 probe".to_string(),
            Divergence::Hutchinson { probes, .. } => format!("trace estimated with {probes} probes"),
        };
        format!("{} {} {steps}, {trace}", self.steps, self.solver)
    }

    fn tolerance(&self) -> f64 {
        self.tolerance
    }
}

impl<V> Continuous<V> {
    /// Builds a layer from all its settings, which may be those of a file.
    #[cfg(feature = "serde")]
    pub(crate) fn of(
        field: V,
        (solver, steps, span): (Solver, usize, (f64, f64)),
        divergence: Divergence,
        tolerance: f64,
    ) -> Continuous<V> {
        Continuous { field, solver, steps, span, divergence, tolerance }
    }
}

impl<V> Checked for Continuous<V> {
    fn fault(&self) -> Option<String> {
        let Continuous { steps, span: (from, to), divergence, tolerance, .. } = self;
        if *steps == 0 {
            return Some("a continuous flow takes at least one step".to_string());
        }
        if !(from.is_finite() && to.is_finite()) {
            return Some(format!("the time span from {from} to {to} is not finite"));
        }
        if matches!(divergence, Divergence::Hutchinson { probes: 0, .. }) {
            return Some("an estimate of a trace needs at least one probe".to_string());
        }
        let sound = *tolerance >= 0.0 && tolerance.is_finite();
        (!sound).then(|| format!("the tolerance must be finite and not negative, but is {tolerance}"))
    }
}

impl<V: Field> Bijection for Continuous<V> {
    fn dim(&self) -> usize {
        self.field.dim()
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || self.integrate(z, self.span, None).0)
    }

    /// Records the integration backwards in time. An inverse of an unrolled solver cannot be derived; this
    /// one is approximate to the order of the solver.
    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        let (from, to) = self.span;
        Some(x.tape().called_from(Location::caller(), || self.integrate(x, (to, from), None).0))
    }

    fn name(&self) -> String {
        format!("Continuous {}", self.field.name())
    }

    fn composition(&self) -> Composition<'_> {
        Composition::Continuous(self)
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        let Continuous { field, solver, steps, span, divergence, tolerance } = self;
        let settings = serde_json::json!({
            "field": field.describe()?, "solver": solver, "steps": steps, "span": span,
            "divergence": divergence, "tolerance": tolerance,
        });
        Description::new("continuous", &settings)
    }
}
