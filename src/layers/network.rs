//! Multilayer perceptrons, the usual conditioner.
//!
//! h ← tanh(W h + b) for each hidden layer, and W h + b at the end.
//!
//! A network is not a bijection: it is what a coupling layer asks how to move half of the variables. It may
//! be anything, because nothing here is inverted.

use std::panic::Location;

use crate::tape::{Init, Shape, Tape, Var, is_possible};

/// A perceptron with tanh units.
#[derive(Clone, Debug)]
pub struct Network {
    hidden: Vec<usize>,
    context: usize,
}

impl Network {
    /// Hidden layers of these widths; an empty list is a linear map.
    pub fn new(hidden: impl Into<Vec<usize>>) -> Network {
        Network { hidden: hidden.into(), context: 0 }
    }

    /// The same for a conditional density: every unit of the first layer sees a context of so many numbers as well;
    /// C·c is added there, with the weights `net.context`.
    pub fn with_context(self, width: usize) -> Network {
        Network { context: width, ..self }
    }

    /// Records the network on an input; its parameters are `net.0.weight`, `net.0.bias`, `net.1.weight`, ….
    ///
    /// Hidden weights start as Glorot and Bengio have it, the last layer at 0: a flow whose conditioners say
    /// 0 starts as the identity (Kingma and Dhariwal, "Glow", 2018, section 3.3).
    ///
    /// A hidden layer without units, and weights that nothing could hold, are errors of the recording.
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
                h = h.tanh();
            }
        }
        h
    }
}

/// Whether a network of these widths can be; if not, that is noted, and something stands for its outputs.
pub(super) fn sound<'t>(
    tape: &'t Tape,
    inputs: usize,
    hidden: &[usize],
    outputs: usize,
) -> Result<(), Var<'t>> {
    let widths: Vec<usize> = [inputs].into_iter().chain(hidden.iter().copied()).chain([outputs]).collect();
    let fits = |pair: &[usize]| is_possible(Shape::Matrix(pair[1], pair[0]));
    let message = match (hidden.iter().position(|width| *width == 0), widths.windows(2).all(fits)) {
        (Some(k), _) => format!(
            "hidden layer {k} has no unit and would pass nothing on; give it one at least, or leave it out"
        ),
        (None, false) => {
            format!("a network of {hidden:?} hidden units would have more than 2³¹ weights in a layer")
        }
        (None, true) => return Ok(()),
    };
    tape.note("network", message, &[], Location::caller());
    Err(tape.placeholder(Shape::Vector(if is_possible(Shape::Vector(outputs)) { outputs } else { 0 })))
}

/// The units of a first layer with the context's share; weights of a layer that is also the last start at 0.
pub(super) fn informed<'t>(units: Var<'t>, context: usize, last: bool) -> Var<'t> {
    if context == 0 {
        return units;
    }
    let tape = units.tape();
    let init = if last { Init::Constant(0.0) } else { Init::glorot(context, units.len()) };
    let weight = tape.parameter("net.context", Shape::Matrix(units.len(), context), init);
    units + weight.matvec(tape.context(context))
}
