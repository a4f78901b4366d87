//! Reverse divergence to a target that is known up to a constant.
//!
//! KL(q ‖ p) = E_q[ln q(x) - ln p(x)], q the density of the flow and p = p̃/Z. With x = f(z) and the change of variables,
//! ln q(x) = ln p_Z(z) - ln|det J_f(z)|,
//!
//! KL(q ‖ p) - ln Z = E[ln p_Z(z) - ln|det J_f(z)| - ln p̃(f(z))],  z ~ p_Z,
//!
//! an expectation over a distribution without parameters (of a learned base, over the noise that its draws are a function
//! of): the mean over draws of z estimates it without bias, and the
//! derivative of that mean, along f, is an unbiased estimate of its gradient (pathwise, or reparameterised,
//! gradient). Its negative is the evidence lower bound, E[ln p̃(x) - ln q(x)] ≤ ln Z, with equality where q = p. It
//! needs f and never f⁻¹.
//!
//! The reverse divergence is large where q has mass and p has none, and not the other way round: a flow that cannot
//! be p leaves out modes and tails. Importance sampling ([`FittedFlow::importance_sample`]) tells of tails by its k̂;
//! a mode that no draw reaches it cannot tell of.
//!
//! Source: Papamakarios et al. (2021), section 2.3.2, eq. 17 onwards; Rezende and Mohamed, "Variational inference with
//! normalizing flows" (2015), section 4.

use std::sync::Arc;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::context::Contexts;
use super::error::FlowError;
use super::fitted::FittedFlow;
use super::flow::Flow;
use super::history::{History, Stop};
use super::rows::{finite_rows, whole_rows};
use super::target::{Draw, Draws};
use crate::base::{Base, SCOPE};
use crate::program::Precision;
use crate::table::Table;
use crate::tape::{Parameters, Shape, Var};
use crate::train::{Loss, Minimiser, Schedule, TrainError, TrainingOptions};

/// Options of [`Flow::fit_to_target`].
pub struct TargetOptions<'a> {
    /// Seed of the initial parameters and of the draws.
    pub seed: u64,
    /// Number of steps.
    pub steps: usize,
    /// Number of draws of a step, new ones for each.
    pub draws: usize,
    /// Adam's step size, which the schedule multiplies.
    pub learning_rate: f64,
    /// Number of steps in which the step size rises linearly from near 0.
    pub warm_up: usize,
    /// How the step size falls after the warm-up; defaults to a cosine to a hundredth.
    pub schedule: Schedule,
    /// Maximum norm of the gradient (Euclidean, over all parameters); longer ones are scaled down.
    pub clip: f64,
    /// Decoupled weight decay, as [`FitOptions::weight_decay`](super::FitOptions::weight_decay).
    pub weight_decay: f64,
    /// Averaging of the parameters over steps: the mean of the last step has this weight, the new parameters the
    /// rest. The averages are what is kept. 0 is no averaging.
    pub averaging: f64,
    /// Whether steps are computed in single precision.
    pub single_precision: bool,
    /// The parameters to start from; else the initial ones of the seed.
    pub start: Option<&'a Parameters>,
    /// Contexts of a conditional density q(x | c): each draw has one of these rows, all equally likely. The target
    /// reads it by `x.tape().context(width)`.
    pub contexts: Option<&'a Table>,
    /// Is asked after each step whether to stop.
    pub stop: Option<&'a dyn Fn() -> bool>,
    /// Is called after each step.
    pub progress: Option<&'a mut dyn FnMut(TargetProgress)>,
}

impl Default for TargetOptions<'_> {
    fn default() -> Self {
        TargetOptions {
            seed: 0,
            steps: 2000,
            draws: 256,
            learning_rate: 5e-3,
            warm_up: 0,
            schedule: Schedule::Cosine { last: 0.01 },
            clip: 10.0,
            weight_decay: 0.0,
            averaging: 0.0,
            single_precision: false,
            start: None,
            contexts: None,
            stop: None,
            progress: None,
        }
    }
}

/// The state of a fit to a target after a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TargetProgress {
    /// Number of steps made.
    pub step: usize,
    /// Number of steps in all.
    pub steps: usize,
    /// The mean over the draws of the step of ln q(x) - ln p̃(x), an estimate of KL(q ‖ p) - ln Z before the step.
    pub loss: f64,
}

