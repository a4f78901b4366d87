//! Dependence of outputs on inputs: by a non-zero derivative, not by a path.
//!
//! A path from z to x is not enough: z₁ + (z₂ - z₂) does not depend on z₂. So each entry of the Jacobian is
//! evaluated at many points, near and far, and for several parameter values; if it is non-zero anywhere, x
//! depends on z.

use super::probes::Probes;
use super::proof::refused;
use super::space::Space;
use super::verdict::NotYet;
use pushforward::bijection::{Bijection, forward_with_log_det};
use pushforward::sweep::simplify::simplify;
use pushforward::sweep::tangent;
use pushforward::tape::{Parameters, Shape, Subgraph, Tape};

/// A derivative below this may be the rounding error of 0.
const NOTHING: f64 = 1e-9;

/// Returns for each output the inputs that it depends on, for some of the usual parameter values.
///
/// # Errors
/// When the answer cannot be recorded.
pub fn depends(answer: &dyn Bijection) -> Result<Vec<Vec<usize>>, NotYet> {
    let (tape, d) = (Tape::new(), answer.dim());
    let z = tape.input(Shape::Vector(d));
    let x = forward_with_log_det(answer, z).map_err(|error| refused(answer, error))?.x;
    let subgraph = Subgraph::new(&tape, &[z.id()], &[x.id()]);
    let column = |j: usize| {
        let unit: Vec<f64> = (0..d).map(|k| if k == j { 1.0 } else { 0.0 }).collect();
        let column = tangent(&tape, &subgraph, &[(z.id(), tape.vector(&unit))])[0]?;
        Some(simplify(&tape, column.id(), 0, &[]).value)
    };
    let columns: Vec<_> = (0..d).map(column).collect();
    let outputs: Vec<_> = columns.iter().flatten().copied().collect();
    let mut found = vec![Vec::new(); d];
    for parameters in draws(&Parameters::initialise(&tape, 0)) {
        let space = Space::of(z, answer.domain()).with(parameters);
        let probes = Probes::of(&space, &[]);
        let mut numbers = space.numbers(&outputs, &probes.rows).into_iter();
        for (j, column) in columns.iter().enumerate() {
            if column.is_none() {
                continue;
            }
            let numbers = numbers.next().expect("numbers for each column");
            for (i, inputs) in found.iter_mut().enumerate() {
                let moves = |value: &f64| value.is_finite() && value.abs() > NOTHING;
                if !inputs.contains(&j) && numbers.iter().skip(i).step_by(d).any(moves) {
                    inputs.push(j);
                }
            }
        }
    }
    found.iter_mut().for_each(|inputs| inputs.sort_unstable());
    Ok(found)
}

/// Returns parameter values to try: the initial ones, others nearby, and all parameters set to one number,
/// small or large, of either sign.
pub fn draws(start: &Parameters) -> Vec<Parameters> {
    let mut draws = vec![start.clone()];
    if start.count() == 0 {
        return draws;
    }
    for draw in 1..=3 {
        let mut near = start.clone();
        let mut k = 0.0;
        for (_, tensor) in near.iter_mut() {
            for value in &mut tensor.values {
                k += 1.0;
                // A Kronecker sequence for each draw: generic, and the same in each run.
                let unit = (k * (0.618_033_988_749_895 + 0.114 * f64::from(draw))).fract();
                *value += 1.6 * unit - 0.8;
            }
        }
        draws.push(near);
    }
    draws.extend([1.0, -1.0, 0.3, -3.0, 30.0].map(|value| filled(start, value)));
    draws
}

/// Sets all parameters to one number.
pub fn filled(start: &Parameters, value: f64) -> Parameters {
    let mut parameters = start.clone();
    parameters.iter_mut().for_each(|(_, tensor)| tensor.values.fill(value));
    parameters
}
