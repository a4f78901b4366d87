//! Exercise 9: a layer whose log-determinant is given.

use pushforward::audit::Topic;
use pushforward::prelude::*;
use pushforward_course::exercise::{
    Allowed, Answer, Comparison, Exercise, Judgement, NotYet, Passed, Space, apart, compared, formula, place,
    recorded, terms_apart,
};

pub const EXERCISE: Exercise = Exercise {
    number: 9,
    slug: "09_write_forward_get_the_rest",
    question: "The other way round: ln|det J| = tanh z₁ + sin z₂ is given, and you write a layer of three variables that \
               has it. It must be proven one-to-one onto ℝ³.",
    proof: "The judge derives ln|det J| from your `forward` and compares it term by term; then it audits the rest.",
    hints: [
        "Which factor of z₂ has the logarithm tanh z₁?",
        "ln|a·b| = ln|a| + ln|b|: let one variable be scaled by exp(tanh z₁), and another by exp(sin z₂).",
        "x₁ = z₁, x₂ = z₂·exp(tanh z₁), x₃ = z₃·exp(sin z₂).",
    ],
};

pub fn judge(answer: &dyn Bijection) -> Judgement {
    let answer = Answer::of(answer, 3, Allowed::default())?;
    let recording = recorded(&answer)?;
    let (tape, z) = (recording.tape(), recording.input());
    let space = Space::reals(z);
    let pair = [recording.log_det(), z.at(0).tanh() + z.at(1).sin()];
    let same = match compared(&space, pair[0], pair[1]) {
        Comparison::Equal(evidence) => evidence,
        Comparison::Different { at, given, asked } => {
            let [mine, others] = terms_apart(&space, "z", z, pair);
            let [yours, wanted] = apart(given[0], asked[0]);
            let listed =
                |terms: &[String]| if terms.is_empty() { "nothing".to_string() } else { terms.join(", ") };
            let told = NotYet::new("ln|det J| is another formula.")
                .because(format!("derived from yours: {}", formula(tape, pair[0], z, "z")));
            let told = match mine.is_empty() && others.is_empty() {
                true => told.because("  it is right at most points, and not at all of them"),
                false => told
                    .because(format!("  too much: {}", listed(&mine)))
                    .because(format!("  missing:  {}", listed(&others))),
            };
            return Err(told.because(format!(
                "At z = {} it is {}, and {} is asked for.",
                place(&at),
                yours,
                wanted
            )));
        }
    };
    let report = audit(&answer).map_err(|error| NotYet::new(error.to_string()))?;
    let injective =
        NotYet::unless(&report, Topic::Injective, true, "that it is one-to-one and onto is not proven.")?;
    let inverse = NotYet::unless(&report, Topic::Inverse, false, "no inverse is known.")?;
    Ok(Passed::new("a layer with the determinant that was asked for.")
        .with(format!("ln|det J| = {}", formula(tape, pair[0], z, "z")), same)
        .with(injective.statement, injective.evidence)
        .with(inverse.statement, inverse.evidence))
}
