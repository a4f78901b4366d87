//! Exercise 8: a flow that beats a Gaussian on real data.

use pushforward::audit::Topic;
use pushforward::bijection::{forward_with_log_det, record_inverse};
use pushforward::flow::Stop;
use pushforward::prelude::*;
use pushforward_course::data;
use pushforward_course::exercise::{
    Answer, Exercise, Judgement, NotYet, Passed, Space, depends, place, recorded, shown,
};

pub const EXERCISE: Exercise = Exercise {
    number: 8,
    slug: "08_first_flow",
    question: "342 penguins: the depth of the bill and the mass of the body, two groups with a gap between them. Write the \
               layers of a flow that beats one Gaussian on held-out rows by a third of a nat.",
    proof: "The judge proves each layer, fits the flow with seed 7, and asks it for ln p of rows that it has not seen: rows \
            that f must take back to what they are.",
    hints: [
        "One coupling layer leaves one of the two columns as it is. Which layer transforms the other?",
        "Alternate CouplingMask::first_half(2) and CouplingMask::second_half(2), and give each layer a \
         network: Network::new([16]).",
        "(0..6).map(|k| …) with AffineCoupling::new(if k % 2 == 0 { CouplingMask::first_half(2) } else { CouplingMask::second_half(2) }, \
         Network::new([16])), each in a Box.",
    ],
};

const SEED: u64 = 7;
/// In nats per row.
const AHEAD: f64 = 1.0 / 3.0;

pub fn judge(layers: fn() -> Vec<Box<dyn Bijection>>) -> Judgement {
    let composed = layers();
    if composed.is_empty() {
        return Err(NotYet::new("there are no layers yet: p(x) is the base itself.")
            .advise("Put layers into the vec![…], each in a Box."));
    }
    let chain = Answer::chain(Answer::of_layers(&composed)?, 2)?;
    everywhere(&chain)?;
    recorded(&chain)?;
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
    let flow = Flow::new(StandardNormal::new(2), Answer::of_layers(chain.layers())?)
        .map_err(|error| failed(&error))?;
    let settings = FitOptions { seed: SEED, epochs: 120, batch: 64, ..FitOptions::default() };
    let fitted = flow.fit(&training, settings).map_err(|error| failed(&error))?;
    if let Stop::NonFinite { epoch, .. } = &fitted.history().stop {
        return Err(failed(&format!("in epoch {epoch} the loss was not finite")));
    }
    let score = mean(&fitted.log_prob(test.values()).map_err(|error| failed(&error))?);
    inverted(&chain, fitted.parameters(), test.values())?;
    let injective = report.claim(Topic::Injective).ok_or_else(|| NotYet::new("the audit ended early."))?;
    if !matches!(injective.evidence, Evidence::Proven { .. }) {
        let mass = mass(|rows| fitted.log_prob(rows).map_err(|error| failed(&error)))?;
        if (mass - 1.0).abs() > 0.02 {
            return Err(NotYet::new("what it gives is no density.")
                .because(format!("It integrates to {}, over 16 deviations each way.", shown(mass)))
                .advise("Two z that go to one x are counted twice, or an inverse is not one."));
        }
    }
    if score < gaussian + AHEAD {
        let told = NotYet::new("it is not ahead by a third of a nat.").because(format!(
            "mean ln p of held-out rows: {score:.3}; one Gaussian: {gaussian:.3}; ahead by {:.3}, asked is {AHEAD:.3}; \
             seed {SEED}",
            score - gaussian
        ));
        let names = ["The depth of the bill", "The mass of the body"];
        let alone = depends(&chain)?.iter().position(|inputs| inputs.len() == 1);
        return Err(match alone {
            Some(output) => told.advise(format!(
                "{} is transformed by nothing but itself: x[{output}] depends on z[{output}] alone. \
                 Alternate the masks.",
                names[output]
            )),
            None => told.advise("More layers with alternating masks, or wider networks, can bend more."),
        });
    }
    Ok(Passed::new(format!("{:.2} nats per row ahead of a Gaussian.", score - gaussian))
        .with(&claim.statement, claim.evidence.clone())
        .with(
            format!("mean ln p of held-out rows is {score:.3}; of one Gaussian {gaussian:.3}"),
            Evidence::Checked { points: test.rows(), worst: 0.0, tolerance: 0.0, seed: Some(SEED) },
        ))
}

/// That the layers take ℝ² to ℝ²: each begins where the one before it ends.
fn everywhere(chain: &Chain) -> Result<(), NotYet> {
    let mut reached = Domain::Reals;
    for (k, layer) in chain.layers().iter().enumerate() {
        if layer.domain() != reached {
            return Err(NotYet::new(format!("layers.{k} cannot take what comes to it.")).because(format!(
                "{} takes {}; what comes lies in {reached}.",
                layer.name(),
                layer.domain()
            )));
        }
        reached = layer.codomain();
    }
    match reached == Domain::Reals {
        true => Ok(()),
        false => Err(NotYet::new("the flow cannot reach every row.")
            .because(format!(
                "Its last layer ends in {reached}, and standardised rows lie on both sides of 0."
            ))
            .advise("Let the last layer end in ℝ.")),
    }
}

/// That f takes f⁻¹(x) to x again, for the rows that are scored and the parameters that were learned.
fn inverted(chain: &Chain, parameters: &Parameters, rows: &[f64]) -> Result<(), NotYet> {
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(2));
    let failed =
        |error: &dyn std::fmt::Display| NotYet::new("no inverse is known.").because(error.to_string());
    let z = record_inverse(chain, x).map_err(|error| failed(&error))?;
    let back = forward_with_log_det(chain, z).map_err(|error| failed(&error))?.x;
    let found = Space::reals(x).with(parameters.clone()).numbers(&[back], rows).swap_remove(0);
    for (row, found) in rows.chunks(2).zip(found.chunks(2)) {
        let off =
            row.iter().zip(found).map(|(x, back)| (x - back).abs() / x.abs().max(1.0)).fold(0.0, f64::max);
        if off.is_nan() || off > 1e-6 {
            return Err(NotYet::new("the inverse is none: what it gives is no density of x.")
                .because(format!("It takes x = {} to a z that f takes to {}.", place(row), place(found)))
                .advise("Leave `inverse` out; it is derived."));
        }
    }
    Ok(())
}

/// ∫ p over a square, by the sum over a grid.
fn mass(mut log_prob: impl FnMut(&[f64]) -> Result<Vec<f64>, NotYet>) -> Result<f64, NotYet> {
    const SIDE: usize = 400;
    const REACH: f64 = 8.0;
    let step = 2.0 * REACH / SIDE as f64;
    let at = |k: usize| -REACH + (k as f64 + 0.5) * step;
    let rows: Vec<f64> = (0..SIDE * SIDE).flat_map(|k| [at(k / SIDE), at(k % SIDE)]).collect();
    Ok(log_prob(&rows)?.iter().map(|value| value.exp()).sum::<f64>() * step * step)
}
