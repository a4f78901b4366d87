//! Derivations of continuous layers: the vector field, its divergence, and the solver.
//!
//! The derivation is of the differential equation; it states that the solver's result is an approximation.

use super::prose::Prose;
use super::subject::{VariableNames, formulas, line};
use super::{Line, Section};
use crate::bijection::{Bijection, BijectionError, Motion};
use crate::sweep::simplify::simplify;
use crate::sweep::{Names, Sheet, Wanted, equations};
use crate::tape::{Shape, Tape};
use crate::typeset::Written;

pub(super) fn sections(
    bijection: &dyn Bijection,
    motion: &dyn Motion,
    called: &VariableNames,
    whole: bool,
) -> Result<Vec<Section>, BijectionError> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(bijection.dim()));
    let t = tape.input(Shape::Scalar);
    let v = tape.pass(|| motion.velocity(z, t));
    let first = tape.len();
    let divergence = tape.shared(|| motion.divergence(z, t));
    let layer = bijection.name();
    tape.check().map_err(|errors| BijectionError::Recording { layer, errors })?;
    let divergence = simplify(&tape, divergence.id(), first, &[]).value;
    let names = Names::new().with(z.id(), "z").with(t.id(), "t");
    let typed = Written::typed;
    let sheet = Sheet::new(&tape, equations(&tape, &typed("v"), v.id()), &names);
    let (from, to) = motion.span();
    let moved = Prose::typed("The solution of $dz/dt = v(z, t)$ is ")
        .formula(called.input.clone())
        .then(Prose::typed(&format!(" at $t = {from}$ and ")))
        .formula(called.output.clone())
        .then(Prose::typed(&format!(" at $t = {to}$, with")));
    let mut definition = Section::new("Definition", vec![Line::Prose(moved)]);
    definition.lines.extend(formulas(&sheet));
    let trace = vec![Wanted::named(typed("tr ∂v/∂z"), divergence.id())];
    let divergence = Section::new("Divergence", formulas(&Sheet::new(&tape, trace, sheet.names())));
    let integral = typed("∫ tr ∂v/∂z dt");
    let log_det = Section::new(
        "Log-determinant",
        vec![
            Line::Prose(Prose::typed(&format!(
                "A step of length $h$ takes $z$ to $z + h·v$, with the determinant $1 + h·tr ∂v/∂z$ up to \
                 $h²$. The logarithms of all steps add up, along the trajectory from $t = {from}$ to $t = \
                 {to}$:"
            ))),
            line(called.log_det().equals(&integral)),
        ],
    );
    let steps = Section::new(
        "Steps",
        vec![Line::Prose(Prose::words(format!(
            "Computed by {}; the inverse takes them backwards in time. An audit measures the error.",
            motion.method()
        )))],
    );
    let mut sections = vec![definition, divergence, log_det, steps];
    if whole {
        let found = Prose::words("along the trajectory that ends at ")
            .formula(called.output.clone())
            .then(Prose::words(", and "))
            .formula(called.input.clone())
            .then(Prose::words(" is where it begins."));
        let density = vec![line(typed("ln p_X(x) = ln p_Z(z) - ∫ tr ∂v/∂z dt")), Line::Prose(found)];
        sections.push(Section::new("Density", density));
    }
    Ok(sections)
}
