//! Residual flows: x = z + g(z) with a network g that is a contraction.
//!
//! g(z) = W_n φ(… φ(W₁ z + b₁) …) + b_n, and each W_k is V_k·c_k/max(c_k, ‖V_k‖) with a parameter V_k: its spectral norm
//! is at most c_k for all parameters, φ has slopes of at most 1 (tanh unless told otherwise), and so g has the Lipschitz constant c = c₁ ⋯ c_n < 1. By
//! Banach's fixed-point theorem z = x - g(z) has one solution for every x, found by iteration, and det J > 0. The Jacobian is
//! dense.
//!
//! Sources: Behrmann, Grathwohl, Chen, Duvenaud, Jacobsen, "Invertible Residual Networks" (2019), theorem 1 and section 2.1;
//! Chen, Behrmann, Duvenaud, Jacobsen, "Residual Flows for Invertible Generative Modeling" (2019); Gouk et al.,
//! "Regularisation of neural networks by enforcing Lipschitz continuity" (2021), for the norms; Miyato et al., "Spectral
//! Normalization for Generative Adversarial Networks" (2018), algorithm 1, for power iteration.

use std::panic::Location;

use super::network::{informed, sound};
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked, InverseWithLogDet, solve_contraction};
use crate::jacobian::{map, power_series};
use crate::tape::{Init, Shape, Var};

/// The norm that a weight matrix is divided by where it is larger than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum LipschitzConstraint {
    /// ‖W‖_F = √(Σ wᵢⱼ²) ≥ ‖W‖₂
    Frobenius,
    /// √(‖W‖₁·‖W‖_∞) ≥ ‖W‖₂: the largest column sum and the largest row sum of absolute values.
    OneInfinity,
    /// An estimate of ‖W‖₂ by so many steps of power iteration, as is usual. It is an estimate from below: the layer may be no
    /// bijection, and nothing is proven of it.
    PowerIteration {
        /// Number of steps, from the vector of ones.
        steps: usize,
    },
}

/// The function of the hidden units: each has slopes of at most 1 in size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ResidualActivation {
    /// tanh
    #[default]
    Tanh,
    /// ln(1 + eᵗ), whose slope does not fall again for large t.
    Softplus,
    /// sin, whose slopes take both signs everywhere.
    Sine,
}

/// Residual flow x = z + g(z) with a contractive multilayer perceptron g.
///
/// Parameters: `net.0.weight`, `net.0.bias`, `net.1.weight`, …, and `net.context` with a context.
///
/// ```
/// use pushforward::prelude::*;
///
/// let report = audit(&Residual::new(2, [8])).unwrap();
/// assert!(report.to_string().contains("one-to-one onto"));
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Residual {
    d: usize,
    hidden: Vec<usize>,
    context: usize,
    coefficient: f64,
    constraint: LipschitzConstraint,
    #[cfg_attr(feature = "serde", serde(default))]
    activation: ResidualActivation,
}

impl Residual {
    /// Builds the layer of d variables with hidden layers of these widths, the Lipschitz constant 0.9, and the Frobenius norm.
    ///
    /// # Panics
    /// When there is no variable, or a hidden layer has no units.
    pub fn new(d: usize, hidden: impl Into<Vec<usize>>) -> Residual {
        let constraint = LipschitzConstraint::Frobenius;
        let activation = ResidualActivation::Tanh;
        Residual { d, hidden: hidden.into(), context: 0, coefficient: 0.9, constraint, activation }.checked()
    }

    /// Sets the Lipschitz constant of g, between 0 and 1. The inverse takes ln(10⁻¹²·(1 - c))/ln c steps at most.
    ///
    /// # Panics
    /// When it is not between 0 and 1.
    pub fn with_coefficient(self, coefficient: f64) -> Residual {
        Residual { coefficient, ..self }.checked()
    }

    /// Divides by another norm.
    ///
    /// # Panics
    /// When power iteration has no step.
    pub fn with_constraint(self, constraint: LipschitzConstraint) -> Residual {
        Residual { constraint, ..self }.checked()
    }

    /// Sets the function of the hidden units.
    pub fn with_activation(self, activation: ResidualActivation) -> Residual {
        Residual { activation, ..self }
    }

    /// Adds a context of `width` numbers, which the units of the first layer read.
    pub fn with_context(self, width: usize) -> Residual {
        Residual { context: width, ..self }
    }

