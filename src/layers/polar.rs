//! Polar coordinates.
//!
//! (r, θ) ↦ (r·cos θ, r·sin θ): (0, ∞) × [-π, π) to the plane without its origin. ln|det J| = ln r.

use std::panic::Location;

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Domain};
use crate::tape::{Var, stack};

/// Polar to Cartesian coordinates of the plane.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Polar;

impl Bijection for Polar {
    fn dim(&self) -> usize {
        2
    }

    fn domain(&self) -> Domain {
        Domain::each([Domain::Positive, Domain::Circle])
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            let (radius, angle) = (z.at(0), z.at(1));
            stack([radius * angle.cos(), radius * angle.sin()])
        })
    }

    /// Both outputs depend on both variables, so that neither can be solved for alone.
    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || Some(stack([x.norm(), x.at(1).atan2(x.at(0))])))
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("polar", self)
    }
}
