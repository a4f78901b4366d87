//! The autoregressive model as a bijection, x → u with uᵢ = P(Xᵢ < xᵢ | x before i).
//!
//! If x is drawn from the model, u is uniform on (0, 1)²: so p(x) is |det J| of this map, and the model is a flow with a
//! uniform base.

use pushforward::prelude::*;

use super::autoregressive::{Part, mixtures};

pub struct Conditionals;

impl Bijection for Conditionals {
    fn dim(&self) -> usize {
        2
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn codomain(&self) -> Domain {
        Domain::Interval { lower: 0.0, upper: 1.0 }
    }
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let below = |part: Part<'t>| {
            part.log_weight.exp() * ((x - part.location) * (-part.log_scale).exp()).sigmoid()
        };
        mixtures(x).into_iter().map(below).reduce(|sum, next| sum + next).expect("a mixture has parts")
    }
}
