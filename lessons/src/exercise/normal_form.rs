//! Equality of two formulas for all values of their variables, by the checker's normal forms.
//!
//! Builds the map (u, y) → (u, y + a(u)) and the map (u, x) → (u, x - b(u)), which is its inverse if b = a.
//! The checker decides whether it is the inverse everywhere: it expands polynomials and brings quotients to a
//! common denominator, which the stepwise simplifier does not.

use super::answer::Recorded;
use super::space::Space;
use pushforward::audit::{Evidence, proven_identity};
use pushforward::bijection::{Bijection, Domain};
use pushforward::jacobian::Structure;
use pushforward::tape::{Shape, Var, concat};

/// Returns the proof that they are equal on the domain of the variables, if there is one.
pub(super) fn equal_in_normal_form<'t>(
    space: &Space<'t>,
    given: Var<'t>,
    asked: Var<'t>,
) -> Option<Evidence> {
    let input = space.only_input()?;
    let [given, asked] = [given, asked].map(|node| Recorded::of(space.tape(), input, node));
    let added = Added { domains: space.domains().to_vec(), count: given.len(), given, asked };
    proven_identity(&added)?;
    let reason =
        "in the checker's normal form their difference is 0, and both are defined everywhere".to_string();
    Some(Evidence::Proven { reason })
}

/// The map that adds one formula, with an inverse that subtracts the other.
struct Added {
    domains: Vec<Domain>,
    /// Number of elements of a formula.
    count: usize,
    given: Recorded,
    asked: Recorded,
}

impl Added {
    /// Records u and y + sign·formula(u), from (u, y).
    fn moved<'t>(&self, z: Var<'t>, formula: &Recorded, sign: f64) -> Var<'t> {
        let (width, count) = (self.domains.len(), self.count);
        let u = z.slice(0..width);
        let found = formula.replayed(u).reshape(Shape::Vector(count));
        let y = z.slice(width..width + count);
        concat([u, if sign > 0.0 { y + found } else { y - found }])
    }

    fn lies(&self) -> Domain {
        Domain::each(self.domains.iter().cloned().chain(vec![Domain::Reals; self.count]))
    }
}

impl Bijection for Added {
    fn dim(&self) -> usize {
        self.domains.len() + self.count
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn domain(&self) -> Domain {
        self.lies()
    }
    fn codomain(&self) -> Domain {
        self.lies()
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        self.moved(z, &self.given, 1.0)
    }
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        Some(self.moved(x, &self.asked, -1.0))
    }
}
