//! Exercise 5: the log-determinant of f⁻¹, as a formula in x.

use pushforward::bijection::record_inverse;
use pushforward::prelude::*;
use pushforward_course::exercise::{
    Comparison, Exercise, Judgement, NotYet, Passed, Space, apart, compared, derived_log_det, formula,
    given_formula, place,
};

pub const EXERCISE: Exercise = Exercise {
    number: 5,
    slug: "05_two_forms",
    question: "f is x₁ = exp(z₁), x₂ = z₂·exp(z₁), so x₁ > 0. Write ln|det J| of f⁻¹ as a formula in x: the \
               logarithm of the factor by which the second form multiplies.",
    proof: "The judge derives f⁻¹ and -ln|det J_f| at z = f⁻¹(x), and compares the formulas for all x₁ > 0.",
    hints: [
        "First ln|det J_f(z)|: J is triangular with the diagonal exp(z₁), exp(z₁).",
        "ln|det J_f(z)| = 2·z₁. For f⁻¹ it is minus that, at z = f⁻¹(x). What is z₁ when you know x?",
        "z₁ = ln x₁, so it is -2·ln x₁: -2.0 * x.at(0).ln().",
    ],
};

/// What the learner writes.
pub type Formula = for<'t> fn(Var<'t>) -> Var<'t>;

struct Given;

impl Bijection for Given {
    fn dim(&self) -> usize {
        2
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let scale = z.at(0).exp();
        stack([scale, z.at(1) * scale])
    }
}

pub fn judge(log_det_inverse: Formula) -> Judgement {
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(2));
    let given = given_formula(&tape, &[x], "a log-determinant", || log_det_inverse(x))?;
    // x₁ = exp(z₁) is above 0; x₂ may be anything.
    let space = Space::each(x, &[Domain::Positive, Domain::Reals]);
    let z = record_inverse(&Given, x).map_err(|error| NotYet::new(error.to_string()))?;
    let asked = -derived_log_det(&Given, z)?;
    let same = |other: Var<'_>| compared(&space, given, tape.var(other.id()));
    let (at, mine, right) = match same(asked) {
        Comparison::Equal(evidence) => {
            let statement = format!("ln|det J| of f⁻¹ is {}, for x₁ > 0", formula(&tape, given, x, "x"));
            return Ok(Passed::new("the second form is yours.").with(statement, evidence));
        }
        Comparison::Different { at, given, asked } => (at, given[0], asked[0]),
    };
    let [yours, derived] = apart(mine, right);
    let told = |headline: &str| {
        NotYet::new(headline).because(format!(
            "At x = {}: yours is {}, derived it is {}.",
            place(&at),
            yours,
            derived
        ))
    };
    // The formula of J_f, with x where z belongs.
    let at_x = derived_log_det(&Given, x)?;
    let is = |other: Var<'_>| matches!(same(other), Comparison::Equal(_));
    Err(if is(-asked) {
        told("that is ln|det J| of f, not of f⁻¹.").advise("What f stretches, f⁻¹ shrinks back.")
    } else if is(-at_x) || is(at_x) {
        told("the Jacobian of f is taken at x.")
            .because("z₁ = f⁻¹(x)₁ belongs where you put x₁.")
            .advise("J_f is a formula in z. Before it is one in x, z must be written as f⁻¹(x).")
    } else {
        told("that is another number.").advise("It is -ln|det J_f(z)|, with z = f⁻¹(x) put in.")
    })
}
