//! Exercise 11: couplings that mix every variable with every other, and keep volume.

use pushforward::prelude::*;
use pushforward::sweep::reach::{Reach, Relation};
use pushforward::sweep::simplify::simplify;
use pushforward::tape::Subgraph;
use pushforward_course::exercise::{
    Answer, Comparison, Exercise, Judgement, NotYet, Passed, Space, compared, depends, draws, formula,
    recorded,
};

pub const EXERCISE: Exercise = Exercise {
    number: 11,
    slug: "11_coupling",
    question: "Four variables. Write a composition of at most three coupling layers in which every x depends on every z, \
               and ln|det J| is 0 whatever the networks learn.",
    proof: "The judge checks each layer (permutations do not count), differentiates every x by every z, and \
            derives ln|det J| for all weights.",
    hints: [
        "Follow one pair: z[3] reaches x[2] only by way of x[0] or x[1]. Which layer transforms those \
         depending on z[3], and which later one transforms x[2] depending on them?",
        "With one mask in every layer, half of the variables stay unchanged in all of them. Alternate the \
         masks.",
        "After two layers the two transformed variables of a part do not depend on each other yet. The third \
         layer adds this dependence.",
    ],
};

const D: usize = 4;

pub fn judge(layers: fn() -> Vec<Box<dyn Bijection>>) -> Judgement {
    let composed = layers();
    if composed.is_empty() {
        return Err(
            NotYet::new("there are no layers yet.").advise("Put layers into the vec![…], each in a Box.")
        );
    }
    let chain = Answer::chain(Answer::of_layers(&composed)?, D)?;
    let mut count = 0;
    for (k, layer) in chain.layers().iter().enumerate() {
        count += usize::from(is_coupling(k, layer.as_ref())?);
    }
    if count > 3 {
        return Err(NotYet::new(format!("{count} coupling layers, and three are enough.")));
    }
    let recording = recorded(&chain)?;
    let (tape, z, log_det) = (recording.tape(), recording.input(), recording.log_det());
    let told = || {
        let written = formula(tape, simplify(tape, log_det.id(), 0, &[]).value, z, "z");
        NotYet::new("ln|det J| is not 0 for all weights.")
            .because(format!("ln|det J| = {}", beginning(&written)))
            .advise("A layer that scales changes volume. Which one only shifts?")
    };
    let zero = tape.constant(0.0);
    let volume = match compared(&Space::reals(z), log_det, zero) {
        Comparison::Equal(evidence @ Evidence::Proven { .. }) => evidence,
        Comparison::Different { .. } => return Err(told()),
        Comparison::Equal(_) => {
            // No proof: other weights than those that it starts with.
            let mut points = 0;
            for weights in draws(&Parameters::initialise(tape, 0)) {
                match compared(&Space::reals(z).with(weights), log_det, zero) {
                    Comparison::Equal(Evidence::Checked { points: more, .. }) => points += more,
                    Comparison::Equal(_) => {}
                    Comparison::Different { .. } => return Err(told()),
                }
            }
            Evidence::Checked { points, worst: 0.0, tolerance: 1e-9, seed: None }
        }
    };
    let seen = depends(&chain)?;
    let missing = |output: usize| -> Vec<String> {
        (0..D).filter(|input| !seen[output].contains(input)).map(|input| format!("z[{input}]")).collect()
    };
    let lacking: Vec<usize> = (0..D).filter(|output| !missing(*output).is_empty()).collect();
    if lacking.is_empty() {
        let plural = if count == 1 { "layer mixes" } else { "layers mix" };
        let shown = Evidence::Checked { points: D * D, worst: 0.0, tolerance: 0.0, seed: None };
        return Ok(Passed::new(format!("{count} coupling {plural} all four."))
            .with("every x depends on every z: of each pair a derivative that is not 0 was found", shown)
            .with("ln|det J| = 0", volume));
    }
    let told = lacking.iter().fold(NotYet::new("not every x depends on every z."), |told, output| {
        told.because(format!("x[{output}] does not depend on {}.", missing(*output).join(", ")))
    });
    let untouched: Vec<String> =
        (0..D).filter(|output| seen[*output] == [*output]).map(|k| format!("z[{k}]")).collect();
    Err(match untouched.as_slice() {
        [] => told.advise("What is transformed in one layer must determine the shift in another."),
        names => {
            told.advise(format!("{} stay unchanged in every layer: alternate the masks.", names.join(", ")))
        }
    })
}

/// Whether a layer is a coupling, or else a permutation: some variables pass unchanged, and each of the others is moved
/// by them and by itself.
fn is_coupling(k: usize, layer: &dyn Bijection) -> Result<bool, NotYet> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(D));
    let x = layer.forward(z);
    let simple = |node: Var<'_>| simplify(&tape, node.id(), 0, &[]).value.id();
    let copied: Vec<Option<usize>> =
        (0..D).map(|i| (0..D).find(|j| simple(x.at(i)) == simple(z.at(*j)))).collect();
    if copied.iter().all(Option::is_some) {
        return Ok(false);
    }
    let told = NotYet::new(format!("layers.{k} is no coupling layer."));
    if copied.iter().all(Option::is_none) {
        return Err(told.because(format!("{} leaves no variable as it is.", layer.name())).advise(
            "A coupling leaves some variables unchanged, and transforms the others depending on them.",
        ));
    }
    let subgraph = Subgraph::new(&tape, &[z.id()], &[x.id()]);
    for (i, inputs) in Reach::new(&tape, &subgraph, Relation::Value).pattern().into_iter().enumerate() {
        let moving: Vec<String> = inputs
            .into_iter()
            .filter(|input| !copied.contains(&Some(*input as usize)))
            .map(|input| format!("z[{input}]"))
            .collect();
        if copied[i].is_none() && moving.len() > 1 {
            return Err(told
                .because(format!(
                    "Its x[{i}] depends on {}, which are transformed as \
                                  well.",
                    moving.join(" and ")
                ))
                .advise(
                    "A coupling leaves some variables unchanged, and transforms the others depending on \
                         them.",
                ));
        }
    }
    Ok(true)
}

/// A long formula's first line, cut.
fn beginning(formula: &str) -> String {
    let line = formula.lines().next().unwrap_or_default();
    match line.char_indices().nth(160) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_string(),
    }
}
