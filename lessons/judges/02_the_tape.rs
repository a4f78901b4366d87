//! Exercise 2: a gradient by hand, held against the tape's.

use pushforward::lesson::exercise::{
    Exercise, Judgement, NotYet, Passed, Sameness, compared, formula, terms_apart, without_mistakes,
};
use pushforward::prelude::*;
use pushforward::sweep::adjoint;
use pushforward::tape::Cut;

pub const EXERCISE: Exercise = Exercise {
    number: 2,
    slug: "02_the_tape",
    question: "y = exp(z₁·z₂) + z₁·sin z₂. Write its gradient by hand, ∂y/∂z₁ and ∂y/∂z₂, by the two rules of this \
               lesson.",
    proof: "The judge runs the reverse mode over y and compares the two formulas of each entry.",
    hints: [
        "A product passes on the other factor: ∂(z₁·sin z₂)/∂z₁ = sin z₂. And z₁·z₂ inside of exp is a product too.",
        "exp passes on itself, times what its inside passes on: ∂exp(z₁z₂)/∂z₁ = exp(z₁z₂)·z₂.",
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
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let given = gradient(z);
    without_mistakes(&tape)?;
    if given.shape() != Shape::Vector(2) {
        return Err(NotYet::new("a gradient has one entry for each input.")
            .because(format!("the shape of yours: {}", given.shape()))
            .advise("Put two scalars together: stack([by_z1, by_z2])."));
    }
    let y = y(z);
    let cut = Cut::new(&tape, &[z.id()], &[y.id()]);
    let asked = adjoint(&tape, &cut, &[(y.id(), tape.constant(1.0))], &[z.id()])[0];
    let asked = asked.ok_or_else(|| NotYet::new("y does not depend on z"))?;
    let mut passed = Passed::new("your gradient is the tape's.");
    for (k, name) in ["∂y/∂z₁", "∂y/∂z₂"].into_iter().enumerate() {
        let pair = [given.at(k), asked.at(k)];
        match compared(&tape, z, pair[0], pair[1], Domain::Reals) {
            Sameness::Same(evidence) => {
                passed = passed.with(format!("{name} = {}", formula(&tape, pair[0], z, "z")), evidence);
            }
            Sameness::Apart { at, given, asked } => {
                let [mine, derived] = terms_apart(&tape, z, "z", pair, Domain::Reals);
                // The tape's own terms would be the answer: the term that is wrong is named, and the rule.
                let (what, rule) = match (mine.as_slice(), derived.as_slice()) {
                    ([], _) => (
                        "a term is missing".to_string(),
                        "Each way from the input to y gives a term of its own.",
                    ),
                    ([one], [other]) if *one == format!("-{other}") || *other == format!("-{one}") => (
                        format!("the sign of this term: {one}"),
                        "A sine passes on the cosine, with its sign as it is.",
                    ),
                    (terms, _) => (
                        format!("not a term of it: {}", terms.join(", ")),
                        "A product passes on the other factor; exp and sin pass on their slope times what their inside \
                         passes on.",
                    ),
                };
                return Err(NotYet::new(format!("{name} is another formula."))
                    .because(what)
                    .because(format!(
                        "At z = ({:.4}, {:.4}) yours is {:.4}, the tape's {:.4}.",
                        at[0], at[1], given[0], asked[0]
                    ))
                    .advise(rule));
            }
        }
    }
    Ok(passed)
}
