//! Multilayer perceptrons, the usual conditioner.
//!
//! h ← tanh(W h + b), or another activation, for each hidden layer, and W h + b at the end.
//!
//! A network is not a bijection: it computes the element parameters of a coupling layer. It can be arbitrary,
//! because it is never inverted.

use std::panic::Location;

use super::activation::Activation;
use crate::tape::{Init, Shape, Tape, Var, is_possible};

/// Multilayer perceptron, with tanh units unless others are chosen.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Network {
    hidden: Vec<usize>,
    context: usize,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Activation::is_default"))]
    activation: Activation,
}

impl Network {
    /// Builds a network with hidden layers of these widths; an empty list gives a linear map.
    pub fn new(hidden: impl Into<Vec<usize>>) -> Network {
        Network { hidden: hidden.into(), context: 0, activation: Activation::default() }
    }

    /// Adds a context of `width` numbers, for a conditional density: every unit of the first layer also reads
    /// the context c through an added term C·c, where C is the parameter `net.context`.
    pub fn with_context(self, width: usize) -> Network {
        Network { context: width, ..self }
    }

    /// Sets the activation function of the hidden units; defaults to [`Activation::Tanh`].
    pub fn with_activation(self, activation: Activation) -> Network {
        Network { activation, ..self }
    }

    /// Records the network on an input; its parameters are `net.0.weight`, `net.0.bias`, `net.1.weight`, ….
    ///
    /// Hidden weights have Glorot and Bengio's initialisation. The last layer is initialised to 0, so that a
    /// flow starts as the identity (Kingma and Dhariwal, "Glow", 2018, section 3.3).
    ///
    /// A hidden layer without units and a weight matrix that is too large are recording errors.
    pub fn apply<'t>(&self, input: Var<'t>, outputs: usize) -> Var<'t> {
        if let Err(nothing) = sound(input.tape(), input.len(), &self.hidden, outputs) {
            return nothing;
        }
        let mut h = input;
        for (k, width) in self.hidden.iter().copied().chain([outputs]).enumerate() {
            let last = k == self.hidden.len();
            let fan_in = h.len();
            let init = if last { Init::Constant(0.0) } else { Init::glorot(fan_in, width) };
            let tape = h.tape();
            let weight = tape.parameter(&format!("net.{k}.weight"), Shape::Matrix(width, fan_in), init);
            let bias = tape.parameter(&format!("net.{k}.bias"), Shape::Vector(width), Init::Constant(0.0));
            h = weight.matvec(h) + bias;
            if k == 0 {
                h = informed(h, self.context, last);
            }
            if !last {
                h = self.activation.apply(h);
            }
        }
        h
    }

    /// Records the network with its context as the only input.
    pub(super) fn apply_to_context<'t>(&self, tape: &'t Tape, outputs: usize) -> Var<'t> {
        Network { context: 0, ..self.clone() }.apply(tape.context(self.context), outputs)
    }

    /// Width of the context; 0 without one.
    pub(super) fn context(&self) -> usize {
        self.context
    }
}

/// Checks the layer widths. If they are invalid, notes a recording error and returns a placeholder for the
/// outputs.
pub(super) fn sound<'t>(
    tape: &'t Tape,
    inputs: usize,
    hidden: &[usize],
    outputs: usize,
) -> Result<(), Var<'t>> {
    let widths: Vec<usize> = [inputs].into_iter().chain(hidden.iter().copied()).chain([outputs]).collect();
    let fits = |pair: &[usize]| is_possible(Shape::Matrix(pair[1], pair[0]));
    let message = match (hidden.iter().position(|width| *width == 0), widths.windows(2).all(fits)) {
        (Some(k), _) => format!("hidden layer {k} has no units; give it at least one, or remove the layer"),
        (None, false) => {
            format!("a network of {hidden:?} hidden units would have more than 2³¹ weights in a layer")
        }
        (None, true) => return Ok(()),
    };
    tape.note("network", message, &[], Location::caller());
    Err(tape.placeholder(Shape::Vector(if is_possible(Shape::Vector(outputs)) { outputs } else { 0 })))
}

/// Adds the context term to the units of a first layer; if it is also the last layer, its weights are
/// initialised to 0.
pub(super) fn informed<'t>(units: Var<'t>, context: usize, last: bool) -> Var<'t> {
    if context == 0 {
        return units;
    }
    let tape = units.tape();
    let init = if last { Init::Constant(0.0) } else { Init::glorot(context, units.len()) };
    let weight = tape.parameter("net.context", Shape::Matrix(units.len(), context), init);
    units + weight.matvec(tape.context(context))
}