    /// Records z and ln|det J| from x, with the power series of ln|det J| (Chen et al., eq. 6): its terms are multiplied by these
    /// weights, and estimated with these probes, vectors of independent entries of mean 0 and variance 1, such as
    /// [noise](crate::train::Sources::noise) drawn anew for each row. For training where d is so large that the determinant of a
    /// dense Jacobian costs too much; its gradients are those of the estimate. See
    /// [`RussianRoulette`](crate::jacobian::RussianRoulette) and [`Minimiser::any_of`](crate::train::Minimiser::any_of).
    ///
    /// `None` if the coefficient is not that of a contraction.
    ///
    /// # Panics
    /// Without a probe.
    #[track_caller]
    pub fn inverse_with_series<'t>(
        &self,
        x: Var<'t>,
        weights: &[f64],
        probes: &[Var<'t>],
    ) -> Option<InverseWithLogDet<'t>> {
        let tape = x.tape();
        let record = || {
            let z = solve_contraction(tape, x.shape(), self.coefficient, |z| x - self.network(z))?;
            // The parameters are declared by the equation.
            let g = tape.shared(|| self.network(z));
            let log_det = power_series(tape, &map(tape, z.id(), g.id()), weights, probes).value;
            Some(InverseWithLogDet { z, log_det })
        };
        tape.called_from(Location::caller(), || tape.recording(|| tape.pass(record)))
    }

    /// W·c/max(c, ‖W‖)
    fn constrained<'t>(&self, weight: Var<'t>) -> Var<'t> {
        // The same share for every matrix.
        let most = self.coefficient.powf((self.hidden.len() as f64 + 1.0).recip());
        // The square, so that no root is taken where the matrix is 0.
        let square = match self.constraint {
            LipschitzConstraint::Frobenius => (weight * weight).sum(),
            LipschitzConstraint::OneInfinity => largest_row(weight) * largest_row(weight.transpose()),
            LipschitzConstraint::PowerIteration { steps } => power_iteration(weight, steps).powi(2),
        };
        weight * (most / square.max(most * most).sqrt())
    }

    /// Records g(z).
    fn network<'t>(&self, z: Var<'t>) -> Var<'t> {
        let tape = z.tape();
        if let Err(nothing) = sound(tape, self.d, &self.hidden, self.d) {
            return nothing;
        }
        let mut h = z;
        for (k, width) in self.hidden.iter().copied().chain([self.d]).enumerate() {
            let last = k == self.hidden.len();
            // The last layer starts at 0, and so the flow as the identity.
            let init = if last { Init::Constant(0.0) } else { Init::glorot(h.len(), width) };
            let weight = tape.parameter(&format!("net.{k}.weight"), Shape::Matrix(width, h.len()), init);
            let bias = tape.parameter(&format!("net.{k}.bias"), Shape::Vector(width), Init::Constant(0.0));
            h = self.constrained(weight).matvec(h) + bias;
            if k == 0 {
                h = informed(h, self.context, last);
            }
            if !last {
                h = match self.activation {
                    ResidualActivation::Tanh => h.tanh(),
                    ResidualActivation::Softplus => h.softplus(),
                    ResidualActivation::Sine => h.sin(),
                };
            }
        }
        h
    }
}

/// ‖W‖_∞, the largest Σ|wᵢⱼ| of a row.
fn largest_row<'t>(weight: Var<'t>) -> Var<'t> {
    let (_, columns) = weight.shape().matrix_dims();
    let ones = weight.tape().constant(1.0).broadcast(Shape::Vector(columns));
    weight.abs().matvec(ones).max_element()
}

/// uᵀWv after some steps of v = Wᵀu/|Wᵀu|, u = Wv/|Wv|.
fn power_iteration<'t>(weight: Var<'t>, steps: usize) -> Var<'t> {
    let (rows, _) = weight.shape().matrix_dims();
    let mut u = weight.tape().constant((rows as f64).sqrt().recip()).broadcast(Shape::Vector(rows));
    let mut image = u;
    for _ in 0..steps {
        let back = weight.transpose().matvec(u);
        // Nothing is divided by 0 where W is.
        let v = back / (back.norm() + 1e-12);
        image = weight.matvec(v);
        u = image / (image.norm() + 1e-12);
    }
    u.dot(image)
}

impl Checked for Residual {
    fn fault(&self) -> Option<String> {
        let Residual { d, hidden, coefficient, constraint, .. } = self;
        let message = if *d == 0 {
            "a residual flow has at least one variable".to_string()
        } else if let Some(k) = hidden.iter().position(|width| *width == 0) {
            format!("hidden layer {k} has no units; give it at least one, or remove the layer")
        } else if !(*coefficient > 0.0 && *coefficient < 1.0) {
            format!("a contraction has a Lipschitz constant between 0 and 1, not {coefficient}")
        } else if *constraint == (LipschitzConstraint::PowerIteration { steps: 0 }) {
            "power iteration takes at least one step".to_string()
        } else {
            return None;
        };
        Some(message)
    }
}

impl Bijection for Residual {
    fn dim(&self) -> usize {
        self.d
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || z + self.network(z))
    }

    /// Only where no constant is known for all parameters: then the coefficient is believed, and where it is wrong the
    /// iteration may not converge.
    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        if !matches!(self.constraint, LipschitzConstraint::PowerIteration { .. }) {
            return None;
        }
        x.tape().called_from(Location::caller(), || {
            solve_contraction(x.tape(), x.shape(), self.coefficient, |z| x - self.network(z))
        })
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("residual", self)
    }
}
