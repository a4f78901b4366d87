//! A flow: a base, layers, and the density they make.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::context::Contexts;
use super::error::FlowError;
use super::fit::{Fit, History, Progress, train};
use super::support::{Support, Watch};
use super::table::Table;
use crate::base::{Base, SCOPE};
use crate::bijection::{
    Bijection, BijectionError, Boundary, Chain, Domain, InverseWithLogDet, forward_with_log_det,
    inverse_within_domains,
};
use crate::program::{Output, Program};
use crate::sweep::propagate_copies;
use crate::tape::{NodeId, Parameters, Shape, Subgraph, Tape};

impl DensityTape {
    /// x, and the context if there is one.
    pub fn inputs(&self) -> Vec<NodeId> {
        [self.x].into_iter().chain(self.context).collect()
    }
}

/// Layers over a base, not yet fitted.
///
/// Layers whose networks see a context ([`Network::with_context`](crate::layers::Network::with_context)) make a
/// conditional density p(x | c): then the methods that end in `_given` are to be used, and the others are refused.
pub struct Flow {
    base: Box<dyn Base>,
    chain: Chain,
    context: usize,
}

/// The density on a tape of its own: x in, ln p(x) out; and a context in, where the layers see one.
pub(super) struct DensityTape {
    pub tape: Tape,
    pub x: NodeId,
    pub context: Option<NodeId>,
    pub log_prob: NodeId,
    /// Where it holds; `None` where that is everywhere.
    pub support: Option<Support>,
}

impl Flow {
    /// Puts layers, first to last, over a base. Every layer is recorded and its claims are proven.
    ///
    /// The base must have its mass where the first layer is defined, and each layer must be defined where the one before
    /// it goes: else a part of the mass would be lost, and no density would integrate to 1. The density is 0 for an x
    /// that no z of the base's support is mapped to. Where such an x lies may depend on parameters: over a base on (0, 1)
    /// an affine layer reaches an interval that it learns, and while it is fitted the interval closes in on the data
    /// until one row is outside, where the fit [stops](crate::flow::Stop::Outside). A base on all of ℝ, or a first layer
    /// that maps the base's support onto ℝ, reaches everywhere.
    ///
    /// # Errors
    /// [`FlowError::Empty`], [`FlowError::Dimension`], [`FlowError::Base`], and what is wrong with a layer.
    pub fn new(
        base: impl Base + 'static,
        layers: impl IntoIterator<Item = Box<dyn Bijection>>,
    ) -> Result<Flow, FlowError> {
        let layers: Vec<Box<dyn Bijection>> = layers.into_iter().collect();
        if layers.is_empty() {
            return Err(FlowError::Empty);
        }
        let mut flow = Flow { base: Box::new(base), chain: Chain::new(layers), context: 0 };
        if flow.base.dim() != flow.chain.dim() {
            return Err(FlowError::Dimension { base: flow.base.dim(), layers: flow.chain.dim() });
        }
        let (support, first, d) = (flow.base.support(), &flow.chain.layers()[0], flow.dim());
        if !support.is_within(&first.domain(), d) {
            return Err(FlowError::Base {
                base: flow.base.name(),
                support: support.written(d),
                layer: first.name(),
                takes: first.domain().written(d),
            });
        }
        let DensityTape { tape, context, .. } = flow.density()?;
        flow.context = context.map_or(0, |node| tape.shape(node).len());
        Ok(flow)
    }

    /// How many variables it has.
    pub fn dim(&self) -> usize {
        self.chain.dim()
    }

    /// How many numbers the context has that its layers see; 0 for a density of x alone.
    pub fn context(&self) -> usize {
        self.context
    }

    /// The layers as one bijection.
    pub fn bijection(&self) -> &Chain {
        &self.chain
    }

