//! Exercise 15: heavy tails, made by a layer.

use pushforward::audit::Topic;
use pushforward::prelude::*;
use pushforward_course::exercise::{
    Allowed, Answer, Comparison, Exercise, Judgement, NotYet, Passed, Space, apart, compared, formula,
    one_to_one, recorded, shown,
};

pub const EXERCISE: Exercise = Exercise {
    number: 15,
    slug: "15_simple_bases",
    question: "z is logistic: far out its density falls as exp(-|z|). Write a bijection of ℝ such that x has the density \
               (2 + x²)^(-3/2), Student's t with ν = 2, which falls only as 1/|x|³.",
    proof: "The judge compares ln p(z) - ln|det J| with ln (2 + x²)^(-3/2) far into both tails, as far as numbers \
            go, and asks whether the map is one-to-one.",
    hints: [
        "Probability is kept: P(Z < z) must be P(X < x). The first is σ(z) = 1/(1 + exp(-z)), the second (1 + \
         x/√(2 + x²))/2.",
        "2·σ(z) - 1 is tanh(z/2). So x/√(2 + x²) = tanh(z/2); solve it for x.",
        "x = √2·sinh(z/2), that is 2.0f64.sqrt() * (0.5 * z).sinh().",
    ],
};

/// Where a tail is told by how fast it falls.
const FAR: f64 = 8.0;

pub fn judge(answer: &dyn Bijection) -> Judgement {
    let answer = Answer::of(answer, 1, Allowed::default())?;
    let recording = recorded(&answer)?;
    let (tape, z, x) = (recording.tape(), recording.input(), recording.output());
    let space = Space::reals(z);
    let given = Logistic::new(1).log_prob(z) - recording.log_det();
    let asked = -1.5 * (2.0 + x.at(0).powi(2)).ln();
    let (statement, evidence) = one_to_one(&answer)?;
    let density = match compared(&space, given, asked) {
        Comparison::Equal(evidence) => evidence,
        Comparison::Different { at, given: mine, asked: right } => {
            let place = space.numbers(&[x], &at)[0][0];
            let [yours, wanted] = apart(mine[0], right[0]);
            let told = NotYet::new("x has another density.").because(format!(
                "At z = {}, x = {}: ln p(x) is {} by yours, {} is asked for.",
                shown(at[0]),
                shown(place),
                yours,
                wanted
            ));
            // Right within, and wrong from some place on.
            if at[0].abs() >= FAR {
                return Err(told.advise("Nearer to the middle it is right; the tails go on for ever."));
            }
            // How fast ln p falls with ln|x|, by the last stretch.
            let ends = space.numbers(&[given, x], &[FAR - 0.5, FAR]);
            let power = (ends[0][0] - ends[0][1]) / (ends[1][1] / ends[1][0]).ln();
            let far = |told: NotYet| {
                told.because(format!("Far out p(x) falls as 1/|x|^{power:.2} there, not as 1/|x|³."))
            };
            return Err(match power {
                _ if !power.is_finite() => told,
                power if power > 3.2 => {
                    far(told).advise("The tails are too light: f must stretch more, the farther out.")
                }
                power if power < 2.8 => {
                    far(told).advise("The tails are too heavy: f stretches too much far out.")
                }
                _ => told
                    .because(format!("Far out it falls as 1/|x|^{power:.2}, as it should."))
                    .advise("The tails fall as they should; the scale, or the middle, is off."),
            });
        }
    };
    let report = audit(&answer).map_err(|error| NotYet::new(error.to_string()))?;
    let passed = Passed::new("heavy tails, from a base that has none.")
        .with(format!("x = {} has the density (2 + x²)^(-3/2)", formula(tape, x.at(0), z, "z")), density)
        .with(statement, evidence);
    Ok(match report.claim(Topic::Inverse) {
        Some(inverse) if inverse.evidence.holds() => {
            passed.with(&inverse.statement, inverse.evidence.clone())
        }
        _ => passed,
    })
}
