//! Ordered vectors.
//!
//! x₁ = z₁, xᵢ = xᵢ₋₁ + exp zᵢ: ℝᵈ to the vectors with x₁ < x₂ < … < x_d. ln|det J| = z₂ + … + z_d.
//!
//! Source: Stan Development Team, "Stan Reference Manual", "Ordered vector".

use std::panic::Location;

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked, Domain};
use crate::jacobian::Structure;
use crate::tape::{Var, stack};

/// ℝᵈ to ascending vectors, by positive steps exp zᵢ.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ordered {
    d: usize,
}

impl Ordered {
    /// Builds the layer of d variables.
    ///
    /// # Panics
    /// When there are none.
    pub fn new(d: usize) -> Ordered {
        Ordered { d }.checked()
    }
}

impl Checked for Ordered {
    fn fault(&self) -> Option<String> {
        (self.d == 0).then(|| "an ordered vector has at least one variable".to_string())
    }
}

impl Bijection for Ordered {
    fn dim(&self) -> usize {
        self.d
    }

    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }

    fn codomain(&self) -> Domain {
        Domain::Ordered
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            let mut x = vec![z.at(0)];
            for i in 1..self.d {
                x.push(x[i - 1] + z.at(i).exp());
            }
            stack(x)
        })
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("ordered", self)
    }
}
