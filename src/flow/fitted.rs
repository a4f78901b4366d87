//! A fitted flow: densities and samples.

use std::sync::OnceLock;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::context::Contexts;
use super::error::FlowError;
use super::flow::Flow;
use super::history::History;
use super::order::ConditionalPrograms;
use super::rows::whole_rows;
use super::support::Watch;
use crate::base::Base;
use crate::bijection::{Bijection, forward_with_log_det};
use crate::program::{Output, Program, ProgramError};
use crate::tape::{NodeId, Parameters, Shape, Tape};

/// A flow with values for its parameters: an exact density and a sampler.
///
/// Densities and samples take `&self`: several threads may use one flow at once.
pub struct FittedFlow {
    flow: Flow,
    /// The base with its learned parameters, if it has any.
    base: Option<Box<dyn Base>>,
    parameters: Parameters,
    history: History,
    // Compiled when they are asked for: a model file is loaded to be described, scored with, or sampled from.
    density: OnceLock<Result<CompiledDensity, FlowError>>,
    /// The sampler, or why there is none: a layer that is defined from x to z may have no formula from z to x.
    sampler: OnceLock<Result<Program<f64>, FlowError>>,
    pub(super) conditionals: OnceLock<Result<ConditionalPrograms, FlowError>>,
}

/// ln p as a program.
struct CompiledDensity {
    program: Program<f64>,
    /// Where rows may leave the support.
    watch: Option<Watch<f64>>,
}

impl Flow {
    /// Returns the flow with these parameters.
    ///
    /// # Errors
    /// [`FlowError::Program`] when a parameter is missing or has another shape.
    pub fn with(self, parameters: Parameters) -> Result<FittedFlow, FlowError> {
        FittedFlow::new(self, parameters, History::default())
    }
}

impl FittedFlow {
    /// Puts values in the place of the parameters.
    pub(super) fn new(flow: Flow, parameters: Parameters, history: History) -> Result<FittedFlow, FlowError> {
        for declaration in flow.density().tape.declarations() {
            parameters.resolve(&declaration).map_err(ProgramError::from)?;
        }
        let base = flow.base.with_parameters(&parameters);
        let (density, sampler, conditionals) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Ok(FittedFlow { flow, base, parameters, history, density, sampler, conditionals })
    }

    fn density(&self) -> Result<&CompiledDensity, FlowError> {
        self.density.get_or_init(|| self.compiled_density()).as_ref().map_err(FlowError::clone)
    }

    fn compiled_density(&self) -> Result<CompiledDensity, FlowError> {
        let recorded = self.flow.density();
        let inputs = recorded.inputs();
        let outside = recorded.support.as_ref().map(|support| support.outside);
        let outputs: Vec<Output> = [recorded.log_prob].into_iter().chain(outside).map(Output::Each).collect();
        let mut program = Program::compile(&recorded.tape, &inputs, &outputs);
        program.load(&self.parameters)?;
        let mut watch = recorded.support.as_ref().map(|support| support.watch(&recorded.tape, &inputs));
        watch.iter_mut().try_for_each(|watch| watch.load(&self.parameters))?;
        Ok(CompiledDensity { program, watch })
    }

    fn sampler(&self) -> Result<&Program<f64>, FlowError> {
        self.sampler.get_or_init(|| self.compiled_sampler()).as_ref().map_err(FlowError::clone)
    }

    fn compiled_sampler(&self) -> Result<Program<f64>, FlowError> {
        let tape = Tape::new();
        tape.context_by_row();
        let z = tape.input(Shape::Vector(self.flow.dim()));
        let pushed = forward_with_log_det(&self.flow.chain, z)?;
        let context = tape.declared_context().map(|context| context.id());
        let inputs: Vec<NodeId> = [z.id()].into_iter().chain(context).collect();
        let mut program = Program::compile(&tape, &inputs, &[Output::Each(pushed.x.id())]);
        program.load(&self.parameters)?;
        Ok(program)
    }

    /// The flow of which it is: base and layers.
    pub fn flow(&self) -> &Flow {
        &self.flow
    }

