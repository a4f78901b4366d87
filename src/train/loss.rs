//! A loss as a recorded program.

use std::cell::RefCell;
use std::rc::Rc;

use super::error::TrainError;
use crate::base::Base;
use crate::sweep::resolve_movement;
use crate::tape::{Cut, NodeId, Parameters, Shape, Tape, Var};

/// Where the numbers of an input come from.
pub(super) enum Source {
    /// They are given for each step.
    Data,
    /// They are drawn anew for each row of each step.
    Noise(Rc<dyn Base>),
}

/// An input of a loss.
pub(super) struct Input {
    pub node: NodeId,
    pub source: Source,
}

/// A loss: one number for each row, a function of data, noise and parameters. Its mean over rows is what is minimised.
///
/// A mean and a deviation by maximum likelihood, row by row with weights:
///
/// ```
/// use pushforward::prelude::*;
/// use pushforward::train::{Loss, Minimiser, Settings};
///
/// let loss = Loss::record(|sources| {
///     let (x, weight) = (sources.data(1).at(0), sources.data(1).at(0));
///     let mean = sources.tape().parameter("mean", Shape::Scalar, Init::Constant(0.0));
///     let log_sd = sources.tape().parameter("log_sd", Shape::Scalar, Init::Constant(0.0));
///     let z = (x - mean) * (-log_sd).exp();
///     weight * (0.5 * z * z + log_sd)          // -ln p(x), but for a constant
/// })?;
/// let settings = Settings { learning_rate: 0.05, ..Settings::default() };
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

/// What a loss is a function of, while it is recorded.
pub struct Sources<'t> {
    tape: &'t Tape,
    inputs: RefCell<Vec<Input>>,
}

impl<'t> Sources<'t> {
    /// The tape: parameters are declared on it, and scopes name parts of the loss.
    pub fn tape(&self) -> &'t Tape {
        self.tape
    }

    /// Data of so many columns: a vector for each row. Steps take data in the order in which they are asked for here.
    pub fn data(&self, width: usize) -> Var<'t> {
        self.input(width, Source::Data)
    }

    /// Data of so many columns that the layers see as their context
    /// ([`Network::with_context`](crate::layers::Network::with_context)).
    pub fn context(&self, width: usize) -> Var<'t> {
        let context = self.tape.context(width);
        let mut inputs = self.inputs.borrow_mut();
        if inputs.iter().all(|input| input.node != context.id()) {
            inputs.push(Input { node: context.id(), source: Source::Data });
        }
        context
    }

    /// Noise: independent draws of a base, a new one for each row of each step.
    pub fn noise(&self, base: impl Base + 'static) -> Var<'t> {
        self.input(base.dim(), Source::Noise(Rc::new(base)))
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
    /// [`TrainError::Recording`] with every mistake of the recording; [`TrainError::Shape`] for what is no scalar.
    pub fn record(write: impl for<'t> FnOnce(&Sources<'t>) -> Var<'t>) -> Result<Loss, TrainError> {
        Loss::try_record(|sources| Ok::<_, TrainError>(write(sources)))
    }

    /// Records a loss by what may fail, such as a density of layers.
    ///
    /// # Errors
    /// As [`Loss::record`], and what `write` gives.
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
        // What layers asked for on their own comes last.
        if let Some(context) = tape.known_context()
            && inputs.iter().all(|input| input.node != context.id())
        {
            inputs.push(Input { node: context.id(), source: Source::Data });
        }
        let nodes: Vec<NodeId> = inputs.iter().map(|input| input.node).collect();
        let value = resolve_movement(&tape, &Cut::new(&tape, &nodes, &[value]))[0];
        Ok(Loss { tape, inputs, value })
    }

    /// The starting values of its parameters, for this seed.
    pub fn initial(&self, seed: u64) -> Parameters {
        Parameters::initialise(&self.tape, seed)
    }

    /// The names of its parameters, in the order in which they were declared.
    pub fn parameter_names(&self) -> Vec<String> {
        self.tape.declarations().into_iter().map(|declaration| declaration.name).collect()
    }

    /// The tape that it was recorded on, and its node there: for its formula and its derivatives.
    pub fn recording(&self) -> (&Tape, NodeId) {
        (&self.tape, self.value)
    }

    pub(super) fn inputs(&self) -> &[Input] {
        &self.inputs
    }
}