impl Flow {
    /// Records the loss ln q(x) - ln p̃(x) of a draw x = f(z) of the flow, with z drawn anew for each row of each
    /// step: its mean is KL(q ‖ p) - ln Z, the negative evidence lower bound. It has no data but the context, if the
    /// flow or the target reads one. [`Flow::fit_to_target`] minimises it. With a [`Minimiser`] the target may have
    /// parameters of its own, which are learned, too.
    ///
    /// `target` records ln p̃ of a vector of [`Flow::dim`] variables, as a scalar.
    ///
    /// # Errors
    /// [`FlowError::LearnedBase`], [`FlowError::Training`] for a target that cannot be recorded, and an error that
    /// says why a layer has no formula from z to x.
    pub fn reverse_kl<T>(&self, target: T) -> Result<Loss, FlowError>
    where
        T: for<'t> Fn(Var<'t>) -> Var<'t>,
    {
        let noise = self.noise()?;
        Loss::try_record(|sources| {
            let z = self.base_draw(sources.noise_of(noise))?;
            let Draw { log_density, log_target, .. } = Draw::record(self, &target, z)?;
            Ok(log_density - log_target)
        })
    }

    /// The base that a loss over draws draws from: the flow's own, or one without parameters of whose draws those of a
    /// learned base are a function.
    fn noise(&self) -> Result<Arc<dyn Base>, FlowError> {
        match self.learned_by_base() {
            None => Ok(self.base.clone()),
            Some(parameter) => {
                let base = self.base().name();
                let noise = self.base().noise();
                noise.map(Arc::from).map_err(|reason| FlowError::LearnedBase { base, parameter, reason })
            }
        }
    }

    /// Records z as a function of a draw of [`Flow::noise`].
    pub(super) fn base_draw<'t>(&self, noise: Var<'t>) -> Result<Var<'t>, FlowError> {
        let z = match self.learned_by_base() {
            None => noise,
            Some(_) => noise.tape().scope(SCOPE, || self.base().of_noise(noise)),
        };
        match z.shape() {
            Shape::Vector(d) if d == self.dim() => Ok(z),
            shape => Err(FlowError::Training(TrainError::Shape(shape))),
        }
    }

    /// The name of a parameter of the base, if it has one.
    pub(super) fn learned_by_base(&self) -> Option<String> {
        let prefix = format!("{SCOPE}.");
        let declarations = self.density().tape.declarations();
        declarations.into_iter().map(|one| one.name).find(|name| name.starts_with(&prefix))
    }

    /// Fits to a density that is known up to a constant: minimises the reverse divergence KL(q ‖ p) by draws of the
    /// flow (variational inference). `target` records ln p̃(x) of a vector of [`Flow::dim`] variables, as a scalar,
    /// on the same tape as layers are; it is a function, or a closure written in place.
    ///
    /// ```
    /// use pushforward::prelude::*;
    ///
    /// // θ ~ N(0, 1), and 2.0 ~ N(θ, ½²) is observed: the posterior has the mean 1.6 and the variance 0.2.
    /// fn log_joint(theta: Var<'_>) -> Var<'_> {
    ///     let theta = theta.at(0);
    ///     -0.5 * theta.powi(2) - 0.5 * ((2.0 - theta) / 0.5).powi(2)
    /// }
    /// let layer: Box<dyn Bijection> = Box::new(Affine::identity(1));
    /// let flow = Flow::new(StandardNormal::new(1), [layer])?;
    /// let options = TargetOptions { steps: 500, learning_rate: 0.05, ..TargetOptions::default() };
    /// let posterior = flow.fit_to_target(log_joint, options)?;
    /// let exact = |theta: f64| -0.5 * (theta - 1.6).powi(2) / 0.2 - 0.5 * (0.2 * std::f64::consts::TAU).ln();
    /// for (theta, log_p) in [1.6, 1.0].into_iter().zip(posterior.log_prob(&[1.6, 1.0])?) {
    ///     assert!((log_p - exact(theta)).abs() < 0.02);
    /// }
    /// # Ok::<(), FlowError>(())
    /// ```
    ///
    /// # Errors
    /// [`FlowError::Setting`], [`FlowError::Context`], and those of [`Flow::reverse_kl`]; [`FlowError::Target`] with
    /// the point when ln p̃ is not finite at a draw, and [`FlowError::NotFinite`] or [`FlowError::Training`] when the
    /// flow or a gradient is not.
    pub fn fit_to_target<T>(self, target: T, options: TargetOptions<'_>) -> Result<FittedFlow, FlowError>
    where
        T: for<'t> Fn(Var<'t>) -> Var<'t>,
    {
        let (parameters, stop) = match options.single_precision {
            true => minimise::<f32, T>(&self, &target, options)?,
            false => minimise::<f64, T>(&self, &target, options)?,
        };
        FittedFlow::new(self, parameters, History { stop, ..History::default() })
    }
}

