//! Continuous flows: a point moves along dz/dt = v(z, t), and its ln p changes by d ln p/dt = -tr ∂v/∂z.
//!
//! Chen, Rubanova, Bettencourt, Duvenaud, "Neural Ordinary Differential Equations" (2018), theorem 1; the estimated trace
//! is that of FFJORD (Grathwohl et al., 2019). The equation is solved by steps of equal length, which are recorded one
//! after another: gradients are those of the steps that were taken.

mod field;
mod solver;

use std::panic::Location;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use field::{Field, NetworkField};
pub use solver::Solver;

use crate::bijection::{Bijection, Ended, Motion, Pulled, Sealed};
use crate::jacobian::{estimated_trace, map, trace};
use crate::tape::{Shape, Tape, Var};

/// How tr ∂v/∂z is found at each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Divergence {
    /// Exactly, by as many tangent sweeps as the field's dependences ask for; d at most.
    Exact,
    /// By Hutchinson's estimate, the mean of εᵀ(∂v/∂z)ε over so many ε of signs ±1. They are drawn once, with this seed:
    /// the same for all rows and steps, so that a density is a function of x. Averaged over seeds, ln p is right.
    ///
    /// For training draw them anew for each row ([`Continuous::pull_back_with_probes`]): a flow that is always asked in the same
    /// directions learns to look good in these.
    Hutchinson {
        /// How many ε.
        probes: usize,
        /// Draws them.
        seed: u64,
    },
}

/// x is where the solution of dz/dt = v(z, t) is at t = 1 that was at z at t = 0.
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
/// let start = flow.initial(0)?;
/// let log_p = flow.with(start)?.log_prob(&[1.0])?[0];
/// let exact = -0.5 / 1f64.exp() - 0.5 - 0.5 * (2.0 * std::f64::consts::PI).ln();
/// assert!((log_p - exact).abs() < 1e-7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Everything is approximate to the order of the solver: x, the way back, and ln|det J|. An audit says by how much.
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
    /// From t = 0 to t = 1 in so many steps, with the exact trace.
    ///
    /// # Panics
    /// Without steps.
    pub fn new(field: V, solver: Solver, steps: usize) -> Continuous<V> {
        assert!(steps > 0, "a continuous flow takes at least one step");
        Continuous { field, solver, steps, span: (0.0, 1.0), divergence: Divergence::Exact, tolerance: 1e-4 }
    }

    /// From another time to another time: z is there at `from`, x at `to`. Time may run backwards.
    ///
    /// # Panics
    /// When one of them is not finite.
    pub fn between(self, from: f64, to: f64) -> Continuous<V> {
        assert!(from.is_finite() && to.is_finite(), "from {from} to {to} is no span of time");
        Continuous { span: (from, to), ..self }
    }

    /// With another way to find the trace.
    ///
    /// # Panics
    /// When an estimate is to have no probe.
    pub fn with_divergence(self, divergence: Divergence) -> Continuous<V> {
        let none = matches!(divergence, Divergence::Hutchinson { probes: 0, .. });
        assert!(!none, "an estimate of a trace needs at least one probe");
        Continuous { divergence, ..self }
    }

    /// How far an audit lets ln|det J| and round trips be off; 10⁻⁴ unless said.
    ///
    /// # Panics
    /// When it is negative or not finite.
    pub fn with_tolerance(self, tolerance: f64) -> Continuous<V> {
        assert!(
            tolerance >= 0.0 && tolerance.is_finite(),
            "a tolerance is a finite number that is not negative, and {tolerance} is none"
        );
        Continuous { tolerance, ..self }
    }

    /// The field.
    pub fn field(&self) -> &V {
        &self.field
    }

    /// Records z and ln|det J| from x, with Hutchinson's estimate over these probes: vectors of independent numbers of mean
    /// 0 and variance 1, such as [noise](crate::train::Sources::noise) that is drawn anew for each row.
    #[track_caller]
    pub fn pull_back_with_probes<'t>(&self, x: Var<'t>, probes: &[Var<'t>]) -> Pulled<'t> {
        let (from, to) = self.span;
        let record = || x.tape().recording(|| x.tape().pass(|| self.moved(x, (to, from), Some(probes))));
        let (z, back) = x.tape().called_from(Location::caller(), record);
        Pulled { z, log_det: -back.expect("a trace was asked for") }
    }

    fn probes<'t>(&self, tape: &'t Tape) -> Vec<Var<'t>> {
        let Divergence::Hutchinson { probes, seed } = self.divergence else { return Vec::new() };
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut sign = || if random.random::<bool>() { 1.0 } else { -1.0 };
        let mut probe = || tape.vector(&(0..self.field.dim()).map(|_| sign()).collect::<Vec<f64>>());
        (0..probes).map(|_| probe()).collect()
    }

    /// Where a point that is at `start` at one time is at the other, and ∫ tr ∂v/∂z dt if probes are given (none: exact).
    fn moved<'t>(
        &self,
        start: Var<'t>,
        (from, to): (f64, f64),
        probes: Option<&[Var<'t>]>,
    ) -> (Var<'t>, Option<Var<'t>>) {
        let (tape, d) = (start.tape(), self.field.dim());
        let mut first = true;
        let rate = |z: Var<'t>, t: f64| {
            let record = || self.field.velocity(z, tape.constant(t));
            // The first call declares the field's parameters; the others mean the same ones.
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

/// tr ∂v/∂z: estimated with these probes, exact if there are none.
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

    fn push<'t>(&self, z: Var<'t>) -> Ended<'t> {
        let (x, log_det) = self.moved(z, self.span, Some(&self.probes(z.tape())));
        Ended { x, log_det: log_det.expect("a trace was asked for") }
    }

    fn pull<'t>(&self, x: Var<'t>) -> Pulled<'t> {
        let (from, to) = self.span;
        let (z, back) = self.moved(x, (to, from), Some(&self.probes(x.tape())));
        Pulled { z, log_det: -back.expect("a trace was asked for") }
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

impl<V: Field> Bijection for Continuous<V> {
    fn dim(&self) -> usize {
        self.field.dim()
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || self.moved(z, self.span, None).0)
    }

    /// The same steps backwards in time. No inverse of an unrolled solver can be derived, and this one is as good as the
    /// steps are fine.
    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        let (from, to) = self.span;
        Some(x.tape().called_from(Location::caller(), || self.moved(x, (to, from), None).0))
    }

    fn name(&self) -> String {
        format!("Continuous {}", self.field.name())
    }

    fn motion(&self) -> Option<&dyn Motion> {
        Some(self)
    }
}
