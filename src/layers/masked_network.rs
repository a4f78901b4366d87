//! Masked multilayer perceptrons (MADE), in which output i depends only on the inputs before i.
//!
//! Every unit has a degree. A hidden unit reads units whose degree is at most its own, an output reads units
//! of smaller degree, so no path leads from an input to an output of the same or a lower degree. The masks
//! are constants on the tape, so the proof of a triangular Jacobian holds for all weights.
//!
//! Source: Germain, Gregor, Murray, Larochelle, "MADE" (2015), eqs. 8-10.

use std::panic::Location;

use super::activation::Activation;
use super::network::{informed, sound};
use crate::bijection::Checked;
use crate::tape::{Init, Shape, Tape, Var};

/// Multilayer perceptron with masks given by degrees, and with tanh units unless others are chosen.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MaskedNetwork {
    inputs: Vec<usize>,
    hidden: Hidden,
    context: usize,
    /// Whether the first variable is deliberately independent of the context.
    first_is_blind: bool,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Activation::is_default"))]
    activation: Activation,
}

/// The hidden layers.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Hidden {
    /// Layer widths; the degrees are assigned automatically.
    Spread(Vec<usize>),
    /// The degrees of the units in each layer.
    Given(Vec<Vec<usize>>),
}

impl Checked for MaskedNetwork {
    fn fault(&self) -> Option<String> {
        let mut sorted = self.inputs.clone();
        sorted.sort_unstable();
        let sound = sorted.iter().enumerate().all(|(k, degree)| k + 1 == *degree);
        (!sound).then(|| {
            let (d, inputs) = (self.inputs.len(), &self.inputs);
            format!("the input degrees must be a permutation of 1 to {d}, but are {inputs:?}")
        })
    }
}

impl MaskedNetwork {
    /// Builds a network with the natural order of inputs and hidden layers of these widths. Degrees of hidden
    /// units are spread evenly and sorted, so that the zeros of the masks form blocks.
    pub fn new(d: usize, hidden: impl Into<Vec<usize>>) -> MaskedNetwork {
        MaskedNetwork {
            inputs: (1..=d).collect(),
            hidden: Hidden::Spread(hidden.into()),
            context: 0,
            first_is_blind: false,
            activation: Activation::default(),
        }
    }

    /// Builds a network from the degrees of the inputs (a permutation of 1 to d: the place of each variable
    /// in the order) and of the units of each hidden layer (1 to d - 1, or 0 for units that read no variable,
    /// only a context).
    ///
    /// # Panics
    /// When the degrees of the inputs are not a permutation of 1 to d.
    pub fn with_degrees(inputs: Vec<usize>, hidden: Vec<Vec<usize>>) -> MaskedNetwork {
        MaskedNetwork { inputs, hidden: Hidden::Given(hidden), ..MaskedNetwork::new(0, Vec::new()) }.checked()
    }

    /// Adds a context of `width` numbers, for a conditional density: every unit of the first layer also reads
    /// the context c through an added term C·c, where C is the parameter `net.context`.
    ///
    /// The first variable depends on no other variable, so the context reaches it only through hidden units
    /// of degree 0. Automatically assigned degrees include some. Given degrees must have one in each hidden
    /// layer; otherwise the first variable cannot depend on the context, which is a recording error unless it
    /// is allowed ([`MaskedNetwork::first_without_context`]).
    pub fn with_context(self, width: usize) -> MaskedNetwork {
        MaskedNetwork { context: width, ..self }
    }

    /// Sets the activation function of the hidden units; defaults to [`Activation::Tanh`].
    pub fn with_activation(self, activation: Activation) -> MaskedNetwork {
        MaskedNetwork { activation, ..self }
    }

    /// Allows the first variable to be independent of the context, as in networks of other libraries whose
    /// hidden degrees begin with 1.
    pub fn first_without_context(self) -> MaskedNetwork {
        MaskedNetwork { first_is_blind: true, ..self }
    }

    /// Number of inputs.
    pub fn dim(&self) -> usize {
        self.inputs.len()
    }

