//! Recording the solution of an initial-value problem.

use std::panic::Location;

use crate::sweep;
use crate::tape::{Integration, Method, Shape, Var};

/// Records z(t₁) of dz/dt = v(z, t) with z(t₀) = `start`, a vector: one node, whose steps are a loop of the program.
///
/// `velocity` takes z and the scalar t, and returns a vector of the same length; it may use parameters, a context and any
/// other nodes of the tape. Recording takes the same time and memory for every number of steps. Derivatives are nodes
/// again: the tangent is an initial-value problem with the same steps, and gradients are those of the steps taken
/// ([`Gradient`](crate::tape::Gradient)).
///
/// ```
/// use pushforward::bijection::initial_value;
/// use pushforward::program::{Output, Program};
/// use pushforward::prelude::*;
/// use pushforward::tape::{Integration, Method};
///
/// // dz/dt = t·z from 0 to 1: z(1) = z(0)·√e.
/// let tape = Tape::new();
/// let start = tape.input(Shape::Vector(1));
/// let method = Method::DormandPrince { relative: 1e-9, absolute: 1e-9, most_steps: 1000 };
/// let end = initial_value(start, Integration::new(0.0, 1.0, method), |z, t| t * z);
/// let mut program = Program::<f64>::compile(&tape, &[start.id()], &[Output::Each(end.id())]);
/// program.load(&Parameters::default())?;
/// let found = program.run(&[&[2.0]], 1)?[0][0];
/// assert!((found - 2.0 * 0.5f64.exp()).abs() < 1e-8);
/// assert!(program.steps().accepted < 30);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A row whose steps would be too many, or too short to move t, is NaN. A velocity of another shape, times that are not
/// finite, no steps, and tolerances that are not positive are errors of the recording.
#[track_caller]
pub fn initial_value<'t>(
    start: Var<'t>,
    integration: Integration,
    velocity: impl FnOnce(Var<'t>, Var<'t>) -> Var<'t>,
) -> Var<'t> {
    let (tape, place) = (start.tape(), Location::caller());
    let refuse = |message: String, shapes: &[Shape]| {
        tape.note("initial value problem", message, shapes, place);
        tape.placeholder(start.shape())
    };
    if !matches!(start.shape(), Shape::Vector(_)) {
        return refuse("z begins at a vector".to_string(), &[start.shape()]);
    }
    if let Some(fault) = fault(&integration) {
        return refuse(fault, &[]);
    }
    let (z, t) = (tape.input(start.shape()), tape.input(Shape::Scalar));
    let v = velocity(z, t);
    if v.shape() != start.shape() {
        let message = format!("dz/dt must be a vector of {} numbers, as z is", start.len());
        return refuse(message, &[v.shape()]);
    }
    let controlled = integration.controlled.min(start.len());
    sweep::initial_value((z, t), v, start, Integration { controlled, ..integration })
}

/// What is wrong with settings, if anything is.
fn fault(integration: &Integration) -> Option<String> {
    let Integration { from, to, method, .. } = integration;
    if !(from.is_finite() && to.is_finite()) {
        return Some(format!("the times {from} and {to} must be finite"));
    }
    match method {
        Method::Euler { steps: 0 } | Method::RungeKutta4 { steps: 0 } => {
            Some("at least one step is taken".to_string())
        }
        Method::DormandPrince { relative, absolute, .. }
            if !(*relative >= 0.0 && *absolute > 0.0 && relative.is_finite() && absolute.is_finite()) =>
        {
            Some(format!(
                "the tolerances must be finite, the absolute one positive and the relative one not negative, but \
                 are {absolute} and {relative}"
            ))
        }
        _ => None,
    }
}
