//! Polar and spherical coordinates.
//!
//! (r, θ) ↦ (r·cos θ, r·sin θ): (0, ∞) × [-π, π) to the plane without its origin. ln|det J| = ln r. Spherical
//! coordinates are polar ones, one after the other.

use std::f64::consts::PI;
use std::panic::Location;

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Composition, Domain};
use crate::jacobian::{Order, Structure};
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
        z.tape().called_from(Location::caller(), || stack(cartesian(z.at(0), z.at(1))))
    }

    /// Both outputs depend on both variables, so that neither can be solved for alone.
    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || Some(stack(polar(x.at(0), x.at(1)))))
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("polar", self)
    }
}

fn cartesian<'t>(radius: Var<'t>, angle: Var<'t>) -> [Var<'t>; 2] {
    [radius * angle.cos(), radius * angle.sin()]
}

fn polar<'t>(x: Var<'t>, y: Var<'t>) -> [Var<'t>; 2] {
    [stack([x, y]).norm(), y.atan2(x)]
}

/// Spherical to Cartesian coordinates of ℝᵈ: (r, φ₁, …, φ_{d-1}) with r > 0, φ₁ to φ_{d-2} in (0, π) and the last angle in [-π, π).
///
/// x₁ = r·cos φ₁, x₂ = r·sin φ₁·cos φ₂, …, x_d = r·sin φ₁ … sin φ_{d-1}. It is a chain of polar coordinates: of r and φ₁, then of what the sine
/// leaves and φ₂, and so on; so ln|det J| = (d - 1)·ln r + Σ (d - 1 - i)·ln sin φᵢ.
pub struct Spherical {
    steps: Vec<Box<dyn Bijection>>,
}

impl Spherical {
    /// Builds the layer of d variables.
    ///
    /// # Panics
    /// When d < 2.
    pub fn new(d: usize) -> Spherical {
        assert!(d >= 2, "spherical coordinates have at least 2 variables, not {d}");
        let step = |at: usize| Box::new(SphericalStep { d, at }) as Box<dyn Bijection>;
        Spherical { steps: (0..d - 1).map(step).collect() }
    }
}

impl Bijection for Spherical {
    fn dim(&self) -> usize {
        self.steps[0].dim()
    }

    fn domain(&self) -> Domain {
        self.steps[0].domain()
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || self.steps.iter().fold(z, |z, step| step.forward(z)))
    }

    fn composition(&self) -> Composition<'_> {
        Composition::Chain(&self.steps)
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("spherical", &self.dim())
    }
}

/// Polar coordinates of the variables `at` (a radius) and `at` + 1 (an angle); the others stay as they are.
#[derive(Clone, Copy, Debug)]
struct SphericalStep {
    d: usize,
    at: usize,
}

impl SphericalStep {
    /// Where a variable lies before step `at`: a coordinate, the radius, an angle.
    fn place(&self, at: usize, i: usize) -> Domain {
        match i {
            _ if i < at || at + 1 == self.d => Domain::Reals,
            _ if i == at => Domain::Positive,
            _ if i + 1 == self.d => Domain::Circle,
            _ => Domain::Interval { lower: 0.0, upper: PI },
        }
    }

    /// Replaces the two variables.
    fn with<'t>(&self, whole: Var<'t>, pair: [Var<'t>; 2]) -> Var<'t> {
        let of = |i: usize| if (self.at..self.at + 2).contains(&i) { pair[i - self.at] } else { whole.at(i) };
        stack((0..self.d).map(of))
    }
}

impl Bijection for SphericalStep {
    fn dim(&self) -> usize {
        self.d
    }

    fn structure(&self) -> Structure {
        if self.d == 2 {
            return Structure::Dense;
        }
        let blocks = (0..self.d - 1).map(|k| if k == self.at { 2 } else { 1 });
        Structure::BlockTriangular { order: Order::natural(self.d), blocks: blocks.collect() }
    }

    fn domain(&self) -> Domain {
        Domain::each((0..self.d).map(|i| self.place(self.at, i)))
    }

    fn codomain(&self) -> Domain {
        Domain::each((0..self.d).map(|i| self.place(self.at + 1, i)))
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let place = Location::caller();
        z.tape().called_from(place, || self.with(z, cartesian(z.at(self.at), z.at(self.at + 1))))
    }

    /// As that of [`Polar`].
    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        let place = Location::caller();
        x.tape().called_from(place, || Some(self.with(x, polar(x.at(self.at), x.at(self.at + 1)))))
    }

    fn name(&self) -> String {
        "Polar".to_string()
    }
}
