//! Exercise 17: an exact posterior, as a layer with two measurements as its context.

use std::f64::consts::PI;

use pushforward::audit::Topic;
use pushforward::bijection::forward_with_log_det;
use pushforward::prelude::*;
use pushforward_course::exercise::{
    Allowed, Answer, Comparison, Exercise, Judgement, NotYet, Passed, Space, apart, compared, recorded, shown,
};

pub const EXERCISE: Exercise = Exercise {
    number: 17,
    slug: "17_inverse_problems",
    question: "θ is standard normal. It is measured twice: x₁ = θ + noise of variance 1/2, and x₂ = 2θ + noise of variance \
               1. Write a layer θ = f(z; x) with the two measurements as its context, such that θ has exactly the density \
               p(θ | x) when z is standard normal.",
    proof: "The judge compares ln p(z) - ln|det J| with ln p(θ) + ln p(x | θ) - ln p(x) for points (z, x) near and \
            far, and audits the layer for every context.",
    hints: [
        "The posterior is normal. Precisions, 1/variance, add: 1 of the prior, 2 of x₁, and 2²/1 of x₂. The variance is 1/7.",
        "The mean is (2·x₁ + 2·x₂)/7: each measurement by its slope over its variance, then divided by the precision.",
        "(2.0 * x1 + 2.0 * x2) / 7.0 + z / 7.0f64.sqrt().",
    ],
};

/// ln of a normal density of this precision, of what lies `off` its mean.
fn normal(off: Var<'_>, precision: f64) -> Var<'_> {
    -0.5 * precision * off.powi(2) + 0.5 * (precision / (2.0 * PI)).ln()
}

/// Precision and mean of p(θ | x): the exponent is a square in θ, its precision is the sum of those of the prior and of
/// the measurements, its mean is where its slope is 0.
fn square<'t>(x: [Var<'t>; 2]) -> (f64, Var<'t>) {
    // Prior θ ~ N(0, 1); x₁ = 1·θ with precision 2; x₂ = 2·θ with precision 1.
    let parts = [(1.0, 2.0), (2.0, 1.0)];
    let precision = 1.0 + parts.iter().map(|(slope, precision)| slope * slope * precision).sum::<f64>();
    let pull = parts.iter().zip(x).map(|((slope, precision), x)| slope * precision * x);
    let pull = pull.reduce(|sum, next| sum + next).expect("two measurements");
    (precision, pull / precision)
}

