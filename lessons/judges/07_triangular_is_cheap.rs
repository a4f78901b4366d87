//! Exercise 7: a layer that says lower triangular and is not.

use pushforward::audit::Topic;
use pushforward::prelude::*;
use pushforward_course::exercise::{
    Allowed, Answer, Exercise, Judgement, NotYet, Passed, defined, depends, formula, one_to_one, recorded,
};

pub const EXERCISE: Exercise = Exercise {
    number: 7,
    slug: "07_triangular_is_cheap",
    question: "A layer of three variables declares itself lower triangular, and one of its lines keeps that from being \
               true. Repair it, so that x[1] still depends on z[0], and x[2] on all three.",
    proof: "The judge follows every path from z to x: the declared triangle must be proven. Every dependence that the triangle allows must be there, with a derivative that is not 0, and no two z may have the same x.",
    hints: [
        "The verdict names a path. Read it from left to right: it begins at a variable that the output at its end must not depend on.",
        "x[0] may depend on z[0] only. What does the line of x0 read?",
        "Nothing comes before z[0], so x0 is scaled by a number at most: let x0 = z0, or 2.0 * z0.",
    ],
};

pub fn judge(answer: &dyn Bijection) -> Judgement {
    if answer.structure() != Structure::LowerTriangular {
        return Err(NotYet::new(format!("it is declared {}.", answer.structure()))
            .because("Without a declared structure the determinant takes O(d³).")
            .advise("Declare Structure::LowerTriangular, and make it true."));
    }
    let answer = Answer::of(answer, 3, Allowed::default())?;
    let recording = recorded(&answer)?;
    let seen = depends(&answer)?;
    for (output, inputs) in [(0, [0].as_slice()), (1, &[0, 1]), (2, &[0, 1, 2])] {
        if let Some(missing) = inputs.iter().find(|input| !seen[output].contains(input)) {
            return Err(NotYet::new("it is triangular, but a dependence is missing.")
                .because(format!("x[{output}] does not depend on z[{missing}]: its derivative is 0."))
                .advise(
                    "An output may depend on earlier inputs: keep these dependences, and change only the \
                         line that reads a later input.",
                ));
        }
    }
    defined(&answer)?;
    let (statement, injective) = one_to_one(&answer)?;
    let report = audit(&answer).map_err(|error| NotYet::new(error.to_string()))?;
    let structure = NotYet::unless(&report, Topic::Structure, true, "the triangle is not proven.")?;
    let (tape, log_det) = (recording.tape(), recording.log_det());
    let written = formula(tape, log_det, recording.input(), "z");
    Ok(Passed::new("the triangle is proven, for all inputs.")
        .with(structure.statement, structure.evidence)
        .with(statement, injective)
        .with(
            format!("ln|det J| = {written}"),
            Evidence::Proven { reason: "derived from the diagonal".to_string() },
        ))
}
