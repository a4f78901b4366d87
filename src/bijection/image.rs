//! The image of an interval under a function of one variable.

use super::Domain;
use crate::sweep::bound::{Bound, Bounds};
use crate::tape::{Shape, Tape, Var};

/// Returns an interval that contains f(z) for every z of one variable in `part`, proven by bounds and
/// intersected with `codomain`, in which f is known to stay.
pub(crate) fn bounded_image(
    part: &Domain,
    codomain: &Domain,
    f: impl for<'t> FnOnce(Var<'t>) -> Var<'t>,
) -> Domain {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(1));
    let x = f(z);
    let bound = Bounds::new(&tape, &[(z.id(), Bound::from(part))]).of(x.id());
    let (lower, upper) = codomain.ends();
    // A domain is open, so an end that is attained must lie inside of it.
    let low = if bound.low.open { bound.low.at } else { bound.low.at.next_down() };
    let high = if bound.high.open { bound.high.at } else { bound.high.at.next_up() };
    let image = Domain::Interval { lower: low.max(lower), upper: high.min(upper) };
    if image.fault(1).is_some() { codomain.clone() } else { image }
}
