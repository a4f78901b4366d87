//! Masked perceptrons (MADE): networks in which output i sees the inputs before i and no others.
//!
//! Every unit has a degree. A hidden unit sees what has at most its own degree, an output what has less than its
//! own, so that no path leads from an input to an output of the same or a lower degree. The masks are constants
//! of the tape: the proof of a triangular Jacobian sees through them, whatever the weights are.
//!
//! Source: Germain, Gregor, Murray, Larochelle, "MADE" (2015), eqs. 8-10.

use crate::tape::{Init, Shape, Tape, Var};

/// A perceptron with tanh units, masked by degrees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskedNetwork {
    inputs: Vec<usize>,
    hidden: Vec<Vec<usize>>,
}

impl MaskedNetwork {
    /// Inputs in their own order and hidden layers of these widths; degrees of hidden units are spread evenly
    /// and sorted, so that the zeros of the masks lie in blocks.
    pub fn new(d: usize, hidden: impl Into<Vec<usize>>) -> MaskedNetwork {
        let spread = |width: usize| (0..width).map(|k| 1 + k * d.saturating_sub(1) / width.max(1)).collect();
        let hidden = hidden.into().into_iter().map(spread).collect();
        MaskedNetwork { inputs: (1..=d).collect(), hidden }
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
        MaskedNetwork { inputs, hidden }
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

    /// Records the network: `each` outputs for every variable, the first of every variable, then the second of every
    /// variable, and so on; those of variable i see the inputs before i.
    ///
    /// Parameters are `net.0.weight`, `net.0.bias`, … as of [`Network`](super::Network); the last layer starts
    /// at 0.
    pub fn apply<'t>(&self, input: Var<'t>, each: usize) -> Var<'t> {
        let tape = input.tape();
        let d = self.dim();
        let (mut h, mut degrees) = (input, self.inputs.clone());
        for (k, own) in self.hidden.iter().enumerate() {
            let sees = |unit: usize, before: usize| own[unit] >= before;
            h = self.layer(tape, k, h, &degrees, own.len(), sees, false).tanh();
            degrees = own.clone();
        }
        let sees = |output: usize, before: usize| self.inputs[output % d] > before;
        self.layer(tape, self.hidden.len(), h, &degrees, each * d, sees, true)
    }

    /// (M ⊙ W)·h + b
    #[allow(clippy::too_many_arguments)]
    fn layer<'t>(
        &self,
        tape: &'t Tape,
        k: usize,
        h: Var<'t>,
        degrees: &[usize],
        width: usize,
        sees: impl Fn(usize, usize) -> bool,
        last: bool,
    ) -> Var<'t> {
        let fan_in = degrees.len();
        let mask: Vec<f64> = (0..width)
            .flat_map(|unit| degrees.iter().map(move |degree| (unit, *degree)))
            .map(|(unit, degree)| f64::from(u8::from(sees(unit, degree))))
            .collect();
        let init = if last { Init::Constant(0.0) } else { Init::glorot(fan_in, width) };
        let weight = tape.parameter(&format!("net.{k}.weight"), Shape::Matrix(width, fan_in), init);
        let bias = tape.parameter(&format!("net.{k}.bias"), Shape::Vector(width), Init::Constant(0.0));
        (weight * tape.matrix(width, fan_in, &mask)).matvec(h) + bias
    }
}