/// ln p(θ | x) by Bayes' rule: the prior and the two likelihoods, over p(x) = ∫ p(θ)·p(x | θ) dθ.
fn posterior<'t>(theta: Var<'t>, x: [Var<'t>; 2]) -> Var<'t> {
    let (precision, mean) = square(x);
    normal(theta - mean, precision)
}

pub fn judge(answer: &dyn Bijection) -> Judgement {
    let answer = Answer::of(answer, 1, Allowed { context: Some(2), ..Allowed::default() })?;
    recorded(&answer)?;
    let tape = Tape::new();
    tape.context_by_row();
    let z = tape.input(Shape::Vector(1));
    let pushed = forward_with_log_det(&answer, z).map_err(|error| NotYet::new(error.to_string()))?;
    let Some(context) = tape.declared_context() else {
        return Err(NotYet::new("the layer does not depend on the measurements.")
            .advise("z.tape().context(2) are the two of them: x₁ is its .at(0), x₂ its .at(1)."));
    };
    let space = Space::reals(z).and(context);
    let log_q = StandardNormal::new(1).log_prob(z) - pushed.log_det;
    let asked = posterior(pushed.x.at(0), [context.at(0), context.at(1)]);
    let density = match compared(&space, log_q, asked) {
        Comparison::Equal(evidence) => straight(&space, z, pushed.x, context).unwrap_or(evidence),
        Comparison::Different { at, given, asked } => {
            let theta = space.numbers(&[pushed.x], &at)[0][0];
            let [yours, right] = apart(given[0], asked[0]);
            let told = NotYet::new("θ has another density than p(θ | x).").because(format!(
                "At x = ({}, {}), θ = {}: ln q(θ | x) is {}, ln p(θ | x) is {}.",
                shown(at[1]),
                shown(at[2]),
                shown(theta),
                yours,
                right
            ));
            // θ of three pairs without noise, and one with noise 1.
            let asked = [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0];
            let ends = space.numbers(&[pushed.x], &asked).swap_remove(0);
            return Err(compared_parts(
                told,
                [ends[1] - ends[0], ends[2] - ends[0], (ends[3] - ends[0]).abs()],
            ));
        }
    };
    let report = audit(&answer).map_err(|error| NotYet::new(error.to_string()))?;
    let onto =
        NotYet::unless(&report, Topic::Injective, true, "that the layer is one-to-one is not proven.")?;
    let headline = match &density {
        Evidence::Checked { points, .. } => {
            format!("an exact posterior, at {points} points of noise and measurements.")
        }
        _ => "an exact posterior, for every measurement.".to_string(),
    };
    Ok(Passed::new(headline)
        .with("ln p(z) - ln|det J| = ln p(θ) + ln p(x | θ) - ln p(x)", density)
        .with(format!("{}, whatever was measured", onto.statement), onto.evidence))
}

/// That θ is the mean plus or minus z times the deviation, for all z and x: then its density is the posterior for all.
fn straight<'t>(space: &Space<'t>, z: Var<'t>, theta: Var<'t>, context: Var<'t>) -> Option<Evidence> {
    let (precision, mean) = square([context.at(0), context.at(1)]);
    let noise = z.at(0) / precision.sqrt();
    let is = |asked: Var<'t>| compared(space, theta.at(0), asked).is_proven();
    (is(mean + noise) || is(mean - noise)).then(|| {
        let reason = "simplified, θ is the mean and z times the deviation, by the same formulas".to_string();
        Evidence::Proven { reason }
    })
}

/// What the two measurements weigh in the mean, and the deviation: whether each is too small or too large.
fn compared_parts(told: NotYet, found: [f64; 3]) -> NotYet {
    let exact = [2.0 / 7.0, 2.0 / 7.0, 1.0 / 7.0f64.sqrt()];
    let names = ["the weight of x₁ in the mean", "the weight of x₂ in the mean", "the deviation"];
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    let mut told = told;
    let mut rounded = false;
    for (name, (found, exact)) in names.iter().zip(found.iter().zip(exact)) {
        let how = match found - exact {
            off if off.abs() < 1e-9 => continue,
            off if off.abs() < 5e-4 => {
                rounded = true;
                "is right to three digits, and not exact"
            }
            off if off < 0.0 => "is too small",
            _ => "is too large",
        };
        told = told.because(format!("{name}, {}, {how}", shown(*found)));
    }
    match found {
        _ if rounded => told.advise("Write it as a quotient, not as a decimal number."),
        [first, second, _] if near(first, 0.0) && near(second, 0.0) => {
            told.advise("It answers with the same density whatever is measured. Let x₁ and x₂ move it.")
        }
        [first, second, _] if near(first, 1.0 / 3.0) && near(second, 1.0 / 3.0) => told
            .advise("That mean is the θ that explains x best. The prior counts as well: it pulls towards 0."),
        [_, _, deviation] if near(deviation, 1.0 / 7.0) => {
            told.advise("That is the variance. z is multiplied by the deviation, its square root.")
        }
        [_, _, deviation] if !near(deviation, exact[2]) => told.advise(
            "Precisions add: that of the prior, and of each measurement its slope² over its variance.",
        ),
        [first, second, _] if near(first, exact[0]) && near(second, exact[1]) => told
            .advise("The posterior is a normal density: θ is a straight line in z, and so is its mean in x."),
        _ => told.advise(
            "Each measurement counts by its slope over its variance, divided by the sum of precisions.",
        ),
    }
}
