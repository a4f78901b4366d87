//! Exercise 11: couplings that mix every variable with every other, and keep volume.

use pushforward::lesson::exercise::{
    Exercise, Judgement, NotYet, Passed, Sameness, compared, depends, formula, recorded,
};
use pushforward::prelude::*;
use pushforward::sweep::simplify::simplify;

pub const EXERCISE: Exercise = Exercise {
    number: 11,
    slug: "11_coupling",
    question: "Four variables. Write a composition of at most three coupling layers in which every x depends on every z, \
               and ln|det J| is 0 whatever the networks learn.",
    proof: "The judge follows the paths from every z to every x, and derives ln|det J| for all weights.",
    hints: [
        "Follow one pair: z[3] reaches x[2] only by way of x[0] or x[1]. Which layer moves those by z[3], and which one after \
         it moves x[2] by them?",
        "With one mask in every layer, half of the variables pass through all of them. Let the halves take turns.",
        "After two layers the two moved variables of a half have not met each other. The third layer brings them together.",
    ],
};

const D: usize = 4;

pub fn judge(layers: fn() -> Vec<Box<dyn Bijection>>) -> Judgement {
    let composed = layers();
    let count = composed.len();
    if count == 0 {
        return Err(
            NotYet::new("there are no layers yet.").advise("Put layers into the vec![…], each in a Box.")
        );
    }
    if count > 3 {
        return Err(NotYet::new(format!("{count} layers, and three are enough.")));
    }
    let chain = Chain::new(composed);
    let recording = recorded(&chain, D)?;
    let (tape, z, log_det) = (recording.tape(), recording.input(), recording.log_det());
    let volume = match compared(tape, z, log_det, tape.constant(0.0), Domain::Reals) {
        Sameness::Same(evidence) if evidence.word() == "proven" => evidence,
        _ => {
            let told = NotYet::new("ln|det J| is not 0 for all weights.").because(format!(
                "ln|det J| = {}",
                beginning(&formula(tape, simplify(tape, log_det.id(), 0, &[]).value, z, "z"))
            ));
            return Err(told.advise("A layer that scales changes volume. Which one only shifts?"));
        }
    };
    let seen = depends(&chain);
    let missing = |output: usize| -> Vec<String> {
        (0..D as u32)
            .filter(|input| !seen[output].contains(input))
            .map(|input| format!("z[{input}]"))
            .collect()
    };
    let lacking: Vec<usize> = (0..D).filter(|output| !missing(*output).is_empty()).collect();
    if lacking.is_empty() {
        let reason = "a path leads from every z to every x".to_string();
        return Ok(Passed::new(format!("{count} layers mix all four."))
            .with("every x depends on every z", Evidence::Proven { reason })
            .with("ln|det J| = 0", volume));
    }
    let told = lacking.iter().fold(NotYet::new("not every x depends on every z."), |told, output| {
        told.because(format!("x[{output}] does not depend on {}.", missing(*output).join(", ")))
    });
    let untouched: Vec<String> =
        (0..D).filter(|output| seen[*output] == [*output as u32]).map(|k| format!("z[{k}]")).collect();
    Err(match untouched.as_slice() {
        [] => told.advise("What moved in one layer must choose the shift in another."),
        names => {
            told.advise(format!("{} pass through every layer: let the halves take turns.", names.join(", ")))
        }
    })
}

/// A long formula's first line, cut.
fn beginning(formula: &str) -> String {
    let line = formula.lines().next().unwrap_or_default();
    match line.char_indices().nth(160) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_string(),
    }
}