    /// The values of the parameters.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The course of the fit.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Returns ln p of each row; rows one after another. It is exact, or for a
    /// [continuous](crate::layers::Continuous) layer accurate to the order of its steps.
    ///
    /// Outside of the support, and at ±∞, the result is -∞ for that row. The support is the image of the base's
    /// support under the layers: computing from x to z, each value must lie in the codomain of each layer and finally
    /// in the base's support. A row on an end of one of these sets (to the last digit of a double) without a finite
    /// value is -∞ too.
    ///
    /// # Errors
    /// [`FlowError::Rows`], [`FlowError::Nan`], and [`FlowError::NotFinite`] where a density should exist and its
    /// computation fails.
    pub fn log_prob(&self, rows: &[f64]) -> Result<Vec<f64>, FlowError> {
        self.log_prob_given(rows, &[])
    }

    /// Returns ln p(x | c) of each row x; a context for each row, or one for all.
    ///
    /// # Errors
    /// As [`FittedFlow::log_prob`], and [`FlowError::Context`], [`FlowError::ContextRows`].
    pub fn log_prob_given(&self, rows: &[f64], contexts: &[f64]) -> Result<Vec<f64>, FlowError> {
        let d = self.flow.dim();
        let count = whole_rows(rows, d)?;
        let codomain = self.flow.chain.codomain();
        let contexts = Contexts::new(self.flow.context, contexts, count)?;
        let CompiledDensity { program, watch } = self.density()?;
        let mut results = program.run(&contexts.beside(rows), count)?.into_iter();
        let mut log_prob = results.next().expect("ln p");
        let outside = results.next();
        for (row, value) in log_prob.iter_mut().enumerate() {
            let x = &rows[row * d..(row + 1) * d];
            if !codomain.contains(x) || outside.as_ref().is_some_and(|count| count[row] > 0.0) {
                *value = f64::NEG_INFINITY;
            } else if value.is_nan() || *value == f64::INFINITY {
                if let Some(watch) = watch
                    && watch.on_an_end(&contexts.beside_row(x, row))?
                {
                    *value = f64::NEG_INFINITY;
                    continue;
                }
                let origin = program.trace_nonfinite(&contexts.beside_row(x, row), 1)?;
                return Err(FlowError::not_finite(row, origin));
            }
        }
        Ok(log_prob)
    }

    /// Draws `count` points, row after row: one draw of the base and one pass each.
    ///
    /// # Errors
    /// [`FlowError::NotFinite`] when a pass fails, and an error that says why a layer has no formula from z to x.
    pub fn sample(&self, count: usize, seed: u64) -> Result<Vec<f64>, FlowError> {
        self.sample_given(count, &[], seed)
    }

    /// Draws `count` points of p(x | c); a context for each of them, or one for all.
    ///
    /// # Errors
    /// As [`FittedFlow::sample`], and [`FlowError::Context`], [`FlowError::ContextRows`].
    pub fn sample_given(&self, count: usize, contexts: &[f64], seed: u64) -> Result<Vec<f64>, FlowError> {
        let d = self.flow.dim();
        let contexts = Contexts::new(self.flow.context, contexts, count)?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut z = vec![0.0; count * d];
        z.chunks_mut(d).for_each(|row| self.base().sample(&mut random, row));
        self.pushed(&z, &contexts, count)
    }

    /// The base with its learned parameters.
    pub(crate) fn base(&self) -> &dyn Base {
        self.base.as_deref().unwrap_or(self.flow.base())
    }

    /// Returns x = f(z) of each row.
    pub(super) fn pushed(
        &self,
        z: &[f64],
        contexts: &Contexts<'_>,
        count: usize,
    ) -> Result<Vec<f64>, FlowError> {
        let d = self.flow.dim();
        let sampler = self.sampler()?;
        let x = sampler.run(&contexts.beside(z), count)?.pop().expect("one output");
        if let Some(place) = x.iter().position(|value| !value.is_finite()) {
            let row = place / d;
            let origin = sampler.trace_nonfinite(&contexts.beside_row(&z[row * d..(row + 1) * d], row), 1)?;
            return Err(FlowError::not_finite(row, origin));
        }
        Ok(x)
    }
}
