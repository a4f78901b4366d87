//! What is done to one variable, steered by numbers that others choose.
//!
//! x = τ(z; numbers), strictly increasing in z whatever the numbers are. A coupling layer and an autoregressive layer
//! differ in who sees whom; what they do to a variable once they have its numbers is a transformer, and any
//! transformer fits either. A Jacobian with such a diagonal is triangular whatever the conditioner is.
//!
//! Source: Papamakarios et al., "Normalizing Flows for Probabilistic Modeling and Inference" (2021), section 3.1,
//! which names transformers and conditioners.

use crate::tape::{Init, Shape, Var};

/// A strictly increasing function of one variable, with numbers that a conditioner chooses.
///
/// ```
/// use pushforward::prelude::*;
///
/// /// x = z + t + tanh(z + t)/2: no formula undoes it, but bounds prove it monotone, and Newton's method does.
/// #[derive(Clone)]
/// struct Bent;
///
/// impl Transformer for Bent {
///     fn numbers(&self) -> usize { 1 }
///     fn forward<'t>(&self, z: Var<'t>, numbers: Var<'t>) -> Var<'t> {
///         let moved = z + numbers;
///         moved + 0.5 * moved.tanh()
///     }
///     fn name(&self) -> String { "Bent".to_string() }
/// }
///
/// let layer = Coupling::with(Halves::first(4), Network::new([8]), Bent);
/// assert_eq!(record(&layer)?.structure(), &Structure::LowerTriangular);
/// assert!(audit(&layer)?.stands());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Transformer {
    /// How many numbers it takes for each variable.
    fn numbers(&self) -> usize;

    /// x = τ(z; numbers) for m variables at once. `numbers` is a vector of m times as many: the first number of every
    /// variable, then the second of every variable, and so on.
    fn forward<'t>(&self, z: Var<'t>, numbers: Var<'t>) -> Var<'t>;

    /// z = τ⁻¹(x; numbers), if it is to be written by hand; unless it is, a layer's inverse is derived.
    fn inverse<'t>(&self, x: Var<'t>, numbers: Var<'t>) -> Option<Var<'t>> {
        let _ = (x, numbers);
        None
    }

    /// What a layer made of it is called after: `Affine` makes an `AffineCoupling`.
    fn name(&self) -> String;
}

/// x = z + t.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Translate;

impl Transformer for Translate {
    fn numbers(&self) -> usize {
        1
    }

    fn forward<'t>(&self, z: Var<'t>, numbers: Var<'t>) -> Var<'t> {
        z + numbers
    }

    fn name(&self) -> String {
        "Additive".to_string()
    }
}

/// How an affine transformer makes its log-scale s of the network's raw r.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LogScale {
    /// s = α·tanh(r/α), with α = exp(`log_bound`) of its own for each moved variable: scales can grow where the data
    /// ask for it, a single bad step cannot blow up exp(s), and α is never 0.
    Bounded,
    /// s = tanh r.
    Tanh,
    /// s = r.
    Raw,
    /// s = r/(1 + |r/ln slope|): scales stay between slope and 1/slope.
    SoftClipped {
        /// The smallest scale, above 0 and other than 1.
        slope: f64,
    },
}

impl LogScale {
    /// s, of the raw numbers.
    fn apply<'t>(self, r: Var<'t>) -> Var<'t> {
        match self {
            LogScale::Bounded => {
                let log_bound = Init::Constant(2f64.ln());
                let bound = r.tape().parameter("log_bound", Shape::Vector(r.len()), log_bound).exp();
                bound * (r / bound).tanh()
            }
            LogScale::Tanh => r.tanh(),
            LogScale::Raw => r,
            LogScale::SoftClipped { slope } => r / (1.0 + (r / slope.ln()).abs()),
        }
    }
}

/// x = z·exp(s) + t, of the raw log-scale and t.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rescale {
    pub(super) log_scale: LogScale,
}

impl Transformer for Rescale {
    fn numbers(&self) -> usize {
        2
    }

    fn forward<'t>(&self, z: Var<'t>, numbers: Var<'t>) -> Var<'t> {
        let m = z.len();
        let (raw, shift) = (numbers.slice(0..m), numbers.slice(m..2 * m));
        z * self.log_scale.apply(raw).exp() + shift
    }

    fn name(&self) -> String {
        "Affine".to_string()
    }
}
