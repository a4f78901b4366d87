//! Exercise 23: z + g(z) with a bound that holds for all weights.

use pushforward::audit::Topic;
use pushforward::jacobian::{jacobian, map};
use pushforward::prelude::*;
use pushforward_course::exercise::{
    Allowed, Answer, Exercise, Judgement, NotYet, Passed, Probes, Space, depends, draws, filled, place,
    recorded, shown,
};

pub const EXERCISE: Exercise = Exercise {
    number: 23,
    slug: "23_residual_flows",
    question: "x = z + tanh(W·z + b) folds for some weights. Repair it, in two variables, so that it is a bijection for all W and \
               b, and everything still depends on everything.",
    proof: "The judge asks for a proof that x is one-to-one for all weights, by the bounds of its operations. Where there is \
            none it looks for weights and points at which it folds. It also asks whether the Jacobian is dense, and not \
            constant.",
    hints: [
        "x = z + g(z) is a bijection if g moves any two points by less than they are apart. tanh has slopes of at most 1: how \
         much may W stretch, and what bounds that for every W?",
        "‖W‖₂ is at most the root of the sum of the squares of its entries. Divide W by something that is never smaller than \
         that root, and multiply by a number below 1.",
        "let bounded = w * (0.9 / (1.0 + (w * w).sum()).sqrt()); then z + (bounded.matvec(z) + b).tanh().",
    ],
};

pub fn judge(answer: &dyn Bijection) -> Judgement {
    let answer = Answer::of(answer, 2, Allowed { parameters: true, ..Allowed::default() })?;
    if !answer.has_parameters() {
        return Err(NotYet::new("nothing is learned.")
            .because("the map has no parameter")
            .advise("Keep W and b; bound what they can do."));
    }
    // det J = 0 everywhere is told first.
    recorded(&answer)?;
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let x = answer.forward(z);
    let j = jacobian(&tape, &map(&tape, z.id(), x.id())).reshape(Shape::Vector(4));
    for (i, inputs) in depends(&answer)?.into_iter().enumerate() {
        if let Some(k) = (0..2).find(|k| !inputs.contains(k)) {
            return Err(NotYet::new("not everything depends on everything.")
                .because(format!("x[{i}] does not depend on z[{k}], for any weights that were tried."))
                .advise("Triangular maps are the other lessons; here the matrix is to stay full."));
        }
    }
    let report = audit(&answer).map_err(|error| NotYet::new(error.to_string()))?;
    let claim = report.claim(Topic::Injective).ok_or_else(|| NotYet::new("the audit ended early."))?;
    let tried = every_weight(z, x, j)?;
    let (headline, evidence) = match &claim.evidence {
        Evidence::Proven { .. } => ("no weights fold it.", claim.evidence.clone()),
        Evidence::Refuted { witness } => return Err(NotYet::new("it is not one-to-one.").because(witness)),
        other => match tried.contracts {
            true => ("none of the weights that were tried folds it.", tried.evidence.clone()),
            false => {
                return Err(NotYet::new("that it is one-to-one is not proven.")
                    .because(other.detail())
                    .because(format!(
                        "Nor is g a contraction: with weights {} ‖∂g/∂z‖ is {} at z = {}.",
                        tried.weights,
                        shown(tried.largest),
                        place(&tried.at)
                    ))
                    .advise("Divide W by a number that is at least its norm, for all W."));
            }
        },
    };
    if !tried.bends {
        return Err(NotYet::new("it is linear.")
            .because("The Jacobian is the same at every z that was tried.")
            .advise("Keep the tanh."));
    }
    let tried_only = if evidence.label() == "proven" { "" } else { " that were tried" };
    Ok(Passed::new(headline)
        .with(format!("{}, for all weights{tried_only}", claim.statement), evidence)
        .with("J is dense, and det J above 0 for all weights that were tried", tried.evidence))
}

/// What was seen at many weights and points.
struct Tried {
    /// Whether ‖J - 1‖₂ was below 1 everywhere.
    contracts: bool,
    largest: f64,
    at: Vec<f64>,
    weights: String,
    bends: bool,
    evidence: Evidence,
}

