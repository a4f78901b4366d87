//! Exercise 4: a log-determinant by hand that is to be repaired.

use pushforward::prelude::*;
use pushforward::tape::{Op, Unary};
use pushforward_course::exercise::{
    Allowed, Answer, Comparison, Exercise, Judgement, NotYet, Passed, Space, apart, compared, formula, place,
    recorded,
};

pub const EXERCISE: Exercise = Exercise {
    number: 4,
    slug: "04_absolute_value",
    question: "x₁ = -2·z₁ and x₂ = z₂·exp(z₁). Somebody has written its log-determinant by hand, and forgot that f \
               mirrors the plane. Repair `log_det`; leave `forward` as it is.",
    proof: "The judge derives ln|det J| from `forward` and compares yours with it.",
    hints: [
        "J has the rows (-2, 0) and (z₂·exp(z₁), exp(z₁)). Its determinant is ad - bc, and one of b and c is 0.",
        "det J = -2·exp(z₁) is below 0 everywhere, and ln of that is NaN. Its size is 2·exp(z₁).",
        "ln|det J| = ln 2 + z₁: take the size before the logarithm, z.tape().constant(-2.0).abs().ln() + z.at(0).",
    ],
};

/// The map that was given.
fn mirrored(z: Var<'_>) -> Var<'_> {
    stack([-2.0 * z.at(0), z.at(1) * z.at(0).exp()])
}

pub fn judge(answer: &dyn Bijection) -> Judgement {
    let answer = Answer::of(answer, 2, Allowed { log_det: true, ..Allowed::default() })?;
    let recording = recorded(&answer)?;
    let (tape, z, x) = (recording.tape(), recording.input(), recording.output());
    let space = Space::reals(z);
    if let Comparison::Different { at, given, asked } = compared(&space, x, mirrored(z)) {
        return Err(NotYet::new("`forward` is another map now.").because(format!(
            "At z = {}: x is {}, and was {}.",
            place(&at),
            place(&given),
            place(&asked)
        )));
    }
    let Some(by_hand) = answer.log_det(z) else {
        return Err(NotYet::new("there is no `log_det` any more.")
            .advise("A density would not miss it, but here it is what you are asked for."));
    };
    if by_hand.shape() != Shape::Scalar {
        return Err(NotYet::new("a log-determinant is one number.")
            .because(format!("the shape of yours: {}", by_hand.shape())));
    }
    let written = formula(tape, by_hand, z, "z");
    match compared(&space, by_hand, recording.log_det()) {
        Comparison::Equal(evidence) => Ok(Passed::new("the log-determinant is right.")
            .with(format!("ln|det J| = {written}, by hand as derived"), evidence)),
        Comparison::Different { at, given, asked } => {
            let [yours, right] = apart(given[0], asked[0]);
            let yours = if given[0].is_nan() { "no number".to_string() } else { yours };
            let told = NotYet::new("that is not ln|det J|.")
                .because(format!("by hand: {written}"))
                .because(format!("At z = {} it is {yours}, and ln|det J| is {right}.", place(&at)));
            Err(match tape.node(by_hand.id()).op {
                Op::Unary(Unary::Abs) => {
                    told.advise("There is a |·|, but around the logarithm. It belongs inside, around det J.")
                }
                _ if given[0].is_nan() => told.advise("A logarithm has no value at a number below 0."),
                _ => told,
            })
        }
    }
}
