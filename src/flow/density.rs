//! A flow: a base, layers, and the density they make.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::error::FlowError;
use super::fit::{Fit, History, Progress, train};
use super::table::Table;
use crate::base::Base;
use crate::bijection::{Bijection, BijectionError, Chain, Pulled, pull_back_with_log_det, push_forward};
use crate::program::{Output, Program};
use crate::sweep::resolve_movement;
use crate::tape::{Cut, NodeId, Parameters, Shape, Tape};

/// Layers over a base, not yet fitted.
pub struct Flow {
    base: Box<dyn Base>,
    chain: Chain,
}

/// The density on a tape of its own: x in, ln p(x) out.
pub(super) struct DensityTape {
    pub tape: Tape,
    pub x: NodeId,
    pub z: NodeId,
    pub log_prob: NodeId,
}

impl Flow {
    /// Puts layers, first to last, over a base. Every layer is recorded and its claims are proven.
    ///
    /// # Errors
    /// [`FlowError::Empty`], [`FlowError::Dimension`], and what is wrong with a layer.
    pub fn new(
        base: impl Base + 'static,
        layers: impl IntoIterator<Item = Box<dyn Bijection>>,
    ) -> Result<Flow, FlowError> {
        let layers: Vec<Box<dyn Bijection>> = layers.into_iter().collect();
        if layers.is_empty() {
            return Err(FlowError::Empty);
        }
        let flow = Flow { base: Box::new(base), chain: Chain::new(layers) };
        if flow.base.dim() != flow.chain.dim() {
            return Err(FlowError::Dimension { base: flow.base.dim(), layers: flow.chain.dim() });
        }
        flow.density()?;
        Ok(flow)
    }

    /// How many variables it has.
    pub fn dim(&self) -> usize {
        self.chain.dim()
    }

    /// The layers as one bijection.
    pub fn bijection(&self) -> &Chain {
        &self.chain
    }

    /// Records ln p(x) = ln p_Z(z) - ln|det J_f(z)| with z = f⁻¹(x).
    pub(super) fn density(&self) -> Result<DensityTape, FlowError> {
        let tape = Tape::new();
        let (x, z, log_prob) = {
            let x = tape.input(Shape::Vector(self.dim()));
            let Pulled { z, log_det } = pull_back_with_log_det(&self.chain, x)?;
            (x.id(), z.id(), (self.base.log_prob(z) - log_det).id())
        };
        // Before gradients are derived: what flows back from z and from log|det J| then meets at one node.
        let resolved = resolve_movement(&tape, &Cut::new(&tape, &[x], &[z, log_prob]));
        let (z, log_prob) = (resolved[0], resolved[1]);
        Ok(DensityTape { tape, x, z, log_prob })
    }

    /// The starting values of the parameters, for this seed.
    ///
    /// # Errors
    /// What is wrong with a layer.
    pub fn initial(&self, seed: u64) -> Result<Parameters, FlowError> {
        Ok(Parameters::initialise(&self.density()?.tape, seed))
    }

    /// The flow with these parameters.
    ///
    /// # Errors
    /// [`FlowError::Program`] when a parameter is missing or has another shape.
    pub fn with(self, parameters: Parameters) -> Result<Fitted, FlowError> {
        Fitted::new(self, parameters, History::default())
    }

    /// Fits by maximum likelihood: minimises the mean of -ln p(x), the forward Kullback-Leibler divergence up
    /// to a constant.
    ///
    /// # Errors
    /// [`FlowError::Width`], [`FlowError::Nan`], [`FlowError::TooFew`], [`FlowError::Setting`].
    pub fn fit(self, data: &Table, settings: Fit) -> Result<Fitted, FlowError> {
        self.fit_with(data, settings, |_| {})
    }

    /// The same, telling how it goes after each epoch.
    ///
    /// # Errors
    /// As [`Flow::fit`].
    pub fn fit_with(
        self,
        data: &Table,
        settings: Fit,
        progress: impl FnMut(Progress),
    ) -> Result<Fitted, FlowError> {
        let (parameters, history) = train(&self, data, &settings, progress)?;
        Fitted::new(self, parameters, history)
    }
}

