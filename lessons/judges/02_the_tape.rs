//! Exercise 2: a gradient by hand, held against the tape's.

use pushforward::prelude::*;
use pushforward::sweep::adjoint;
use pushforward::tape::Subgraph;
use pushforward_course::exercise::{
    Answer, Comparison, Exercise, Judgement, NotYet, Passed, Space, apart, compared, formula, place,
    terms_apart,
};

pub const EXERCISE: Exercise = Exercise {
    number: 2,
    slug: "02_the_tape",
    question: "y = exp(z₁·z₂) + z₁·sin z₂. Write its gradient by hand, ∂y/∂z₁ and ∂y/∂z₂, by the two rules of this \
               lesson.",
    proof: "The judge runs the reverse mode over y and compares the two formulas of each entry.",
    hints: [
        "The derivative of a product by one factor is the other factor: ∂(z₁·sin z₂)/∂z₁ = sin z₂. And z₁·z₂ \
         inside of exp is a product too.",
        "The derivative of exp is exp, times the derivative of its argument: ∂exp(z₁z₂)/∂z₁ = exp(z₁z₂)·z₂.",
        "∂y/∂z₁ = exp(z₁z₂)·z₂ + sin z₂, and ∂y/∂z₂ = exp(z₁z₂)·z₁ + z₁·cos z₂.",
    ],
};

/// What the learner writes.
pub type Gradient = for<'t> fn(Var<'t>) -> Var<'t>;

fn y(z: Var<'_>) -> Var<'_> {
    let (z1, z2) = (z.at(0), z.at(1));
    (z1 * z2).exp() + z1 * z2.sin()
}

pub fn judge(gradient: Gradient) -> Judgement {
    let answer = Answer::of_map(gradient, 2, Structure::Dense, Domain::Reals).map_err(shape)?;
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let given = answer.forward(z);
    let space = Space::reals(z);
    let y = y(z);
    let subgraph = Subgraph::new(&tape, &[z.id()], &[y.id()]);
    let asked = adjoint(&tape, &subgraph, &[(y.id(), tape.constant(1.0))], &[z.id()])[0];
    let asked = asked.ok_or_else(|| NotYet::new("y does not depend on z"))?;
    let mut passed = Passed::new("your gradient is the tape's.");
    for (k, name) in ["∂y/∂z₁", "∂y/∂z₂"].into_iter().enumerate() {
        let pair = [given.at(k), asked.at(k)];
        match compared(&space, pair[0], pair[1]) {
            Comparison::Equal(evidence) => {
                passed = passed.with(format!("{name} = {}", formula(&tape, pair[0], z, "z")), evidence);
            }
            Comparison::Different { at, given, asked } => {
                let [yours, tapes] = apart(given[0], asked[0]);
                let [mine, derived] = terms_apart(&space, "z", z, pair);
                // The tape's own terms would be the answer: the term that is wrong is named, and the rule.
                let (what, rule) = match (mine.as_slice(), derived.as_slice()) {
                    ([], []) => (
                        "yours is right at most points, and not at all of them".to_string(),
                        "One formula for all z is asked for.",
                    ),
                    ([], _) => (
                        "a term is missing".to_string(),
                        "Each path from the input to y gives a term of its own.",
                    ),
                    ([one], [other]) if *one == format!("-{other}") || *other == format!("-{one}") => (
                        format!("the sign of this term: {one}"),
                        "The derivative of sin is cos, with the same sign.",
                    ),
                    (terms, _) => (
                        format!("not a term of it: {}", terms.join(", ")),
                        "The derivative of a product by one factor is the other factor; that of exp and sin \
                         is their slope times the derivative of the argument.",
                    ),
                };
                return Err(NotYet::new(format!("{name} is another formula."))
                    .because(what)
                    .because(format!("At z = {} yours is {}, the tape's {}.", place(&at), yours, tapes))
                    .advise(rule));
            }
        }
    }
    Ok(passed)
}

/// A gradient is no map, but it has as many entries.
fn shape(told: NotYet) -> NotYet {
    match told.headline.contains("as many outputs") {
        true => NotYet { headline: "a gradient has one entry for each input.".to_string(), ..told }
            .advise("Put two scalars together: stack([by_z1, by_z2])."),
        false => told,
    }
}
