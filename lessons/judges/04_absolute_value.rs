//! Exercise 4: a log-determinant by hand that is to be repaired.

use pushforward::audit::Topic;
use pushforward::lesson::exercise::{
    Exercise, Judgement, NotYet, Passed, Sameness, compared, derived_log_det, formula, recorded, same_map,
};
use pushforward::prelude::*;
use pushforward::tape::Op;

pub const EXERCISE: Exercise = Exercise {
    number: 4,
    slug: "04_absolute_value",
    question: "x₁ = -2·z₁ and x₂ = z₂·exp(z₁). Somebody has written its log-determinant by hand, and forgot that f \
               mirrors the plane. Repair `log_det`; leave `forward` as it is.",
    proof: "The judge derives ln|det J| from `forward` and audits yours against it.",
    hints: [
        "J has the rows (-2, 0) and (z₂·exp(z₁), exp(z₁)). Its determinant is ad - bc, and one of b and c is 0.",
        "det J = -2·exp(z₁) is below 0 everywhere, and ln of that is NaN. Its size is 2·exp(z₁).",
        "ln|det J| = ln 2 + z₁: take the size before the logarithm, z.tape().constant(-2.0).abs().ln() + z.at(0).",
    ],
};

struct Asked;

impl Bijection for Asked {
    fn dim(&self) -> usize {
        2
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        stack([-2.0 * z.at(0), z.at(1) * z.at(0).exp()])
    }
}

pub fn judge(answer: &dyn Bijection) -> Judgement {
    recorded(answer, 2)?;
    if let Sameness::Apart { at, given, asked } = same_map(answer, &Asked)? {
        return Err(NotYet::new("`forward` is another map now.").because(format!(
            "At z = ({:.4}, {:.4}): x is ({:.4}, {:.4}), and was ({:.4}, {:.4}).",
            at[0], at[1], given[0], given[1], asked[0], asked[1]
        )));
    }
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let log_det = derived_log_det(answer, z)?;
    let derived = formula(&tape, log_det, z, "z");
    let Some(by_hand) = answer.log_det(z) else {
        return Err(NotYet::new("there is no `log_det` any more.")
            .advise("A density would not miss it, but here it is what you are asked for."));
    };
    let report =
        audit(answer).map_err(|error| NotYet::new("`log_det` cannot be used.").because(error.to_string()))?;
    let written = formula(&tape, by_hand, z, "z");
    let claim = NotYet::unless(&report, Topic::GivenLogDet, false, "that is not ln|det J|.")
        .map_err(|told| told.because(format!("by hand: {written}")).because(format!("derived: {derived}")))
        .map_err(|told| match tape.node(by_hand.id()).op {
            Op::Abs => {
                told.advise("There is a |·|, but around the logarithm. It belongs inside, around det J.")
            }
            _ => told,
        })?;
    // The audit's points are the answer only where the two formulas do not simplify to one.
    let evidence = match compared(&tape, z, by_hand, log_det, Domain::Reals) {
        Sameness::Same(evidence @ Evidence::Proven { .. }) => evidence,
        _ => claim.evidence,
    };
    Ok(Passed::new("the log-determinant is right.")
        .with(format!("ln|det J| = {derived}, by hand as derived"), evidence))
}