/// A flow with values for its parameters: an exact density and a sampler.
pub struct Fitted {
    flow: Flow,
    parameters: Parameters,
    history: History,
    density: Program<f64>,
    /// Or why there is none: a layer that is written from x to z may have no z to x as a formula.
    sampler: Result<Program<f64>, BijectionError>,
}

impl Fitted {
    fn new(flow: Flow, parameters: Parameters, history: History) -> Result<Fitted, FlowError> {
        let DensityTape { tape, x, z, log_prob } = flow.density()?;
        let mut density = Program::compile(&tape, &[x], &[Output::Each(log_prob), Output::Each(z)]);
        density.load(&parameters)?;
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(flow.dim()));
        let sampler = match push_forward(&flow.chain, z) {
            Ok(pushed) => {
                let mut program = Program::compile(&tape, &[z.id()], &[Output::Each(pushed.x.id())]);
                program.load(&parameters)?;
                Ok(program)
            }
            Err(error) => Err(error),
        };
        Ok(Fitted { flow, parameters, history, density, sampler })
    }

    /// The values of the parameters.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// How the fitting went.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// ln p of each row, exactly; rows one after another.
    ///
    /// Outside the support, and at ±∞, the answer is -∞.
    ///
    /// # Errors
    /// [`FlowError::Rows`], [`FlowError::Nan`], and [`FlowError::NotFinite`] where a density should exist and
    /// the numbers break down.
    pub fn log_prob(&mut self, rows: &[f64]) -> Result<Vec<f64>, FlowError> {
        let d = self.flow.dim();
        let count = whole_rows(rows, d)?;
        let codomain = self.flow.chain.codomain();
        let mut results = self.density.run(&[rows], count)?;
        let z = results.pop().expect("two outputs");
        let mut log_prob = results.pop().expect("two outputs");
        for (row, value) in log_prob.iter_mut().enumerate() {
            let (x, z) = (&rows[row * d..(row + 1) * d], &z[row * d..(row + 1) * d]);
            let outside = x.iter().any(|x| !codomain.contains(*x));
            if outside || (z.iter().all(|z| z.is_finite()) && !self.flow.base.supports(z)) {
                *value = f64::NEG_INFINITY;
            } else if value.is_nan() || *value == f64::INFINITY {
                let origin = self.density.trace_nonfinite(&[x], 1)?;
                return Err(FlowError::not_finite(row, origin));
            }
        }
        Ok(log_prob)
    }

    /// Draws `count` points, row after row: one draw of the base and one pass each.
    ///
    /// # Errors
    /// [`FlowError::NotFinite`] when a pass breaks down, and why there is no way from z to x where a layer has
    /// none.
    pub fn sample(&mut self, count: usize, seed: u64) -> Result<Vec<f64>, FlowError> {
        let d = self.flow.dim();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut z = vec![0.0; count * d];
        z.chunks_mut(d).for_each(|row| self.flow.base.sample(&mut random, row));
        let sampler = self.sampler.as_mut().map_err(|error| error.clone())?;
        let x = sampler.run(&[&z], count)?.pop().expect("one output");
        if let Some(place) = x.iter().position(|value| !value.is_finite()) {
            let row = place / d;
            let origin = sampler.trace_nonfinite(&[&z[row * d..(row + 1) * d]], 1)?;
            return Err(FlowError::not_finite(row, origin));
        }
        Ok(x)
    }
}

/// How many whole rows there are.
pub(super) fn whole_rows(rows: &[f64], width: usize) -> Result<usize, FlowError> {
    if !rows.len().is_multiple_of(width) {
        return Err(FlowError::Rows { width, given: rows.len() });
    }
    match rows.iter().position(|value| value.is_nan()) {
        Some(place) => Err(FlowError::Nan { row: place / width, column: place % width }),
        None => Ok(rows.len() / width),
    }
}
