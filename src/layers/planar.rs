//! Planar and radial flows.
//!
//! x = z + û·tanh(wᵀz + b) and x = z + β·(z - c)/(α + |z - c|). Their Jacobians are dense: a diagonal and one direction.
//!
//! Source: Rezende and Mohamed, "Variational Inference with Normalizing Flows" (2015), eqs. 10 and 14, and appendix A.1
//! and A.2 for the constraints that make them one-to-one for all parameters.

use std::panic::Location;

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked, solve_increasing};
use crate::tape::{Init, Shape, Tape, Var, select};

/// Planar flow x = z + û·tanh(wᵀz + b), with û = u + (softplus(wᵀu) - 1 - wᵀu)·w/wᵀw, so that wᵀû > -1.
///
/// Parameters: `w`, `u` and `b`; for w = 0, û = u, and the layer is a shift.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Planar {
    d: usize,
    constrained: bool,
}

impl Planar {
    /// Builds the layer of d variables, a bijection for all parameters.
    ///
    /// # Panics
    /// When there is no variable.
    pub fn new(d: usize) -> Planar {
        Planar { d, constrained: true }.checked()
    }

    /// Takes û = u: a bijection only where wᵀu > -1.
    pub fn unconstrained(self) -> Planar {
        Planar { constrained: false, ..self }
    }

    /// w, û and b.
    fn parameters<'t>(&self, tape: &'t Tape) -> (Var<'t>, Var<'t>, Var<'t>) {
        let shape = Shape::Vector(self.d);
        let w = tape.parameter("w", shape, Init::Values(vec![(self.d as f64).sqrt().recip(); self.d]));
        let u = tape.parameter("u", shape, Init::Constant(0.0));
        let b = tape.parameter("b", Shape::Scalar, Init::Constant(0.0));
        if !self.constrained {
            return (w, u, b);
        }
        let (along, square) = (w.dot(u), w.dot(w));
        // For w = 0 any u does.
        let more = select(square.le(0.0), 0.0, (along.softplus() - 1.0 - along) / square);
        (w, u + more * w, b)
    }
}

impl Checked for Planar {
    fn fault(&self) -> Option<String> {
        (self.d == 0).then(|| "a planar flow has at least one variable".to_string())
    }
}

impl Bijection for Planar {
    fn dim(&self) -> usize {
        self.d
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            let (w, u, b) = self.parameters(z.tape());
            z + (w.dot(z) + b).tanh() * u
        })
    }

    /// Along w the flow is a function of one number, t = wᵀz: t + wᵀû·tanh(t + b) = wᵀx. The rest follows.
    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || {
            let (w, u, b) = self.parameters(x.tape());
            let (along, wanted) = (w.dot(u), w.dot(x));
            let everywhere = (f64::NEG_INFINITY, f64::INFINITY);
            let t = solve_increasing(x.tape(), Shape::Scalar, everywhere, |t| {
                t + along * (t + b).tanh() - wanted
            })?;
            Some(x - (t + b).tanh() * u)
        })
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("planar", self)
    }
}

/// Radial flow x = z + β·(z - c)/(α + |z - c|), with α = softplus(`alpha`) and β = softplus(`beta`) - α, so that β > -α.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Radial {
    d: usize,
    constrained: bool,
}

impl Radial {
    /// Builds the layer of d variables, a bijection for all parameters.
    ///
    /// # Panics
    /// When there is no variable.
    pub fn new(d: usize) -> Radial {
        Radial { d, constrained: true }.checked()
    }

    /// Takes α and β as they are: a bijection only where α > 0 and β > -α.
    pub fn unconstrained(self) -> Radial {
        Radial { constrained: false, ..self }
    }

    /// c, α and β.
    fn parameters<'t>(&self, tape: &'t Tape) -> (Var<'t>, Var<'t>, Var<'t>) {
        let centre = tape.parameter("centre", Shape::Vector(self.d), Init::Constant(0.0));
        let alpha = tape.parameter("alpha", Shape::Scalar, Init::Constant(1.0));
        let beta = tape.parameter("beta", Shape::Scalar, Init::Constant(1.0));
        match self.constrained {
            true => (centre, alpha.softplus(), beta.softplus() - alpha.softplus()),
            false => (centre, alpha, beta),
        }
    }
}

impl Checked for Radial {
    fn fault(&self) -> Option<String> {
        (self.d == 0).then(|| "a radial flow has at least one variable".to_string())
    }
}

impl Bijection for Radial {
    fn dim(&self) -> usize {
        self.d
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            let (centre, alpha, beta) = self.parameters(z.tape());
            let off = z - centre;
            z + (beta / (alpha + off.norm())) * off
        })
    }

    /// The flow keeps directions from c: the radius solves r·(1 + β/(α + r)) = |x - c|.
    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || {
            let (centre, alpha, beta) = self.parameters(x.tape());
            let off = x - centre;
            // r² + (α + β - s)·r - α·s = 0 with s = |x - c|: the positive root, without cancellation.
            let s = off.norm();
            let half = 0.5 * (s - alpha - beta);
            let root = (half * half + alpha * s).sqrt();
            let radius = select(half.lt(0.0), alpha * s / (root - half), half + root);
            Some(centre + ((alpha + radius) / (alpha + radius + beta)) * off)
        })
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("radial", self)
    }
}
