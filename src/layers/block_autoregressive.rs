//! Block neural autoregressive flows: a network that is monotone in each variable, for all variables at once.
//!
//! x = exp(s)⊙z + W_L·tanh(… tanh(W₁·z + b₁) …) + b_L
//!
//! Each variable has units of its own in each hidden layer. The weights of a matrix W from units of a variable to units of
//! the same are exp(l) > 0, those from an earlier variable any, those from a later one 0. So x is triangular in z, and each xᵢ
//! increases in zᵢ. The first term makes it a map onto ℝᵈ: a bounded network alone is not.
//!
//! Source: De Cao, Titov, Aziz, "Block Neural Autoregressive Flow" (2019), eqs. 8-12; without weight normalisation.

use std::panic::Location;

use super::network::{informed, sound};
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked};
use crate::jacobian::Structure;
use crate::tape::{Init, Shape, Tape, Var};

/// Block neural autoregressive layer.
///
/// ```
/// use pushforward::prelude::*;
///
/// // For densities in one pass, from x to z: the inverse is solved, variable by variable.
/// let layer = Inverse::new(BlockNeuralAutoregressive::new(3, [8, 8]));
/// assert!(audit(&layer)?.has_no_refutation());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Parameters: `net.k.log_diagonal` (l, of the blocks on the diagonal one after the other, row by row), `net.k.weight` (of which
/// only the blocks below the diagonal are used; none for one variable), `net.k.bias`, `log_scale` (s), and `net.context`.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BlockNeuralAutoregressive {
    d: usize,
    units: Vec<usize>,
    context: usize,
}

impl BlockNeuralAutoregressive {
    /// Builds the layer of d variables with this many units for each variable in each hidden layer.
    ///
    /// # Panics
    /// When there is no variable, or a hidden layer without units.
    pub fn new(d: usize, units: impl Into<Vec<usize>>) -> BlockNeuralAutoregressive {
        BlockNeuralAutoregressive { d, units: units.into(), context: 0 }.checked()
    }

    /// Adds a context of this length to the first hidden layer (or to x where there is none).
    pub fn with_context(self, width: usize) -> BlockNeuralAutoregressive {
        BlockNeuralAutoregressive { context: width, ..self }
    }

    /// Records W and b of layer k, from so many units of each variable to so many.
    fn layer<'t>(&self, tape: &'t Tape, k: usize, before: usize, after: usize) -> (Var<'t>, Var<'t>) {
        let d = self.d;
        let (rows, columns) = (d * after, d * before);
        let name = |part: &str| format!("net.{k}.{part}");
        // The own units together weigh 1 at first.
        let log_diagonal = Init::Constant(-(before as f64).ln());
        let own = tape.parameter(&name("log_diagonal"), Shape::Vector(d * after * before), log_diagonal);
        let places = (0..d).flat_map(|i| {
            let row = move |r: usize| (0..before).map(move |c| (i * after + r) * columns + i * before + c);
            (0..after).flat_map(row)
        });
        let own = own.exp().scatter(&places.collect::<Vec<_>>(), Shape::Matrix(rows, columns));
        let weight = match d {
            1 => own,
            _ => {
                let below = tape.mask(rows, columns, |row, column| column / before < row / after);
                own + below
                    * tape.parameter(
                        &name("weight"),
                        Shape::Matrix(rows, columns),
                        Init::glorot(columns, rows),
                    )
            }
        };
        // Units of a variable bend at different places.
        let bend = |unit: usize| match k == self.units.len() {
            true => 0.0,
            false => 3.0 * ((unit % after) as f64 + 0.5) / after as f64 - 1.5,
        };
        let bias = Init::Values((0..rows).map(bend).collect());
        (weight, tape.parameter(&name("bias"), Shape::Vector(rows), bias))
    }
}

impl Checked for BlockNeuralAutoregressive {
    fn fault(&self) -> Option<String> {
        let BlockNeuralAutoregressive { d, units, .. } = self;
        let sound = *d > 0 && units.iter().all(|units| *units > 0);
        (!sound).then(|| {
            format!(
                "a block neural autoregressive layer has variables, and units in each hidden layer, not {d} and {units:?}"
            )
        })
    }
}

impl Bijection for BlockNeuralAutoregressive {
    fn dim(&self) -> usize {
        self.d
    }

    fn structure(&self) -> Structure {
        if self.d == 1 { Structure::Diagonal } else { Structure::LowerTriangular }
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (tape, d) = (z.tape(), self.d);
        tape.called_from(Location::caller(), || {
            let widths: Vec<usize> = self.units.iter().map(|units| units.saturating_mul(d)).collect();
            if let Err(nothing) = sound(tape, d, &widths, d) {
                return nothing;
            }
            let after = self.units.iter().copied().chain([1]);
            let (mut h, mut before) = (z, 1);
            for (k, after) in after.enumerate() {
                let is_last = k == self.units.len();
                let (weight, bias) = self.layer(tape, k, before, after);
                h = weight.matvec(h) + bias;
                if k == 0 {
                    h = informed(h, self.context, is_last);
                }
                if !is_last {
                    h = h.tanh();
                }
                before = after;
            }
            let scale = tape.parameter("log_scale", Shape::Vector(d), Init::Constant(-2.0)).exp();
            scale * z + h
        })
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("block_neural_autoregressive", self)
    }
}
