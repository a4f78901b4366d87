//! Exercise 10: a map with a parameter that cannot fold, whatever is learned.

use std::f64::consts::FRAC_PI_4;

use pushforward::audit::Topic;
use pushforward::prelude::*;
use pushforward_course::exercise::{
    Allowed, Answer, Comparison, Exercise, Judgement, NotYet, Passed, Probes, Space, compared, place,
    recorded, shown,
};

pub const EXERCISE: Exercise = Exercise {
    number: 10,
    slug: "10_invertibility_is_architecture",
    question: "x = z + a·sin(2z) with a learned a folds as soon as |a| grows past a half. Write it so that \
               no value of the parameter folds it, and it still learns the amount of the wave.",
    proof: "The judge determines the amount of the wave for each value of the parameter, compares x with z + \
            amount·sin(2z), and asks for a proof that x is one-to-one for all of them. Where there is none \
            it asks whether the amount stays between -1/2 and 1/2, for parameters of every size.",
    hints: [
        "dx/dz = 1 + 2·a·cos(2z). For which amounts a is that above 0 at every z?",
        "The amount must stay between -1/2 and 1/2, whatever the parameter is. Which function has bounds of its own?",
        "tanh lies between -1 and 1: take (a.tanh() / 2.0) as the amount.",
    ],
};

/// The amount must differ by so much between some values of the parameter.
const SPREAD: f64 = 0.05;

pub fn judge(answer: &dyn Bijection) -> Judgement {
    let answer = Answer::of(answer, 1, Allowed { parameters: true, ..Allowed::default() })?;
    let recording = recorded(&answer)?;
    let (tape, z, x) = (recording.tape(), recording.input(), recording.output());
    if !answer.has_parameters() {
        return Err(NotYet::new("nothing is left to learn.")
            .because("the map has no parameter")
            .advise("Keep the parameter; bound what it can do."));
    }
    // sin(2z) is 1 at π/4, so what is added to z there is the amount: a formula in the parameters.
    let amount = answer.forward(tape.vector(&[FRAC_PI_4])).at(0) - FRAC_PI_4;
    let learned: Vec<Var<'_>> = tape.parameters().into_iter().map(|id| tape.var(id)).collect();
    let of_parameters =
        learned[1..].iter().fold(Space::reals(learned[0]), |space, parameter| space.and(*parameter));
    let of_both = learned.iter().fold(Space::reals(z), |space, parameter| space.and(*parameter));
    let start = Parameters::initialise(tape, 0);
    let starts: Vec<f64> = start.iter().flat_map(|(_, tensor)| tensor.values.clone()).collect();
    let first = of_parameters.numbers(&[amount], &starts)[0][0];
    let names: Vec<String> = tape.declarations().into_iter().map(|declaration| declaration.name).collect();
    let with = |values: &[f64]| format!("{} = {}", names.join(", "), place(values));

    let form = match compared(&of_both, x.at(0), z.at(0) + amount * (2.0 * z.at(0)).sin()) {
        Comparison::Equal(evidence) => evidence,
        Comparison::Different { at, given, asked } => {
            return Err(NotYet::new("x is not z + amount·sin(2z).")
                .because(format!(
                    "With {}, at z = {}: x is {}.",
                    with(&at[1..]),
                    shown(at[0]),
                    shown(given[0])
                ))
                .because(format!(
                    "At z = π/4, where sin(2z) is 1, x - z is the amount; with that amount x would be {} there.",
                    shown(asked[0])
                ))
                .advise("Leave z and sin(2z) as they are: only the amount is to be rewritten."));
        }
    };
    let probes = Probes::of(&of_parameters, &[amount]);
    let width = of_parameters.width();
    let numbers = of_parameters.numbers(&[amount], &probes.rows).swap_remove(0);
    let amounts: Vec<(&[f64], f64)> = probes.rows.chunks(width).zip(numbers).collect();
    if let Some((values, operation)) = amounts
        .iter()
        .filter(|(_, amount)| !amount.is_finite())
        .find_map(|(values, _)| Some((values, of_parameters.undefined(amount, values)?)))
    {
        return Err(NotYet::new("the amount is not defined for every parameter.")
            .because(format!("With {} it has no value: `{operation}` has none.", with(values)))
            .advise("Whatever is learned must be a map."));
    }
    let finite: Vec<(&[f64], f64)> = amounts.into_iter().filter(|(_, amount)| amount.is_finite()).collect();
    let least = finite.iter().map(|(_, amount)| *amount).fold(f64::INFINITY, f64::min);
    let most = finite.iter().map(|(_, amount)| *amount).fold(f64::NEG_INFINITY, f64::max);
    if most - least < SPREAD {
        let none = least.abs().max(most.abs()) < SPREAD;
        let headline = if none { "the wave is gone." } else { "nothing is learned." };
        return Err(NotYet::new(headline)
            .because(format!("The amount of the wave is {} whatever the parameter is.", shown(first)))
            .advise("Let the parameter determine the amount of the wave."));
    }
    if first.abs() < 1e-3 {
        return Err(NotYet::new("the wave is gone.")
            .because(format!("The parameter starts where the amount is {}.", shown(first)))
            .advise("Start the parameter where some of the wave is left."));
    }
    // The plainest parameter that folds it.
    let size = |values: &[f64]| values.iter().map(|value| value.abs().ln().abs()).sum::<f64>();
    let folds = finite.iter().filter(|(_, amount)| amount.abs() > 0.5 * (1.0 + 1e-9));
    let order = |values: &[f64]| (size(values), values[0] < 0.0);
    if let Some((values, amount)) =
        folds.min_by(|a, b| order(a.0).partial_cmp(&order(b.0)).unwrap_or(std::cmp::Ordering::Equal))
    {
        let flat = if *amount > 0.0 { "π/2" } else { "0" };
        return Err(NotYet::new("a parameter folds it.")
            .because(format!("With {} the amount of the wave is {}.", with(values), shown(*amount)))
            .because(format!(
                "Then dx/dz = 1 + 2·amount·cos(2z) is {} at z = {flat}, and 1 at z = π/4: x is not monotone.",
                shown(1.0 - 2.0 * amount.abs())
            ))
            .advise(
                "A penalty would only discourage that value. Bound the amount in the formula, between -1/2 \
                 and 1/2.",
            ));
    }
    let report = audit(&answer).map_err(|error| NotYet::new(error.to_string()))?;
    let proven =
        report.claim(Topic::Injective).filter(|claim| matches!(claim.evidence, Evidence::Proven { .. }));
    let (statement, evidence) = match proven {
        Some(claim) => (format!("{}, for every parameter", claim.statement), claim.evidence.clone()),
        None => (
            format!(
                "the amount lies between -1/2 and 1/2, from {} to {}: x is monotone",
                shown(least),
                shown(most)
            ),
            Evidence::Checked { points: finite.len(), worst: 0.0, tolerance: 0.0, seed: None },
        ),
    };
    let headline = match proven {
        Some(_) => "no value of the parameter folds it.".to_string(),
        None => "none of the parameters that were tried folds it.".to_string(),
    };
    Ok(Passed::new(headline).with(statement, evidence).with("x = z + amount·sin(2z)", form))
}
