//! Exercise 15: heavy tails, made by a layer.

use pushforward::audit::Topic;
use pushforward::lesson::exercise::{
    Exercise, Judgement, NotYet, Passed, Sameness, compared, formula, recorded,
};
use pushforward::lesson::values;
use pushforward::prelude::*;

pub const EXERCISE: Exercise = Exercise {
    number: 15,
    slug: "15_simple_bases",
    question: "z is logistic: far out its density falls as exp(-|z|). Write a bijection of ℝ such that x has the density \
               (2 + x²)^(-3/2), Student's t with ν = 2, which falls only as 1/|x|³.",
    proof: "The judge compares ln p(z) - ln|det J| with ln (2 + x²)^(-3/2) far into the tails, and audits that the map is \
            one-to-one onto ℝ.",
    hints: [
        "Probability is kept: P(Z < z) must be P(X < x). The first is σ(z) = 1/(1 + exp(-z)), the second (1 + \
         x/√(2 + x²))/2.",
        "2·σ(z) - 1 is tanh(z/2). So x/√(2 + x²) = tanh(z/2); solve it for x.",
        "x = √2·sinh(z/2), that is 2.0f64.sqrt() * (0.5 * z).sinh().",
    ],
};

/// How far z goes: one draw in 1500 lies farther out.
const FAR: f64 = 8.0;

pub fn judge(answer: &dyn Bijection) -> Judgement {
    let recording = recorded(answer, 1)?;
    let (tape, z, x) = (recording.tape(), recording.input(), recording.output());
    let given = Logistic::new(1).log_prob(z) - recording.log_det();
    let asked = -1.5 * (2.0 + x.at(0).powi(2)).ln();
    let within = Domain::Interval { lower: -FAR, upper: FAR };
    let density = match compared(tape, z, given, asked, within) {
        Sameness::Same(evidence) => evidence,
        Sameness::Apart { at, given: mine, asked: right } => {
            let place = values(tape, z, &[x], &at)[0][0];
            let told = NotYet::new("x has another density.").because(format!(
                "At z = {:.4}, x = {place:.4}: ln p(x) is {:.4} by yours, {:.4} is asked for.",
                at[0], mine[0], right[0]
            ));
            // How fast ln p falls with ln|x|, by the last stretch.
            let ends = values(tape, z, &[given, x], &[FAR - 0.5, FAR]);
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
    let report = audit(answer).map_err(|error| NotYet::new(error.to_string()))?;
    let onto =
        report.claim(Topic::Injective).cloned().ok_or_else(|| NotYet::new("the audit ended early."))?;
    let evidence = match onto.evidence {
        Evidence::Proven { .. } => onto.evidence,
        Evidence::Refuted { witness } => return Err(NotYet::new("f is not one-to-one.").because(witness)),
        // Of one variable it can be looked at all along the line.
        _ => rising(tape, z, x)?,
    };
    let passed = Passed::new("heavy tails, from a base that has none.")
        .with(format!("x = {} has the density (2 + x²)^(-3/2)", formula(tape, x.at(0), z, "z")), density)
        .with(onto.statement, evidence);
    Ok(match report.claim(Topic::Inverse) {
        Some(inverse) if inverse.evidence.holds() => {
            passed.with(&inverse.statement, inverse.evidence.clone())
        }
        _ => passed,
    })
}

/// Whether x only rises, or only falls, all along a grid.
fn rising(tape: &Tape, z: Var<'_>, x: Var<'_>) -> Result<Evidence, NotYet> {
    let grid: Vec<f64> = (-1000..=1000).map(|k| FAR * f64::from(k) / 1000.0).collect();
    let images = values(tape, z, &[x], &grid).swap_remove(0);
    let falls = images[0] > images[images.len() - 1];
    let turn = images.windows(2).position(|pair| if falls { pair[1] >= pair[0] } else { pair[1] <= pair[0] });
    match turn {
        None => Ok(Evidence::Checked { points: grid.len(), worst: 0.0, tolerance: 0.0, seed: None }),
        Some(k) => Err(NotYet::new("f is not one-to-one.")
            .because(format!("It turns near z = {:.3}, where x = {:.3}.", grid[k], images[k]))),
    }
}
