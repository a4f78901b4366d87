//! Losses as recorded programs.

use std::cell::RefCell;
use std::sync::Arc;

use super::error::TrainError;
use crate::base::Base;
use crate::sweep::propagate_copies;
use crate::tape::{NodeId, Parameters, Shape, Subgraph, Tape, Var};

/// Where the values of an input come from.
pub(super) enum Source {
    /// Given for each step.
    Data,
    /// Drawn anew for each row of each step.
    Noise(Arc<dyn Base>),
}

/// An input of a loss.
pub(super) struct Input {
    pub node: NodeId,
    pub source: Source,
}

/// A loss: one number for each row, as a function of data, noise and parameters. Training minimises its mean
/// over rows.
///
/// Example: mean and standard deviation by maximum likelihood, with a weight for each row:
///
/// ```
/// use pushforward::prelude::*;
/// use pushforward::train::{Loss, Minimiser, TrainingOptions};
///
/// let loss = Loss::record(|sources| {
///     let (x, weight) = (sources.data(1).at(0), sources.data(1).at(0));
///     let mean = sources.tape().parameter("mean", Shape::Scalar, Init::Constant(0.0));
///     let log_sd = sources.tape().parameter("log_sd", Shape::Scalar, Init::Constant(0.0));
///     let z = (x - mean) * (-log_sd).exp();
///     weight * (0.5 * z * z + log_sd)          // -ln p(x), but for a constant
/// })?;
/// let settings = TrainingOptions { learning_rate: 0.05, ..TrainingOptions::default() };
/// let mut minimiser = Minimiser::<f64>::new(&loss, loss.initial(0), settings)?;
/// let (x, weights) = ([4.0, 6.0, 100.0], [1.0, 1.0, 0.0]);
/// for _ in 0..1000 {
///     minimiser.step(&[&x, &weights], 3)?;
/// }
/// let mean = minimiser.parameters().get("mean").unwrap().values[0];
/// assert!((mean - 5.0).abs() < 1e-3);          // the third row has no weight
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Loss {
    tape: Tape,
    inputs: Vec<Input>,
    value: NodeId,
}

/// The inputs of a loss while it is recorded.
pub struct Sources<'t> {
    tape: &'t Tape,
    inputs: RefCell<Vec<Input>>,
}

impl<'t> Sources<'t> {
    /// The tape, for declaring parameters and opening scopes.
    pub fn tape(&self) -> &'t Tape {
        self.tape
    }

    /// Declares a data input with `width` columns: a vector for each row. Steps take data inputs in the order
    /// of declaration.
    pub fn data(&self, width: usize) -> Var<'t> {
        self.input(width, Source::Data)
    }

    /// Declares a data input with `width` columns that layers read as their context
    /// ([`Network::with_context`](crate::layers::Network::with_context)).
    pub fn context(&self, width: usize) -> Var<'t> {
        let context = self.tape.context(width);
        let mut inputs = self.inputs.borrow_mut();
        if inputs.iter().all(|input| input.node != context.id()) {
            inputs.push(Input { node: context.id(), source: Source::Data });
        }
        context
    }

    /// Declares a noise input: independent draws from a base distribution, new for each row of each step.
    pub fn noise(&self, base: impl Base + 'static) -> Var<'t> {
        self.noise_of(Arc::new(base))
    }

    /// Declares a noise input of a base that is shared.
    pub(crate) fn noise_of(&self, base: Arc<dyn Base>) -> Var<'t> {
        self.input(base.dim(), Source::Noise(base))
    }

    fn input(&self, width: usize, source: Source) -> Var<'t> {
        let input = self.tape.input(Shape::Vector(width));
        self.inputs.borrow_mut().push(Input { node: input.id(), source });
        input
    }
}

impl Loss {
    /// Records a loss.
    ///
    /// # Errors
    /// [`TrainError::Recording`] with all recording errors; [`TrainError::Shape`] if the result is not a
    /// scalar.
    pub fn record(write: impl for<'t> FnOnce(&Sources<'t>) -> Var<'t>) -> Result<Loss, TrainError> {
        Loss::try_record(|sources| Ok::<_, TrainError>(write(sources)))
    }

    /// Records a loss by a function that can fail, such as one that records the density of layers.
    ///
    /// # Errors
    /// As [`Loss::record`], and the errors of `write`.
    pub fn try_record<E: From<TrainError>>(
        write: impl for<'t> FnOnce(&Sources<'t>) -> Result<Var<'t>, E>,
    ) -> Result<Loss, E> {
        let tape = Tape::new();
        tape.context_by_row();
        let (value, mut inputs) = {
            let sources = Sources { tape: &tape, inputs: RefCell::default() };
            let value = write(&sources)?;
            tape.check().map_err(TrainError::Recording)?;
            if value.shape() != Shape::Scalar {
                return Err(TrainError::Shape(value.shape()).into());
            }
            (value.id(), sources.inputs.into_inner())
        };
        // A context that only layers declared is the last data input.
        if let Some(context) = tape.declared_context()
            && inputs.iter().all(|input| input.node != context.id())
        {
            inputs.push(Input { node: context.id(), source: Source::Data });
        }
        let nodes: Vec<NodeId> = inputs.iter().map(|input| input.node).collect();
        let value = propagate_copies(&tape, &Subgraph::new(&tape, &nodes, &[value]))[0];
        Ok(Loss { tape, inputs, value })
    }

    /// Returns the initial values of its parameters for this seed.
    pub fn initial(&self, seed: u64) -> Parameters {
        Parameters::initialise(&self.tape, seed)
    }

    /// Names of its parameters, in the order of declaration.
    pub fn parameter_names(&self) -> Vec<String> {
        self.tape.declarations().into_iter().map(|declaration| declaration.name).collect()
    }

    /// The tape on which it was recorded and its node there, for example to print its formula or derivatives.
    pub fn recording(&self) -> (&Tape, NodeId) {
        (&self.tape, self.value)
    }

    pub(super) fn inputs(&self) -> &[Input] {
        &self.inputs
    }
}