    /// Records ln p(x) = ln p_Z(z) - ln|det J_f(z)| with z = f⁻¹(x).
    pub(super) fn density(&self) -> Result<DensityTape, FlowError> {
        let tape = Tape::new();
        tape.context_by_row();
        let (x, z, log_prob, support) = {
            let x = tape.input(Shape::Vector(self.dim()));
            let mut met = Vec::new();
            let InverseWithLogDet { z, log_det } = inverse_within_domains(&self.chain, x, &mut met)?;
            let log_base = tape.scope(SCOPE, || self.base.log_prob(z));
            let domain = self.base.support();
            if domain != Domain::Reals {
                met.push(Boundary { name: self.base.name(), value: z.id(), domain, base: true });
            }
            (x.id(), z.id(), (log_base - log_det).id(), Support::record(x, met))
        };
        let context = tape.declared_context().map(|context| context.id());
        let inputs: Vec<NodeId> = [x].into_iter().chain(context).collect();
        // Before gradients are derived: what flows back from z and from log|det J| then meets at one node.
        let nodes: Vec<NodeId> =
            [z, log_prob].into_iter().chain(support.iter().flat_map(Support::nodes)).collect();
        let resolved = propagate_copies(&tape, &Subgraph::new(&tape, &inputs, &nodes));
        let (log_prob, support) = (resolved[1], support.map(|support| support.with_nodes(&resolved[2..])));
        Ok(DensityTape { tape, x, context, log_prob, support })
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
    /// [`FlowError::Setting`], [`FlowError::Width`], [`FlowError::TooFew`]; [`FlowError::Nan`], [`FlowError::Infinite`],
    /// [`FlowError::Outside`], [`FlowError::Impossible`] and [`FlowError::NotFinite`] with the row that has no finite
    /// likelihood to start from.
    pub fn fit(self, data: &Table, settings: Fit) -> Result<Fitted, FlowError> {
        self.fit_with(data, settings, |_| {})
    }

    /// Fits the conditional density p(x | c), a context for each row, by the mean of ln p(x | c).
    ///
    /// ```
    /// use pushforward::prelude::*;
    ///
    /// // x is c, give or take a half.
    /// let c: Vec<f64> = (0..400).map(|k| (f64::from(k) * 0.37).sin()).collect();
    /// let x: Vec<f64> = c.iter().enumerate().map(|(k, c)| c + 0.5 * (k as f64 * 2.1).sin()).collect();
    /// let (x, c) = (Table::new(&["x"], x)?, Table::new(&["c"], c)?);
    ///
    /// let network = MaskedNetwork::new(1, [8]).with_context(1);
    /// let layers: Vec<Box<dyn Bijection>> = vec![Box::new(Autoregressive::maf(network))];
    /// let flow = Flow::new(StandardNormal::new(1), layers)?;
    /// let settings = Fit { epochs: 40, batch: 64, learning_rate: 2e-2, ..Fit::default() };
    /// let mut fitted = flow.fit_given(&x, &c, settings)?;
    /// let near = fitted.log_prob_given(&[0.9], &[0.9])?[0];
    /// let far = fitted.log_prob_given(&[0.9], &[-0.9])?[0];
    /// assert!(near > far);
    /// let samples = fitted.sample_given(100, &[0.9], 7)?;      // one context for all of them
    /// assert!(samples.iter().sum::<f64>() / 100.0 > 0.5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Flow::fit`], and [`FlowError::Context`], [`FlowError::ContextRows`].
    pub fn fit_given(self, data: &Table, contexts: &Table, settings: Fit) -> Result<Fitted, FlowError> {
        let (parameters, history) = train(&self, data, Some(contexts), &settings, |_| {})?;
        Fitted::new(self, parameters, history)
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
        let (parameters, history) = train(&self, data, None, &settings, progress)?;
        Fitted::new(self, parameters, history)
    }
}

/// A flow with values for its parameters: an exact density and a sampler.
pub struct Fitted {
    flow: Flow,
    /// The base with what it learned, if it has parameters.
    base: Option<Box<dyn Base>>,
    parameters: Parameters,
    history: History,
    density: Program<f64>,
    /// Where rows may leave the support.
    watch: Option<Watch<f64>>,
    /// Or why there is none: a layer that is written from x to z may have no z to x as a formula.
    sampler: Result<Program<f64>, BijectionError>,
}

impl Fitted {
    fn new(flow: Flow, parameters: Parameters, history: History) -> Result<Fitted, FlowError> {
        let recorded = flow.density()?;
        let inputs = recorded.inputs();
        let outside = recorded.support.as_ref().map(|support| support.outside);
        let outputs: Vec<Output> = [recorded.log_prob].into_iter().chain(outside).map(Output::Each).collect();
        let mut density = Program::compile(&recorded.tape, &inputs, &outputs);
        density.load(&parameters)?;
        let mut watch = recorded.support.as_ref().map(|support| support.watch(&recorded.tape, &inputs));
        watch.iter_mut().try_for_each(|watch| watch.load(&parameters))?;
        let tape = Tape::new();
        tape.context_by_row();
        let z = tape.input(Shape::Vector(flow.dim()));
        let sampler = match forward_with_log_det(&flow.chain, z) {
            Ok(pushed) => {
                let context = tape.declared_context().map(|context| context.id());
                let inputs: Vec<NodeId> = [z.id()].into_iter().chain(context).collect();
                let mut program = Program::compile(&tape, &inputs, &[Output::Each(pushed.x.id())]);
                program.load(&parameters)?;
                Ok(program)
            }
            Err(error) => Err(error),
        };
        let base = flow.base.with_parameters(&parameters);
        Ok(Fitted { flow, base, parameters, history, density, watch, sampler })
    }

