//! Exercise 13: the divergence that maximum likelihood lowers, between two normal densities.

use std::f64::consts::PI;

use pushforward::lesson::exercise::{
    Exercise, Judgement, NotYet, Passed, Sameness, compared, points, without_mistakes,
};
use pushforward::lesson::values;
use pushforward::prelude::*;

pub const EXERCISE: Exercise = Exercise {
    number: 13,
    slug: "13_maximum_likelihood_is_forward_kl",
    question: "p is the normal density with mean a and deviation s, q the one with mean b and deviation t. Write KL(p‖q), \
               what maximum likelihood lowers when the data come from p and the model is q.",
    proof: "The judge forms the mean of ln p - ln q over p on the tape, which is exact for normal densities, and compares \
            the formulas for all means and deviations. KL(p‖p) must be 0.",
    hints: [
        "KL(p‖q) is NLL - H(p). H(p) of a normal density is ln s + 1/2 + 1/2·ln 2π; NLL is the mean of -ln q over p.",
        "-ln q(x) is (x - b)²/(2t²) + ln t + 1/2·ln 2π, and the mean of (x - b)² over p is s² + (a - b)².",
        "ln t - ln s + (s² + (a - b)²)/(2t²) - 1/2.",
    ],
};

/// KL(p‖q) from the mean and the deviation of p, and those of q.
pub type Divergence = for<'t> fn([Var<'t>; 2], [Var<'t>; 2]) -> Var<'t>;

/// ln of a normal density.
fn log_normal<'t>(x: Var<'t>, [mean, deviation]: [Var<'t>; 2]) -> Var<'t> {
    -0.5 * ((x - mean) / deviation).powi(2) - deviation.ln() - 0.5 * (2.0 * PI).ln()
}

/// The mean over p of what is at most quadratic in x: half of what it is at a - s and at a + s, and no less exact.
fn mean_over<'t>([mean, deviation]: [Var<'t>; 2], of: impl Fn(Var<'t>) -> Var<'t>) -> Var<'t> {
    0.5 * (of(mean - deviation) + of(mean + deviation))
}

fn divergence<'t>(p: [Var<'t>; 2], q: [Var<'t>; 2]) -> Var<'t> {
    mean_over(p, |x| log_normal(x, p) - log_normal(x, q))
}

pub fn judge(forward_kl: Divergence) -> Judgement {
    let tape = Tape::new();
    // All means and all deviations above 0.
    let u = tape.input(Shape::Vector(4));
    let (p, q) = ([u.at(0), u.at(1).exp()], [u.at(2), u.at(3).exp()]);
    let (given, own) = (forward_kl(p, q), forward_kl(p, p));
    without_mistakes(&tape)?;
    if given.shape() != Shape::Scalar {
        return Err(NotYet::new("a divergence is one number.")
            .because(format!("the shape of yours: {}", given.shape())));
    }
    let same = |given: Var<'_>, other: Var<'_>| {
        compared(&tape, u, tape.var(given.id()), tape.var(other.id()), Domain::Reals)
    };
    let is = |other: Var<'_>| matches!(same(given, other), Sameness::Same(_));
    let (at, mine, right) = match same(given, divergence(p, q)) {
        Sameness::Same(evidence) => return passed(&tape, u, given, evidence, same(own, tape.constant(0.0))),
        Sameness::Apart { at, given, asked } => (at, given[0], asked[0]),
    };
    let told = |headline: &str| {
        NotYet::new(headline)
            .because(format!(
                "p with mean {:.3} and deviation {:.3}, q with {:.3} and {:.3}:",
                at[0],
                at[1].exp(),
                at[2],
                at[3].exp()
            ))
            .because(format!("  yours is {mine:.4}; KL(p‖q) is {right:.4}"))
    };
    Err(if is(divergence(q, p)) {
        told("that is KL(q‖p), the backward one.")
            .because("Its mean is over q. Data are drawn from p.")
            .advise("Let p and q change places.")
    } else if is(mean_over(p, |x| -log_normal(x, q))) {
        told("that is NLL, with H(p) left in it.").advise("Take off H(p), which is ln s + 1/2 + 1/2·ln 2π.")
    } else if is(-divergence(p, q)) {
        told("the sign is the other one: a divergence is never negative.")
    } else if let Sameness::Apart { given, .. } = same(own, tape.constant(0.0)) {
        told("KL(p‖p) is not 0.")
            .because(format!("  with q = p yours is {:.4}", given[0]))
            .advise("The mean of (x - b)² over p has two parts, one of them s².")
    } else {
        told("that is another number.").advise("It is the mean of ln p(x) - ln q(x), over x drawn from p.")
    })
}

/// What holds of the right answer.
fn passed(tape: &Tape, u: Var<'_>, given: Var<'_>, equal: Evidence, own: Sameness) -> Judgement {
    let Sameness::Same(zero) = own else {
        return Err(NotYet::new("KL(p‖p) is not 0."));
    };
    let rows = points(&Domain::Reals, 4);
    let least = values(tape, u, &[given], &rows).concat().into_iter().fold(f64::INFINITY, f64::min);
    if least < 0.0 {
        return Err(
            NotYet::new("a divergence is never negative.").because(format!("yours is {least:.4} somewhere"))
        );
    }
    let never = Evidence::Checked { points: rows.len() / 4, worst: 0.0, tolerance: 0.0, seed: None };
    Ok(Passed::new("that is what maximum likelihood lowers.")
        .with("it is the mean of ln p - ln q over p, for all means and deviations", equal)
        .with("KL(p‖p) = 0", zero)
        .with("it is never negative", never))
}
