//! Exercise 17: an exact posterior, as a layer that sees two measurements.

use std::f64::consts::PI;

use pushforward::audit::Topic;
use pushforward::bijection::push_forward;
use pushforward::lesson::exercise::{Exercise, Judgement, NotYet, Passed, points, recorded};
use pushforward::prelude::*;
use pushforward::program::{Output, Program};

pub const EXERCISE: Exercise = Exercise {
    number: 17,
    slug: "17_inverse_problems",
    question: "θ is standard normal. It is measured twice: x₁ = θ + noise of variance 1/2, and x₂ = 2θ + noise of variance \
               1. Write a layer θ = f(z; x) with the two measurements as its context, such that θ has exactly the density \
               p(θ | x) when z is standard normal.",
    proof: "The judge compares ln p(z) - ln|det J| with ln p(θ) + ln p(x | θ) - ln p(x) at 64 points (z, x), and audits the \
            layer for every context.",
    hints: [
        "The posterior is normal. Precisions, 1/variance, add: 1 of the prior, 2 of x₁, and 2²/1 of x₂. The variance is 1/7.",
        "The mean is (2·x₁ + 2·x₂)/7: each measurement by its slope over its variance, then divided by the precision.",
        "(2.0 * x1 + 2.0 * x2) / 7.0 + z / 7.0f64.sqrt().",
    ],
};

const TOLERANCE: f64 = 1e-9;

/// ln of a normal density.
fn normal(x: f64, mean: f64, variance: f64) -> f64 {
    -0.5 * ((x - mean).powi(2) / variance + (2.0 * PI * variance).ln())
}

/// ln p(θ | x) by Bayes' rule: the prior and the two likelihoods, over p(x), which is normal as well.
fn posterior(theta: f64, x: [f64; 2]) -> f64 {
    let joint = normal(theta, 0.0, 1.0) + normal(x[0], theta, 0.5) + normal(x[1], 2.0 * theta, 1.0);
    // Variances 3/2 and 5, covariance 2: their determinant is 7/2.
    let square = (5.0 * x[0] * x[0] - 4.0 * x[0] * x[1] + 1.5 * x[1] * x[1]) / 3.5;
    joint + 0.5 * square + 0.5 * 3.5f64.ln() + (2.0 * PI).ln()
}

pub fn judge(answer: &dyn Bijection) -> Judgement {
    recorded(answer, 1)?;
    let tape = Tape::new();
    tape.context_by_row();
    let z = tape.input(Shape::Vector(1));
    let pushed = push_forward(answer, z).map_err(|error| NotYet::new(error.to_string()))?;
    let Some(context) = tape.known_context() else {
        return Err(NotYet::new("the layer sees no measurement.")
            .advise("z.tape().context(2) are the two of them: x₁ is its .at(0), x₂ its .at(1)."));
    };
    if context.len() != 2 {
        return Err(NotYet::new("there are two measurements.")
            .because(format!("yours asks for a context of width {}.", context.len())));
    }
    let log_q = StandardNormal::new(1).log_prob(z) - pushed.log_det;
    let outputs = [Output::Each(pushed.x.id()), Output::Each(log_q.id())];
    let mut program = Program::<f64>::compile(&tape, &[z.id(), context.id()], &outputs);
    let failed = |error: &dyn std::fmt::Display| NotYet::new(error.to_string());
    program.load(&Parameters::initialise(&tape, 0)).map_err(|error| failed(&error))?;
    let rows = points(&Domain::Reals, 3);
    let noise: Vec<f64> = rows.chunks(3).map(|row| row[0]).collect();
    let measured: Vec<f64> = rows.chunks(3).flat_map(|row| [row[1], row[2]]).collect();
    let found = program.run(&[&noise, &measured], noise.len()).map_err(|error| failed(&error))?;
    let mut worst = 0.0f64;
    for (k, x) in measured.chunks(2).enumerate() {
        let (theta, mine) = (found[0][k], found[1][k]);
        let right = posterior(theta, [x[0], x[1]]);
        let off = (mine - right).abs() / right.abs().max(1.0);
        if off.is_nan() || off > TOLERANCE {
            let told = NotYet::new("θ has another density than p(θ | x).").because(format!(
                "At x = ({:.4}, {:.4}), θ = {theta:.4}: ln q(θ | x) is {mine:.4}, ln p(θ | x) is {right:.4}.",
                x[0], x[1]
            ));
            // θ of three pairs without noise, and one with noise 1.
            let asked = [&[0.0, 0.0, 0.0, 1.0][..], &[0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0]];
            let ends = program.run(&asked, 4).map_err(|error| failed(&error))?.swap_remove(0);
            return Err(compared_parts(
                told,
                [ends[1] - ends[0], ends[2] - ends[0], (ends[3] - ends[0]).abs()],
            ));
        }
        worst = worst.max(off);
    }
    let report = audit(answer).map_err(|error| NotYet::new(error.to_string()))?;
    let onto =
        NotYet::unless(&report, Topic::Injective, true, "that the layer is one-to-one is not proven.")?;
    Ok(Passed::new("an exact posterior, for every measurement.")
        .with(
            "ln p(z) - ln|det J| = ln p(θ) + ln p(x | θ) - ln p(x)",
            Evidence::Checked { points: noise.len(), worst, tolerance: TOLERANCE, seed: None },
        )
        .with(format!("{}, whatever was measured", onto.statement), onto.evidence))
}

/// What the two measurements weigh in the mean, and the deviation: each beside the exact one.
fn compared_parts(told: NotYet, found: [f64; 3]) -> NotYet {
    let exact = [2.0 / 7.0, 2.0 / 7.0, 1.0 / 7.0f64.sqrt()];
    let names = ["the weight of x₁ in the mean", "the weight of x₂ in the mean", "the deviation"];
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    let told = names
        .iter()
        .zip(found.iter().zip(exact))
        .filter(|(_, (found, exact))| !near(**found, *exact))
        .fold(told, |told, (name, (found, exact))| {
            told.because(format!("{name}: {found:.4}, exactly {exact:.4}"))
        });
    match found {
        [first, second, _] if near(first, 0.0) && near(second, 0.0) => {
            told.advise("It answers with the same density whatever is measured. Let x₁ and x₂ move it.")
        }
        [first, second, _] if near(first, 1.0 / 3.0) && near(second, 1.0 / 3.0) => told
            .advise("That mean is the θ that explains x best. The prior counts as well: it pulls towards 0."),
        [_, _, deviation] if near(deviation, 1.0 / 7.0) => {
            told.advise("1/7 is the variance. z is multiplied by the deviation, its square root.")
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