    /// The variables in the order of their degrees.
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.dim()).collect();
        order.sort_by_key(|i| self.inputs[*i]);
        order
    }

    /// Records the network: returns `each` vectors of d outputs, where output i of each depends on the inputs
    /// before i.
    ///
    /// Parameters are named `net.0.weight`, `net.0.bias`, … as in [`Network`](super::Network); the last layer
    /// is initialised to 0.
    pub fn apply<'t>(&self, input: Var<'t>, each: usize) -> Vec<Var<'t>> {
        let (d, all) = (self.dim(), self.element_parameters(input, each));
        (0..each).map(|part| all.slice(part * d..(part + 1) * d)).collect()
    }

    /// Returns the same vectors concatenated, the layout that a transformer takes.
    pub(super) fn element_parameters<'t>(&self, input: Var<'t>, each: usize) -> Var<'t> {
        let tape = input.tape();
        let widths = match &self.hidden {
            Hidden::Spread(widths) => widths.clone(),
            Hidden::Given(degrees) => degrees.iter().map(Vec::len).collect(),
        };
        if let Err(nothing) = sound(tape, self.dim(), &widths, each.saturating_mul(self.dim())) {
            return nothing;
        }
        let degrees = self.degrees();
        let blind = |layer: &Vec<usize>| !layer.contains(&0);
        if let Some(k) = degrees.iter().position(blind).filter(|_| self.context > 0 && !self.first_is_blind) {
            let message = format!(
                "the first variable cannot depend on the context: hidden layer {k} has no unit of degree 0; \
                 give it one, or use automatic degrees with MaskedNetwork::new({}, {widths:?})",
                self.dim()
            );
            tape.note("network", message, &[], Location::caller());
        }
        let h = self.hidden(input, &degrees);
        let (weight, bias) = self.last(tape, &degrees, each);
        let numbers = weight.matvec(h) + bias;
        if degrees.is_empty() { informed(numbers, self.context, true) } else { numbers }
    }

    /// Returns the degrees of the hidden units, layer by layer.
    fn degrees(&self) -> Vec<Vec<usize>> {
        match &self.hidden {
            Hidden::Given(degrees) => degrees.clone(),
            Hidden::Spread(widths) => {
                let lowest = usize::from(self.context == 0);
                widths.iter().map(|width| spread(lowest, self.dim(), *width)).collect()
            }
        }
    }

    /// Records the last hidden layer, or returns the input if there is none.
    fn hidden<'t>(&self, input: Var<'t>, degrees: &[Vec<usize>]) -> Var<'t> {
        let layers = degrees.iter().enumerate();
        let (h, _) = layers.fold((input, self.inputs.as_slice()), |(h, before), (k, own)| {
            let sees = |unit: usize, before: usize| own[unit] >= before;
            let init = Init::glorot(before.len(), own.len());
            let (weight, bias) = layer(h.tape(), k, before, own.len(), sees, init);
            let sum = weight.matvec(h) + bias;
            let sum = if k == 0 { informed(sum, self.context, false) } else { sum };
            (self.activation.apply(sum), own.as_slice())
        });
        h
    }

    /// Records M ⊙ W and b of the last layer.
    fn last<'t>(&self, tape: &'t Tape, degrees: &[Vec<usize>], each: usize) -> (Var<'t>, Var<'t>) {
        let before = degrees.last().unwrap_or(&self.inputs);
        let sees = |output: usize, before: usize| self.inputs[output % self.dim()] > before;
        layer(tape, degrees.len(), before, each * self.dim(), sees, Init::Constant(0.0))
    }
}

/// Returns `width` degrees from `lowest` to d - 1, spread evenly and sorted.
fn spread(lowest: usize, d: usize, width: usize) -> Vec<usize> {
    (0..width).map(|k| lowest + k * d.saturating_sub(lowest) / width.max(1)).collect()
}

/// Records M ⊙ W and b of the layer that follows units of these degrees; `sees(unit, degree)` says whether
/// `unit` reads units of that degree.
fn layer<'t>(
    tape: &'t Tape,
    k: usize,
    degrees: &[usize],
    width: usize,
    sees: impl Fn(usize, usize) -> bool,
    init: Init,
) -> (Var<'t>, Var<'t>) {
    let fan_in = degrees.len();
    let mask: Vec<f64> = (0..width)
        .flat_map(|unit| degrees.iter().map(move |degree| (unit, *degree)))
        .map(|(unit, degree)| f64::from(u8::from(sees(unit, degree))))
        .collect();
    let weight = tape.parameter(&format!("net.{k}.weight"), Shape::Matrix(width, fan_in), init);
    let bias = tape.parameter(&format!("net.{k}.bias"), Shape::Vector(width), Init::Constant(0.0));
    (weight * tape.matrix(width, fan_in, &mask), bias)
}