/// det J at many points, for many weights.
fn every_weight<'t>(z: Var<'t>, x: Var<'t>, j: Var<'t>) -> Result<Tried, NotYet> {
    let tape = z.tape();
    let det = j.at(0) * j.at(3) - j.at(1) * j.at(2);
    let (mut points, mut bends) = (0, false);
    let (mut largest, mut at, mut weights) = (0.0f64, vec![0.0; 2], String::new());
    let (mut positive, mut negative) = (None, None);
    let start = Parameters::initialise(tape, 0);
    let extreme = [1e3, -1e3, 1e6, -1e6].map(|value| filled(&start, value));
    let learned: Vec<Var<'t>> = tape.parameters().into_iter().map(|id| tape.var(id)).collect();
    let all = learned.iter().fold(Space::reals(z), |space, parameter| space.and(*parameter));
    let rows_of = |parameters: Parameters| -> Vec<f64> {
        let space = Space::reals(z).with(parameters.clone());
        let values: Vec<f64> = parameters.iter().flat_map(|(_, tensor)| tensor.values.clone()).collect();
        Probes::of(&space, &[x, j]).rows.chunks(2).flat_map(|z| [z, &values].concat()).collect()
    };
    // Beside these, weights on either side of every threshold of the formula.
    let near = Probes::of(&all, &[x, j]).rows;
    for rows in draws(&start).into_iter().chain(extreme).map(rows_of).chain([near]) {
        let numbers = all.numbers(&[x, j, det], &rows);
        for (row, values) in rows.chunks(all.width()).enumerate() {
            let (point, weights_of) = values.split_at(2);
            let written = || written(&start, weights_of);
            let slopes = &numbers[1][4 * row..4 * row + 4];
            if numbers[0][2 * row..2 * row + 2].iter().any(|value| !value.is_finite())
                && let Some(operation) = all.undefined(x, values)
            {
                return Err(NotYet::new("it is not defined for all weights.").because(format!(
                    "With weights {}, at z = {}: `{operation}` has no value.",
                    written(),
                    place(point)
                )));
            }
            if slopes.iter().any(|value| !value.is_finite()) {
                continue;
            }
            points += 1;
            let same_weights = *weights_of == rows[2..all.width()];
            bends |= same_weights && slopes.iter().zip(&numbers[1]).any(|(a, b)| (a - b).abs() > 1e-6);
            let size = norm(slopes);
            if size > largest {
                (largest, at, weights) = (size, point.to_vec(), written());
            }
            let value = numbers[2][row];
            let told = || (written(), point.to_vec(), value);
            // As much as rounding leaves of a product of slopes.
            let rounding = 1e-9 * (1.0 + size * size);
            if value > rounding {
                positive.get_or_insert_with(told);
            } else if value < -rounding {
                negative.get_or_insert_with(told);
            }
        }
    }
    if let (Some(above), Some(below)) = (positive, negative) {
        let line = |(weights, at, value): &(String, Vec<f64>, f64)| {
            format!("With weights {weights}, at z = {}: det J = {}.", place(at), shown(*value))
        };
        let headline = if above.0 == below.0 {
            "it folds for some weights."
        } else {
            "some weights fold it, or mirror it."
        };
        return Err(NotYet::new(headline)
            .because(line(&below))
            .because(line(&above))
            .because("Between them are weights and points at which det J is 0.")
            .advise(
                "g must move points by less than they are apart, for all weights: bound what W can stretch.",
            ));
    }
    let evidence = Evidence::Checked { points, worst: 0.0, tolerance: 0.0, seed: None };
    Ok(Tried { contracts: largest < 1.0 + 1e-9, largest, at, weights, bends, evidence })
}

/// ‖J - 1‖₂ of two rows.
fn norm(j: &[f64]) -> f64 {
    let [a, b, c, d] = [j[0] - 1.0, j[1], j[2], j[3] - 1.0];
    let (squares, det) = (a * a + b * b + c * c + d * d, a * d - b * c);
    (0.5 * (squares + (squares * squares - 4.0 * det * det).max(0.0).sqrt())).sqrt()
}

/// Values of the parameters, with their names.
fn written(named: &Parameters, mut values: &[f64]) -> String {
    let mut parts = Vec::new();
    for (name, tensor) in named.iter() {
        let (own, rest) = values.split_at(tensor.values.len());
        parts.push(format!("{name} = {}", place(own)));
        values = rest;
    }
    parts.join(", ")
}