/// Minimises the reverse divergence.
fn minimise<F: Precision, T>(
    flow: &Flow,
    target: &T,
    mut options: TargetOptions<'_>,
) -> Result<(Parameters, Stop), FlowError>
where
    T: for<'t> Fn(Var<'t>) -> Var<'t>,
{
    for (name, value) in [("steps", options.steps), ("draws", options.draws)] {
        if value == 0 {
            return Err(FlowError::Setting { name, value: "0".to_string(), allowed: "at least 1" });
        }
    }
    let loss = flow.reverse_kl(target)?;
    let width = loss.recording().0.declared_context().map_or(0, |context| context.len());
    let contexts = options.contexts.map_or(&[][..], Table::values);
    let given = options.contexts.map_or(0, Table::width);
    if given != width {
        return Err(FlowError::Context { expected: width, given });
    }
    if width > 0 {
        finite_rows(contexts, width)?;
        if whole_rows(contexts, width)? == 0 {
            return Err(FlowError::Context { expected: width, given: 0 });
        }
    }
    let start = match options.start {
        Some(start) => start.clone(),
        None => flow.initial(options.seed),
    };
    let settings = TrainingOptions {
        learning_rate: options.learning_rate,
        clip: options.clip,
        weight_decay: options.weight_decay,
        averaging: options.averaging,
        warm_up: options.warm_up,
        schedule: options.schedule,
        steps: options.steps,
        seed: options.seed,
    };
    let mut minimiser = Minimiser::<F>::new(&loss, start, settings)?;
    // Another stream of the same seed than that of the noise.
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    random.set_stream(1);
    let mut seen: Vec<f64> = Vec::new();
    for step in 1..=options.steps {
        draw_contexts(contexts, width, options.draws, &mut random, &mut seen);
        let single: Vec<F> = seen.iter().map(|value| F::of(*value)).collect();
        let data: Vec<&[F]> = if width > 0 { vec![&single] } else { Vec::new() };
        let loss = match minimiser.step(&data, options.draws) {
            Ok(loss) => loss,
            Err(error @ TrainError::NotFinite(_)) => {
                // The draws again, one by one: which of them, and whether it is the target.
                let draws = Draws::of_noise(flow, target, minimiser.parameters())?;
                let z: Vec<f64> = minimiser.noise().flatten().copied().collect();
                let contexts = Contexts::new(draws.context, &seen, options.draws)?;
                draws.evaluate(&contexts.beside(&z), options.draws, false)?;
                return Err(error.into());
            }
            Err(error) => return Err(error.into()),
        };
        let told = TargetProgress { step, steps: options.steps, loss };
        options.progress.iter_mut().for_each(|progress| progress(told));
        if options.stop.is_some_and(|stop| stop()) {
            return Ok((minimiser.averaged().clone(), Stop::Asked { epoch: step }));
        }
    }
    Ok((minimiser.averaged().clone(), Stop::Steps))
}

/// Draws a row of the contexts for each draw.
fn draw_contexts(contexts: &[f64], width: usize, draws: usize, random: &mut impl Rng, into: &mut Vec<f64>) {
    into.clear();
    for _ in 0..if width > 0 { draws } else { 0 } {
        let row = random.random_range(0..contexts.len() / width);
        into.extend_from_slice(&contexts[row * width..(row + 1) * width]);
    }
}
