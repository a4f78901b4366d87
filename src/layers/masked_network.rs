//! Masked perceptrons (MADE): networks in which output i sees the inputs before i and no others.
//!
//! Every unit has a degree. A hidden unit sees what has at most its own degree, an output what has less than its
//! own, so that no path leads from an input to an output of the same or a lower degree. The masks are constants
//! of the tape: the proof of a triangular Jacobian sees through them, whatever the weights are.
//!
//! Source: Germain, Gregor, Murray, Larochelle, "MADE" (2015), eqs. 8-10.

use super::network::informed;
use crate::tape::{Init, Shape, Tape, Var};

/// A perceptron with tanh units, masked by degrees.
#[derive(Clone, Debug, PartialEq)]
pub struct MaskedNetwork {
    inputs: Vec<usize>,
    hidden: Vec<Vec<usize>>,
    context: usize,
    /// Whether the degrees of hidden units are chosen here.
    spread: bool,
}

impl MaskedNetwork {
    /// Inputs in their own order and hidden layers of these widths; degrees of hidden units are spread evenly
    /// and sorted, so that the zeros of the masks lie in blocks.
    pub fn new(d: usize, hidden: impl Into<Vec<usize>>) -> MaskedNetwork {
        let hidden = hidden.into().into_iter().map(|width| spread(1, d, width)).collect();
        MaskedNetwork { inputs: (1..=d).collect(), hidden, context: 0, spread: true }
    }

    /// Degrees of the inputs (a permutation of 1 to d: the place of each variable in the order) and of the
    /// units of each hidden layer (1 to d - 1).
    ///
    /// # Panics
    /// When the degrees of the inputs are no permutation of 1 to d.
    pub fn with_degrees(inputs: Vec<usize>, hidden: Vec<Vec<usize>>) -> MaskedNetwork {
        let mut sorted = inputs.clone();
        sorted.sort_unstable();
        assert!(
            sorted.iter().enumerate().all(|(k, degree)| k + 1 == *degree),
            "the degrees of the inputs name each of 1 to {} once, not {inputs:?}",
            inputs.len()
        );
        MaskedNetwork { inputs, hidden, context: 0, spread: false }
    }

    /// The same for a conditional density: every unit of the first layer sees a context of so many numbers as well;
    /// C·c is added there, with the weights `net.context`.
    ///
    /// The first variable sees no other, so that what it learns of the context goes through units of degree 0: a
    /// network whose degrees are chosen here gets some.
    pub fn with_context(mut self, width: usize) -> MaskedNetwork {
        self.context = width;
        if self.spread && width > 0 {
            let d = self.dim();
            self.hidden.iter_mut().for_each(|layer| *layer = spread(0, d, layer.len()));
        }
        self
    }

    /// How many inputs it has.
    pub fn dim(&self) -> usize {
        self.inputs.len()
    }

    /// The variables in the order of their degrees.
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.dim()).collect();
        order.sort_by_key(|i| self.inputs[*i]);
        order
    }

    /// Records the network: `each` vectors of d outputs, output i of each seeing the inputs before i.
    ///
    /// Parameters are `net.0.weight`, `net.0.bias`, … as of [`Network`](super::Network); the last layer starts
    /// at 0.
    pub fn apply<'t>(&self, input: Var<'t>, each: usize) -> Vec<Var<'t>> {
        let (d, all) = (self.dim(), self.numbers(input, each));
        (0..each).map(|part| all.slice(part * d..(part + 1) * d)).collect()
    }

    /// The same vectors as one, as a transformer takes them.
    pub(super) fn numbers<'t>(&self, input: Var<'t>, each: usize) -> Var<'t> {
        let h = self.hidden(input);
        let (weight, bias) = self.last(input.tape(), each);
        let numbers = weight.matvec(h) + bias;
        if self.hidden.is_empty() { informed(numbers, self.context, true) } else { numbers }
    }

    /// The last hidden units, or the input if there are none.
    fn hidden<'t>(&self, input: Var<'t>) -> Var<'t> {
        let layers = self.hidden.iter().enumerate();
        let (h, _) = layers.fold((input, self.inputs.as_slice()), |(h, before), (k, own)| {
            let sees = |unit: usize, before: usize| own[unit] >= before;
            let init = Init::glorot(before.len(), own.len());
            let (weight, bias) = layer(h.tape(), k, before, own.len(), sees, init);
            let sum = weight.matvec(h) + bias;
            let sum = if k == 0 { informed(sum, self.context, false) } else { sum };
            (sum.tanh(), own.as_slice())
        });
        h
    }

    /// M ⊙ W and b of the last layer.
    fn last<'t>(&self, tape: &'t Tape, each: usize) -> (Var<'t>, Var<'t>) {
        let before = self.hidden.last().unwrap_or(&self.inputs);
        let sees = |output: usize, before: usize| self.inputs[output % self.dim()] > before;
        layer(tape, self.hidden.len(), before, each * self.dim(), sees, Init::Constant(0.0))
    }
}

/// Degrees from the lowest up to d - 1, spread evenly over so many units and sorted.
fn spread(lowest: usize, d: usize, width: usize) -> Vec<usize> {
    (0..width).map(|k| lowest + k * d.saturating_sub(lowest) / width.max(1)).collect()
}

/// M ⊙ W and b of a layer after units of these degrees; `sees` says what a unit sees by degree.
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
