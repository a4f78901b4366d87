//! Whether two formulas are equal for all values of their variables: by the checker's normal forms.
//!
//! a(u) and b(u) are put into a map, (u, y) to (u, y + a(u)), and into what undoes it if b is a, (u, x) to (u, x - b(u)). That
//! the one undoes the other everywhere is a claim that the checker decides: polynomials are multiplied out there, and quotients
//! brought to one denominator, which no step by step simplification does.

use super::answer::Recorded;
use super::space::Space;
use pushforward::audit::{Evidence, proven_identity};
use pushforward::bijection::{Bijection, Domain};
use pushforward::jacobian::Structure;
use pushforward::tape::{Shape, Var, concat};

/// That they are equal wherever the variables may lie, if it is proven.
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

/// One formula added, and the other taken away.
struct Added {
    domains: Vec<Domain>,
    /// How many numbers a formula has.
    count: usize,
    given: Recorded,
    asked: Recorded,
}

impl Added {
    /// u and y + sign·formula(u), of (u, y).
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
