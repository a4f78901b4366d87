//! Exercise 8: a flow that beats a Gaussian on real data.

use pushforward::audit::Topic;
use pushforward::flow::Stop;
use pushforward::lesson::data;
use pushforward::lesson::exercise::{Exercise, Judgement, NotYet, Passed, depends, recorded};
use pushforward::prelude::*;

pub const EXERCISE: Exercise = Exercise {
    number: 8,
    slug: "08_first_flow",
    question: "342 penguins: the depth of the bill and the mass of the body, two groups with a gap between them. Write the \
               layers of a flow that beats one Gaussian on held-out rows by a third of a nat.",
    proof: "The judge proves each layer, fits the flow with seed 7, and asks it for ln p of rows that it has not seen.",
    hints: [
        "One coupling layer leaves one of the two columns as it is. Which layer moves the other?",
        "Let Halves::first(2) and Halves::second(2) take turns, and give each layer a network: Network::new([16]).",
        "(0..6).map(|k| …) with AffineCoupling::new(if k % 2 == 0 { Halves::first(2) } else { Halves::second(2) }, \
         Network::new([16])), each in a Box.",
    ],
};

const SEED: u64 = 7;
/// In nats a row.
const AHEAD: f64 = 1.0 / 3.0;

pub fn judge(layers: fn() -> Vec<Box<dyn Bijection>>) -> Judgement {
    let composed = layers();
    if composed.is_empty() {
        return Err(NotYet::new("there are no layers yet: p(x) is the base itself.")
            .advise("Put layers into the vec![…], each in a Box."));
    }
    let chain = Chain::new(composed);
    recorded(&chain, 2)?;
    let report = audit(&chain).map_err(|error| NotYet::new(error.to_string()))?;
    if let Some(claim) = report.refuted().next() {
        let told = NotYet::new("a layer cannot be used.").because(&claim.statement);
        return Err(told.because(claim.evidence.detail()));
    }
    let claim = report.claim(Topic::Inverse).ok_or_else(|| NotYet::new("no inverse is known."))?;
    let failed =
        |error: &dyn std::fmt::Display| NotYet::new("the fit ended early.").because(error.to_string());
    let table = Table::read(data("penguins.csv"), &["bill_depth_mm", "body_mass_g"], |_| true)
        .map_err(|error| failed(&error))?;
    let training = table.filter(|row| row % 10 < 8);
    let moments = training.moments();
    let test = table.filter(|row| row % 10 >= 8).standardised(&moments);
    let training = training.standardised(&moments);
    let mean = |numbers: &[f64]| numbers.iter().sum::<f64>() / numbers.len() as f64;
    let gaussian = mean(&Gaussian::fit(&training).log_prob(&test));
    let flow = Flow::new(StandardNormal::new(2), layers()).map_err(|error| failed(&error))?;
    let settings = Fit { seed: SEED, epochs: 120, batch: 64, ..Fit::default() };
    let mut fitted = flow.fit(&training, settings).map_err(|error| failed(&error))?;
    if let Stop::NonFinite { epoch, .. } = &fitted.history().stop {
        return Err(failed(&format!("in epoch {epoch} the loss was not finite")));
    }
    let score = mean(&fitted.log_prob(test.values()).map_err(|error| failed(&error))?);
    if score < gaussian + AHEAD {
        let told = NotYet::new("it is not ahead by a third of a nat.").because(format!(
            "mean ln p of held-out rows: {score:.3}; one Gaussian: {gaussian:.3}; ahead by {:.3}, asked is {AHEAD:.3}; \
             seed {SEED}",
            score - gaussian
        ));
        let names = ["The depth of the bill", "The mass of the body"];
        let alone = depends(&chain).iter().position(|inputs| inputs.len() == 1);
        return Err(match alone {
            Some(output) => told.advise(format!(
                "{} is moved by nothing but itself: x[{output}] depends on z[{output}] alone. Let the halves take turns.",
                names[output]
            )),
            None => told.advise("More layers that take turns, or wider networks, bend further."),
        });
    }
    Ok(Passed::new(format!("{:.2} nats a row ahead of a Gaussian.", score - gaussian))
        .with(&claim.statement, claim.evidence.clone())
        .with(
            format!("mean ln p of held-out rows is {score:.3}; of one Gaussian {gaussian:.3}"),
            Evidence::Checked { points: test.rows(), worst: 0.0, tolerance: 0.0, seed: Some(SEED) },
        ))
}
