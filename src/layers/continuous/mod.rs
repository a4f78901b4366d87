//! Continuous flows: dz/dt = v(z, t), along which d ln p/dt = -tr ∂v/∂z.
//!
//! Chen, Rubanova, Bettencourt, Duvenaud, "Neural Ordinary Differential Equations" (2018), theorem 1; the
//! trace estimate is that of FFJORD (Grathwohl et al., 2019). The equation is one node of the tape
//! ([`initial_value`]), whose steps are a loop of the program that runs it.

mod diffusion;
mod field;
mod solver;

use std::panic::Location;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use diffusion::{Diffusion, ProbabilityFlow};
pub use field::{Field, NetworkField};
pub use solver::Solver;

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{
    Bijection, Checked, Composition, InverseWithLogDet, Motion, Sealed, Trajectory, initial_value,
};
use crate::jacobian::{estimated_trace, map, trace};
use crate::tape::{Gradient, Integration, Shape, Tape, Var, concat};

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
/// x, the inverse and ln|det J| are all approximate, to the order or the tolerances of the solver. An audit measures the error.
#[derive(Clone, Debug)]
pub struct Continuous<V> {
    field: V,
    solver: Solver,
    steps: usize,
    span: (f64, f64),
    divergence: Divergence,
    gradient: Gradient,
    tolerance: f64,
}

impl<V: Field> Continuous<V> {
    /// Builds a layer that integrates from t = 0 to t = 1 in `steps` steps, with the exact trace. If the solver chooses the
    /// sizes of steps, it is the most that are tried: a row that needs more is NaN, and what uses it names this layer.
    ///
    /// # Panics
    /// When `steps` is 0, or a tolerance of the solver is not positive.
    pub fn new(field: V, solver: Solver, steps: usize) -> Continuous<V> {
        let (span, divergence, gradient) = ((0.0, 1.0), Divergence::Exact, Gradient::Discrete);
        Continuous { field, solver, steps, span, divergence, gradient, tolerance: 1e-4 }.checked()
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

    /// Sets how gradients are computed; defaults to the discrete adjoint, those of the steps that were taken.
    pub fn with_gradient(self, gradient: Gradient) -> Continuous<V> {
        Continuous { gradient, ..self }
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
        let solve = || self.solve_with_integral(x, (to, from), probes);
        let record = || x.tape().recording(|| x.tape().pass(solve));
        let (z, back) = x.tape().called_from(Location::caller(), record);
        InverseWithLogDet { z, log_det: -back }
    }

    fn probes<'t>(&self, tape: &'t Tape) -> Vec<Var<'t>> {
        let Divergence::Hutchinson { probes, seed } = self.divergence else { return Vec::new() };
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut sign = || if random.random::<bool>() { 1.0 } else { -1.0 };
        let mut probe = || tape.vector(&(0..self.field.dim()).map(|_| sign()).collect::<Vec<f64>>());
        (0..probes).map(|_| probe()).collect()
    }

    /// Records v, as a vector of d numbers.
    fn velocity<'t>(&self, z: Var<'t>, t: Var<'t>) -> Var<'t> {
        let (tape, d) = (z.tape(), self.field.dim());
        let v = self.field.velocity(z, t);
        if v.shape() == Shape::Vector(d) {
            return v;
        }
        let message = format!("v(z, t) of {} must be a vector of {d} numbers", self.field.name());
        tape.note("velocity", message, &[v.shape()], Location::caller());
        tape.placeholder(Shape::Vector(d))
    }

    fn integration(&self, (from, to): (f64, f64)) -> Integration {
        let method = self.solver.method(self.steps);
        Integration { gradient: self.gradient, ..Integration::new(from, to, method) }
    }

    /// The solution that begins at `start`.
    fn solve<'t>(&self, start: Var<'t>, span: (f64, f64)) -> Var<'t> {
        initial_value(start, self.integration(span), |z, t| self.velocity(z, t))
    }

    /// The solution that begins at `start`, and ∫ tr ∂v/∂z dt along it, estimated with the probes, or exact if there are
    /// none: as one more variable of the equation, whose error counts when steps are chosen.
    fn solve_with_integral<'t>(
        &self,
        start: Var<'t>,
        span: (f64, f64),
        probes: &[Var<'t>],
    ) -> (Var<'t>, Var<'t>) {
        let (tape, d) = (start.tape(), self.field.dim());
        let both = concat([start, tape.constant(0.0).broadcast(Shape::Vector(1))]);
        let end = initial_value(both, self.integration(span), |both, t| {
            let z = both.slice(0..d);
            let v = self.velocity(z, t);
            concat([v, divergence(z, v, probes).broadcast(Shape::Vector(1))])
        });
        (end.slice(0..d), end.at(d))
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
        let (x, log_det) = self.solve_with_integral(z, self.span, &self.probes(z.tape()));
        Trajectory { x, log_det }
    }

    fn pull<'t>(&self, x: Var<'t>) -> InverseWithLogDet<'t> {
        let (from, to) = self.span;
        let (z, back) = self.solve_with_integral(x, (to, from), &self.probes(x.tape()));
        InverseWithLogDet { z, log_det: -back }
    }

    fn method(&self) -> String {
        let trace = match self.divergence {
            Divergence::Exact => {
                let tape = Tape::new();
                let z = tape.input(Shape::Vector(self.field.dim()));
                let v = self.velocity(z, tape.input(Shape::Scalar));
                match trace(&tape, &map(&tape, z.id(), v.id())).sweeps {
                    0 => "exact trace from products of weights".to_string(),
                    1 => "exact trace by 1 tangent sweep".to_string(),
                    sweeps => format!("exact trace by {sweeps} tangent sweeps"),
                }
            }
            Divergence::Hutchinson { probes: 1, .. } => "trace estimated with 1 probe".to_string(),
            Divergence::Hutchinson { probes, .. } => format!("trace estimated with {probes} probes"),
        };
        format!("{}, {trace}", self.solver.described(self.steps))
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
        (divergence, gradient): (Divergence, Gradient),
        tolerance: f64,
    ) -> Continuous<V> {
        Continuous { field, solver, steps, span, divergence, gradient, tolerance }
    }
}

impl<V> Checked for Continuous<V> {
    fn fault(&self) -> Option<String> {
        let Continuous { solver, steps, span: (from, to), divergence, tolerance, .. } = self;
        if let Some(fault) = solver.fault() {
            return Some(fault);
        }
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
        z.tape().called_from(Location::caller(), || self.solve(z, self.span))
    }

    /// Records the integration backwards in time, which is approximate to the order of the solver.
    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        let (from, to) = self.span;
        Some(x.tape().called_from(Location::caller(), || self.solve(x, (to, from))))
    }

    fn name(&self) -> String {
        format!("Continuous {}", self.field.name())
    }

    fn composition(&self) -> Composition<'_> {
        Composition::Continuous(self)
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        let Continuous { field, solver, steps, span, divergence, gradient, tolerance } = self;
        let settings = serde_json::json!({
            "field": field.describe()?, "solver": solver, "steps": steps, "span": span,
            "divergence": divergence, "gradient": gradient, "tolerance": tolerance,
        });
        Description::new("continuous", &settings)
    }
}