    /// The values of the parameters.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// How the fitting went.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// ln p of each row, exactly (of a [continuous](crate::layers::Continuous) layer, to the order of its steps); rows one
    /// after another.
    ///
    /// Outside the support, and at ±∞, the answer is -∞ for that row. The support is what the layers make of the base's:
    /// on the way back from x, each number must lie in the codomain of each layer and at the end in the base's support.
    /// A row that lies on an end of one of these sets (to the last digit of a double) and has no other number is -∞ too.
    ///
    /// # Errors
    /// [`FlowError::Rows`], [`FlowError::Nan`], and [`FlowError::NotFinite`] where a density should exist and
    /// the numbers break down.
    pub fn log_prob(&mut self, rows: &[f64]) -> Result<Vec<f64>, FlowError> {
        self.log_prob_given(rows, &[])
    }

    /// ln p(x | c) of each row x; a context for each row, or one for all.
    ///
    /// # Errors
    /// As [`Fitted::log_prob`], and [`FlowError::Context`], [`FlowError::ContextRows`].
    pub fn log_prob_given(&mut self, rows: &[f64], contexts: &[f64]) -> Result<Vec<f64>, FlowError> {
        let d = self.flow.dim();
        let count = whole_rows(rows, d)?;
        let codomain = self.flow.chain.codomain();
        let contexts = Contexts::new(self.flow.context, contexts, count)?;
        let mut results = self.density.run(&contexts.beside(rows), count)?.into_iter();
        let mut log_prob = results.next().expect("ln p");
        let outside = results.next();
        for (row, value) in log_prob.iter_mut().enumerate() {
            let x = &rows[row * d..(row + 1) * d];
            if !codomain.contains(x) || outside.as_ref().is_some_and(|count| count[row] > 0.0) {
                *value = f64::NEG_INFINITY;
            } else if value.is_nan() || *value == f64::INFINITY {
                if let Some(watch) = &mut self.watch
                    && watch.on_an_end(&contexts.beside_row(x, row))?
                {
                    *value = f64::NEG_INFINITY;
                    continue;
                }
                let origin = self.density.trace_nonfinite(&contexts.beside_row(x, row), 1)?;
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
        self.sample_given(count, &[], seed)
    }

    /// Draws `count` points of p(x | c); a context for each of them, or one for all.
    ///
    /// # Errors
    /// As [`Fitted::sample`], and [`FlowError::Context`], [`FlowError::ContextRows`].
    pub fn sample_given(&mut self, count: usize, contexts: &[f64], seed: u64) -> Result<Vec<f64>, FlowError> {
        let d = self.flow.dim();
        let contexts = Contexts::new(self.flow.context, contexts, count)?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut z = vec![0.0; count * d];
        let base = self.base.as_ref().unwrap_or(&self.flow.base);
        z.chunks_mut(d).for_each(|row| base.sample(&mut random, row));
        let sampler = self.sampler.as_mut().map_err(|error| error.clone())?;
        let x = sampler.run(&contexts.beside(&z), count)?.pop().expect("one output");
        if let Some(place) = x.iter().position(|value| !value.is_finite()) {
            let row = place / d;
            let origin = sampler.trace_nonfinite(&contexts.beside_row(&z[row * d..(row + 1) * d], row), 1)?;
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

/// Refuses numbers that are infinite.
pub(super) fn finite_rows(rows: &[f64], width: usize) -> Result<(), FlowError> {
    match rows.iter().position(|value| value.is_infinite()) {
        Some(at) => Err(FlowError::Infinite { row: at / width, column: at % width, value: rows[at] }),
        None => Ok(()),
    }
}
