//! Exercise 10: a map with a parameter that cannot fold, whatever is learned.

use pushforward::audit::{Settings, Topic, audit_with};
use pushforward::bijection::Recording;
use pushforward::lesson::exercise::{Exercise, Judgement, NotYet, Passed, points, recorded};
use pushforward::lesson::values;
use pushforward::prelude::*;
use pushforward::program::{Output, Program};

pub const EXERCISE: Exercise = Exercise {
    number: 10,
    slug: "10_invertibility_is_architecture",
    question: "x = z + a·sin(2z) with a learned a folds as soon as |a| grows past a half. Write it so that no value of \
               the parameter folds it, and it still learns how much of the wave to take.",
    proof: "The judge asks for a proof that x is one-to-one for all z and every a. Where there is none it tries large \
            parameters and looks for two points that collide.",
    hints: [
        "dx/dz = 1 + 2·a·cos(2z). For which amounts a is that above 0 at every z?",
        "The amount must stay between -1/2 and 1/2, whatever the parameter is. Which function has bounds of its own?",
        "tanh lies between -1 and 1: take (a.tanh() / 2.0) as the amount.",
    ],
};

pub fn judge(answer: &dyn Bijection) -> Judgement {
    let recording = recorded(answer, 1)?;
    let (tape, z) = (recording.tape(), recording.input());
    let start = Parameters::initialise(tape, 0);
    if start.count() == 0 {
        return Err(NotYet::new("nothing is left to learn.")
            .because("the map has no parameter")
            .advise("Keep the parameter; bound what it can do."));
    }
    let slopes = values(tape, z, &[recording.log_det()], &points(&Domain::Reals, 1)).swap_remove(0);
    let (low, high) =
        slopes.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), s| (l.min(*s), h.max(*s)));
    if high - low < 1e-3 {
        return Err(NotYet::new("the wave is gone.")
            .because(format!("ln|dx/dz| lies between {low:.4} and {high:.4}: that is a straight line."))
            .advise("Start the parameter where some of the wave is left."));
    }
    if spread(&recording, &start)? < 1e-9 {
        return Err(NotYet::new("nothing is learned.")
            .because("dx/dz is the same whatever the parameter is: the parameter has no part in the wave.")
            .advise("Let the parameter choose how much of the wave is taken."));
    }
    let report = audit(answer).map_err(|error| NotYet::new(error.to_string()))?;
    let headline = "it is not proven to be one-to-one for every parameter.";
    match NotYet::unless(&report, Topic::Injective, true, headline) {
        Ok(claim) => {
            Ok(Passed::new("no value of the parameter folds it.").with(claim.statement, claim.evidence))
        }
        Err(told) => Err(folded(answer, &recording, &start).unwrap_or(told)),
    }
}

/// The start with one number in the place of every parameter.
fn filled(start: &Parameters, value: f64) -> Parameters {
    let mut parameters = start.clone();
    parameters.iter_mut().for_each(|(_, tensor)| tensor.values.fill(value));
    parameters
}

/// A node at points, with these parameters.
fn at(recording: &Recording, node: Var<'_>, parameters: &Parameters, z: &[f64]) -> Result<Vec<f64>, NotYet> {
    let failed =
        |error: &dyn std::fmt::Display| NotYet::new("the map cannot be computed.").because(error.to_string());
    let outputs = [Output::Each(node.id())];
    let mut program = Program::<f64>::compile(recording.tape(), &[recording.input().id()], &outputs);
    program.load(parameters).map_err(|error| failed(&error))?;
    Ok(program.run(&[z], z.len()).map_err(|error| failed(&error))?.swap_remove(0))
}

/// By how much ln|dx/dz| differs between parameters, at most.
fn spread(recording: &Recording, start: &Parameters) -> Result<f64, NotYet> {
    let z = points(&Domain::Reals, 1);
    let first = at(recording, recording.log_det(), start, &z)?;
    [-0.3, 0.1, 0.4].into_iter().try_fold(0.0, |most: f64, value| {
        let other = at(recording, recording.log_det(), &filled(start, value), &z)?;
        Ok(first.iter().zip(&other).map(|(a, b)| (a - b).abs()).fold(most, f64::max))
    })
}

/// Parameters at which two points collide, and how much of the wave is taken there.
fn folded(answer: &dyn Bijection, recording: &Recording, start: &Parameters) -> Option<NotYet> {
    [1.0, -1.0, 0.4, -0.4, 3.0, -3.0].into_iter().find_map(|value| {
        let names: Vec<String> = start.iter().map(|(name, _)| name.to_string()).collect();
        let parameters = filled(start, value);
        // sin(2z) is 1 at π/4, so what is added to z there is the amount.
        let quarter = std::f64::consts::FRAC_PI_4;
        let amount = at(recording, recording.output(), &parameters, &[quarter]).ok()?[0] - quarter;
        let settings = Settings { parameters: Some(parameters), ..Settings::default() };
        let report = audit_with(answer, &settings).ok()?;
        let claim = report.refuted().find(|claim| claim.topic == Topic::Injective)?;
        Some(
            NotYet::new("a parameter folds it.")
                .because(format!("With {} = {value}:", names.join(" = ")))
                .because(claim.evidence.detail())
                .because(format!("The amount of the wave is {amount:.4} there; beyond ±1/2 the slope changes sign."))
                .advise(
                    "A penalty would only ask it not to learn that value. Bound the amount in the formula, between \
                     -1/2 and 1/2.",
                ),
        )
    })
}
