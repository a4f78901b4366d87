//! Exercise 18: an autoregressive model, as a flow over a uniform base.

use pushforward::prelude::*;
use pushforward_course::exercise::{
    Answer, Comparison, Exercise, Judgement, NotYet, Passed, Space, apart, compared, recorded, shown,
};

pub const EXERCISE: Exercise = Exercise {
    number: 18,
    slug: "18_five_paradigms",
    question: "An autoregressive model: x₁ is logistic with location 0 and scale 1. Given x₁, x₂ is logistic with location \
               x₁² and scale exp(tanh x₁). P(X < x) of a logistic variable is σ((x - location)/scale), with σ(a) = 1/(1 + \
               exp(-a)). Write the model as a flow, a map from z, uniform on (0, 1)², to x: x₁ is made of z₁, and x₂ of z₂ and \
               x₁.",
    proof: "The judge proves that J is lower triangular, and that P(X₁ < x₁) is z₁ and P(X₂ < x₂ | x₁) is z₂ for your x₁ and \
            x₂ (or 1 - z₁, 1 - z₂, which are uniform as well): then x has the density of the model.",
    hints: [
        "Set P(X₁ < x₁) = σ(x₁) equal to z₁, and solve for x₁. Then the same for P(X₂ < x₂ | x₁) and z₂.",
        "σ(y) = z is solved by y = ln(z/(1 - z)). So x₁ = ln(z₁/(1 - z₁)); x₂ = location + scale·ln(z₂/(1 - z₂)).",
        "With y = (z / (1.0 - z)).ln(), y1 = y.at(0), y2 = y.at(1): stack([y1, y1.powi(2) + y1.tanh().exp() * y2]).",
    ],
};

/// What the learner writes.
pub type Map = for<'t> fn(Var<'t>) -> Var<'t>;

const NO_NUMBER: &str = "NaN is not a number. The logarithm of a number below 0 is none, for instance.";
const UNIT: Domain = Domain::Interval { lower: 0.0, upper: 1.0 };

pub fn judge(x: Map) -> Judgement {
    let answer = Answer::of_map(x, 2, Structure::LowerTriangular, UNIT)?;
    let recording = recorded(&answer)?;
    let (z, x) = (recording.input(), recording.output());
    let space = Space::of(z, UNIT);
    let (z1, z2, x1, x2) = (z.at(0), z.at(1), x.at(0), x.at(1));
    let first = match uniform(&space, x1, z1) {
        Comparison::Equal(evidence) => evidence,
        Comparison::Different { at, given, .. } => {
            let [found, wanted] = apart(given[0], at[0]);
            let told = NotYet::new("x₁ is not logistic.").because(format!(
                "At z₁ = {wanted}, x₁ = {}: P(X₁ < x₁) = σ(x₁) = {found}, and must be z₁, or 1 - z₁ everywhere.",
                shown(value(&space, x1, &at)),
            ));
            return Err(match () {
                _ if compared(&space, x1, z1).holds() => told
                    .advise("That is z₁ itself, uniform. Which x₁ has a share z₁ of the logistic below it?"),
                _ if compared(&space, x1, z1.sigmoid()).holds() => {
                    told.advise("σ takes a logistic number to a uniform one. You are to write its inverse.")
                }
                _ if value(&space, x1, &at).is_nan() => told.advise(NO_NUMBER),
                _ if at_an_end(at[0]) => {
                    told.advise("In the middle it may be right. z₁ may be any number of (0, 1).")
                }
                _ => told.advise("Solve σ(x₁) = z₁ for x₁."),
            });
        }
    };
    let standardised = |location: Var<'_>, log_scale: Var<'_>| ((x2 - location) * (-log_scale).exp()).id();
    let noise = |location, log_scale| recording.tape().var(standardised(location, log_scale));
    let second = match uniform(&space, noise(x1.powi(2), x1.tanh()), z2) {
        Comparison::Equal(evidence) => evidence,
        Comparison::Different { at, given, .. } => {
            let [found, wanted] = apart(given[0], at[1]);
            let told = NotYet::new("x₂ is not logistic with location x₁² and scale exp(tanh x₁).").because(format!(
                "At z = ({}, {wanted}), x = ({}, {}): P(X₂ < x₂ | x₁) = {found}, and must be z₂, or 1 - z₂ everywhere.",
                shown(at[0]),
                shown(value(&space, x1, &at)),
                shown(value(&space, x2, &at)),
            ));
            let zero = recording.tape().constant(0.0);
            let is = |y: Var<'_>| uniform(&space, recording.tape().var(y.id()), z2).holds();
            return Err(match () {
                _ if is(x2) => told.advise("It is standard logistic, whatever x₁ is: move and scale it."),
                _ if is(noise(zero, x1.tanh())) => told.advise("The location x₁² is missing."),
                _ if is(noise(x1.powi(2), zero)) => told.advise("The scale exp(tanh x₁) is missing."),
                _ if is(noise(x1.powi(2), -x1.tanh())) => {
                    told.advise("It is divided by the scale; to draw x₂, multiply by it.")
                }
                _ if is(noise(zero, x1.tanh()) - x1.powi(2)) => {
                    told.advise("The location is not scaled: first scale, then move.")
                }
                _ if [1.0, -1.0].iter().any(|sign| {
                    let y = z2.ln() - (1.0 - z2).ln();
                    compared(&space, x2, x1.powi(2) + *sign * x1.tanh() * y).holds()
                }) =>
                {
                    told.advise("The scale is exp(tanh x₁); tanh x₁ itself is below 0 for half of the x₁.")
                }
                _ if is(noise(z1.powi(2), z1.tanh())) => {
                    told.advise("What x₂ depends on is x₁, not z₁, the number that x₁ was made of.")
                }
                _ if value(&space, x2, &at).is_nan() => told.advise(NO_NUMBER),
                _ if at.iter().any(|z| at_an_end(*z)) => {
                    told.advise("In the middle it may be right. z₁ and z₂ may be any numbers of (0, 1).")
                }
                _ => told.advise("Solve σ((x₂ - x₁²)/exp(tanh x₁)) = z₂ for x₂."),
            });
        }
    };
    let points = [&first, &second].into_iter().find_map(|evidence| match evidence {
        Evidence::Checked { points, .. } => Some(*points),
        _ => None,
    });
    let headline = match points {
        Some(points) => format!("the model as a flow, at {points} points."),
        None => "an autoregressive model is a flow.".to_string(),
    };
    let reason = "no path leads from z₂ to x₁".to_string();
    Ok(Passed::new(headline)
        .with("J is lower triangular", Evidence::Proven { reason })
        .with("P(X₁ < x₁) is uniform: z₁, or 1 - z₁", first)
        .with("P(X₂ < x₂ | x₁) is uniform: z₂, or 1 - z₂", second))
}

/// Whether σ(y), the distribution function of a standard logistic y, is z or else 1 - z. If not, how it differs from the
/// one of them that is nearer.
fn uniform<'t>(space: &Space<'t>, y: Var<'t>, z: Var<'t>) -> Comparison {
    let [rising, falling] = [y, -y].map(|y| compared(space, y.sigmoid(), z));
    match (&rising, &falling) {
        (_, Comparison::Equal(_)) if !rising.is_proven() => falling,
        _ => rising,
    }
}

/// Whether a number of (0, 1) is close to 0 or 1.
fn at_an_end(z: f64) -> bool {
    z.min(1.0 - z) < 1e-4
}

fn value(space: &Space<'_>, node: Var<'_>, at: &[f64]) -> f64 {
    space.numbers(&[node], at)[0][0]
}
