//! Exercise 13: the divergence that maximum likelihood lowers, between two normal densities.

use std::f64::consts::PI;

use pushforward::prelude::*;
use pushforward_course::exercise::{
    Comparison, Exercise, Judgement, NotYet, Passed, Probes, Space, apart, compared, given_formula, shown,
};

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

/// ln of a normal density at what lies `off` its mean.
fn log_normal<'t>(off: Var<'t>, deviation: Var<'t>) -> Var<'t> {
    -0.5 * (off / deviation).powi(2) - deviation.ln() - 0.5 * (2.0 * PI).ln()
}

/// The mean over p of what is at most quadratic in x: half of what it is at a - s and at a + s, and no less exact. What
/// is asked for is a formula in x - a, which is s there whatever a is.
fn mean_over<'t>([_, deviation]: [Var<'t>; 2], of: impl Fn(Var<'t>) -> Var<'t>) -> Var<'t> {
    0.5 * (of(-deviation) + of(deviation))
}

/// The mean of -ln q over p.
fn nll<'t>(p: [Var<'t>; 2], q: [Var<'t>; 2]) -> Var<'t> {
    mean_over(p, |off| -log_normal((p[0] - q[0]) + off, q[1]))
}

fn divergence<'t>(p: [Var<'t>; 2], q: [Var<'t>; 2]) -> Var<'t> {
    mean_over(p, |off| log_normal(off, p[1])) + nll(p, q)
}

pub fn judge(forward_kl: Divergence) -> Judgement {
    let tape = Tape::new();
    // a and b are any numbers, s and t are above 0.
    let u = tape.input(Shape::Vector(4));
    let space = Space::each(u, &[Domain::Reals, Domain::Positive, Domain::Reals, Domain::Positive]);
    let (p, q) = ([u.at(0), u.at(1)], [u.at(2), u.at(3)]);
    let given = given_formula(&tape, &[u], "a divergence", || forward_kl(p, q))?;
    let same = |other: Var<'_>| compared(&space, given, tape.var(other.id()));
    // Where q is p, a divergence is 0.
    let own: Vec<f64> = [[0.0, 1.0], [1.5, 0.3], [-2.0, 4.0], [30.0, 1e-3], [-0.1, 100.0]]
        .into_iter()
        .flat_map(|[mean, deviation]| [mean, deviation, mean, deviation])
        .collect();
    let of_itself = space.numbers(&[given], &own).swap_remove(0);
    let (at, mine, right) = match same(divergence(p, q)) {
        Comparison::Equal(evidence) => return passed(&space, given, evidence, &of_itself),
        Comparison::Different { at, given, asked } => (at, given[0], asked[0]),
    };
    let [yours, derived] = apart(mine, right);
    let told = |headline: &str| {
        NotYet::new(headline)
            .because(format!(
                "p with mean {} and deviation {}, q with {} and {}:",
                shown(at[0]),
                shown(at[1]),
                shown(at[2]),
                shown(at[3])
            ))
            .because(format!("  yours is {}; KL(p‖q) is {}", yours, derived))
    };
    let is = |other: Var<'_>| same(other).holds();
    Err(if is(divergence(q, p)) {
        told("that is KL(q‖p), the backward one.")
            .because("Its mean is over q. Data are drawn from p.")
            .advise("Let p and q change places.")
    } else if is(nll(p, q)) {
        told("that is NLL, with H(p) left in it.").advise("Take off H(p), which is ln s + 1/2 + 1/2·ln 2π.")
    } else if is(-divergence(p, q)) {
        told("the sign is the other one: a divergence is never negative.")
    } else if let Some(constant) = always(&space, given, divergence(p, q)) {
        told("a number is left over.")
            .because(format!("  yours is KL(p‖q) and {} more, whatever p and q are", shown(constant)))
            .advise("KL(p‖p) is 0: what is left of yours when q is p?")
    } else if let Some(rest) = of_itself.iter().find(|value| (**value).abs() > 1e-9 || value.is_nan()) {
        told("KL(p‖p) is not 0.").because(format!("  with q = p yours is {}", shown(*rest))).advise(
            "NLL is a mean over p, and so is H(p). Of which square is the mean over p the variance, s²?",
        )
    } else {
        told("that is another number.").advise("It is the mean of ln p(x) - ln q(x), over x drawn from p.")
    })
}

/// What one formula is more than another, if it is the same number everywhere.
fn always<'t>(space: &Space<'t>, given: Var<'t>, asked: Var<'t>) -> Option<f64> {
    let at = [0.0, 1.0, 0.0, 1.0];
    let numbers = space.numbers(&[given, asked], &at);
    let constant = numbers[0][0] - numbers[1][0];
    (constant.is_finite() && compared(space, given - constant, asked).holds()).then_some(constant)
}

/// What holds of the right answer.
fn passed<'t>(space: &Space<'t>, given: Var<'t>, equal: Evidence, of_itself: &[f64]) -> Judgement {
    if let Some(rest) = of_itself.iter().find(|value| value.is_nan() || value.abs() > 1e-9) {
        return Err(NotYet::new("KL(p‖p) is not 0.").because(format!("with q = p yours is {}", shown(*rest))));
    }
    let worst = of_itself.iter().fold(0.0f64, |worst, value| worst.max(value.abs()));
    let zero = Evidence::Checked { points: of_itself.len(), worst, tolerance: 1e-9, seed: None };
    let rows = Probes::of(space, &[given]).rows;
    let numbers = space.numbers(&[given, space.rounding(given)], &rows);
    let seen: Vec<f64> = numbers[0]
        .iter()
        .zip(&numbers[1])
        .filter(|(value, rounding)| value.is_finite() && **rounding < 1e-9)
        .map(|(value, _)| *value)
        .collect();
    let least = seen.iter().copied().fold(f64::INFINITY, f64::min);
    if least < -1e-9 {
        return Err(NotYet::new("a divergence is never negative.")
            .because(format!("yours is {} somewhere", shown(least))));
    }
    let all = match equal {
        Evidence::Proven { .. } => "it is the mean of ln p - ln q over p, for all means and deviations",
        _ => "it is the mean of ln p - ln q over p",
    };
    let never = Evidence::Checked { points: seen.len(), worst: 0.0, tolerance: 0.0, seed: None };
    Ok(Passed::new("that is what maximum likelihood lowers.")
        .with(all, equal)
        .with("KL(p‖p) = 0", zero)
        .with("it is never negative", never))
}
