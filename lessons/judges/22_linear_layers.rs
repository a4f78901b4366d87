//! Exercise 22: a full matrix that keeps volume, whatever is learned.

use pushforward::audit::Topic;
use pushforward::jacobian::{jacobian, map};
use pushforward::prelude::*;
use pushforward_course::exercise::{
    Allowed, Answer, Comparison, Exercise, Judgement, NotYet, Passed, Space, compared, depends, draws,
    recorded, shown,
};

pub const EXERCISE: Exercise = Exercise {
    number: 22,
    slug: "22_linear_layers",
    question: "Write a linear layer of three variables that mixes all of them, x = W·z with learned numbers in W, and keeps \
               volume: ln|det W| is 0, whatever the learned numbers are.",
    proof: "The judge asks whether every output depends on every input (for some values of the learned numbers), whether x is \
            linear in z, and for a proof that ln|det J| is 0 and the map a bijection, for all of them.",
    hints: [
        "A product of two matrices has the product of their determinants, and is full even if neither is. Which matrices have \
         the determinant 1 for sure?",
        "A triangle with a diagonal of ones. tape.mask(3, 3, |i, j| j < i) keeps what is below the diagonal, tape.identity(3) \
         is the diagonal of ones.",
        "let lower = a * tape.mask(3, 3, |i, j| j < i) + tape.identity(3); upper likewise from another parameter b with j > i; \
         then lower.matvec(upper.matvec(z)).",
    ],
};

const D: usize = 3;

pub fn judge(answer: &dyn Bijection) -> Judgement {
    let answer = Answer::of(answer, D, Allowed { parameters: true, ..Allowed::default() })?;
    if !answer.has_parameters() {
        return Err(NotYet::new("nothing is learned.")
            .because("the map has no parameter")
            .advise("tape.parameter(\"a\", Shape::Matrix(3, 3), Init::Constant(0.1)) is a learned matrix."));
    }
    let recording = recorded(&answer)?;
    let (tape, z, x) = (recording.tape(), recording.input(), recording.output());
    let learned: Vec<Var<'_>> = tape.parameters().into_iter().map(|id| tape.var(id)).collect();
    let space = learned.iter().fold(Space::reals(z), |space, parameter| space.and(*parameter));
    let linear = linear(&answer, &space, z, x)?;
    mixes(&answer)?;
    moves(&answer, &space, x)?;
    let zero = tape.constant(0.0);
    let kept = match compared(&space, recording.log_det(), zero) {
        Comparison::Equal(evidence) => evidence,
        Comparison::Different { at, given, .. } => {
            let names: Vec<String> =
                tape.declarations().into_iter().map(|declaration| declaration.name).collect();
            let values: Vec<String> = at[D..].iter().take(9).map(|value| shown(*value)).collect();
            return Err(NotYet::new("it does not keep volume for all that can be learned.")
                .because(format!(
                    "With {} = ({}, …): ln|det J| = {}.",
                    names.join(", "),
                    values.join(", "),
                    shown(given[0])
                ))
                .advise(
                    "A free matrix has any determinant. Make W of factors whose determinant is 1 or -1.",
                ));
        }
    };
    let report = audit(&answer).map_err(|error| NotYet::new(error.to_string()))?;
    let claim = report.claim(Topic::Injective).ok_or_else(|| NotYet::new("the audit ended early."))?;
    // Linear, and with a determinant that is not 0: a bijection in any case.
    let bijection = match &claim.evidence {
        Evidence::Refuted { witness } => {
            return Err(NotYet::new("it is not one-to-one for all that can be learned.").because(witness));
        }
        Evidence::Proven { .. } => claim.evidence.clone(),
        _ => kept.clone(),
    };
    let (headline, whatever) = match kept {
        Evidence::Proven { .. } => {
            ("it mixes everything, and keeps volume whatever is learned.", "for all parameters")
        }
        _ => (
            "it mixes everything, and keeps volume for all that was tried.",
            "for the parameters that were tried",
        ),
    };
    let one_to_one = match bijection {
        Evidence::Proven { .. } => format!("{}, for all parameters", claim.statement),
        _ => format!("it is linear with det J ≠ 0, so one-to-one, {whatever}"),
    };
    Ok(Passed::new(headline)
        .with(format!("ln|det J| = 0, {whatever}"), kept)
        .with(one_to_one, bijection)
        .with("x = W·z: linear in z", linear))
}

/// That x is W·z: the Jacobian at z is the one at 0, and x at 0 is 0.
fn linear<'t>(answer: &Answer, space: &Space<'t>, z: Var<'t>, x: Var<'t>) -> Result<Evidence, NotYet> {
    let tape = z.tape();
    let origin = answer.forward(tape.vector(&[0.0; D]));
    let slopes = jacobian(tape, &map(tape, z.id(), x.id()));
    if let Comparison::Different { given, .. } = compared(space, origin, tape.vector(&[0.0; D])) {
        if given.iter().any(|value| !value.is_finite()) {
            return Err(NotYet::new("it is not defined for all values of the learned numbers.")
                .because(format!("x at z = 0 is ({}, {}, {}).", shown(given[0]), shown(given[1]), shown(given[2])))
                .advise(
                    "Something is divided by 0, such as vᵀv where v is 0: a vector with an entry that is 1 is never 0, as those of \
                     Householder are.",
                ));
        }
        return Err(NotYet::new("it moves the origin.")
            .because(format!(
                "x at z = 0 is ({}, {}, {}).",
                shown(given[0]),
                shown(given[1]),
                shown(given[2])
            ))
            .advise("A linear map x = W·z has no shift."));
    }
    match compared(space, x, slopes.matvec(z)) {
        Comparison::Equal(evidence) => Ok(evidence),
        Comparison::Different { at, given, asked } => Err(NotYet::new("it is not linear in z.")
            .because(format!(
                "At z = ({}, {}, {}) x₁ is {}; the Jacobian there times z is {}.",
                shown(at[0]),
                shown(at[1]),
                shown(at[2]),
                shown(given[0]),
                shown(asked[0])
            ))
            .advise("x = W·z, with a W that does not depend on z.")),
    }
}

/// That every output depends on every input.
fn mixes(answer: &Answer) -> Result<(), NotYet> {
    for (i, inputs) in depends(answer)?.into_iter().enumerate() {
        if let Some(j) = (0..D).find(|j| !inputs.contains(j)) {
            return Err(NotYet::new("it does not mix all variables.")
                .because(format!("x[{i}] does not depend on z[{j}], whatever is learned."))
                .advise("One triangle leaves half of the entries 0. A product of two, or of reflections or rotations, is full."));
        }
    }
    Ok(())
}

/// That what is learned changes the map.
fn moves<'t>(answer: &Answer, space: &Space<'t>, x: Var<'t>) -> Result<(), NotYet> {
    let start = Parameters::initialise(x.tape(), 0);
    let mut rows = Vec::new();
    for parameters in draws(&start) {
        rows.extend([0.7, -0.4, 1.1]);
        rows.extend(parameters.iter().flat_map(|(_, tensor)| tensor.values.clone()));
    }
    let numbers = space.numbers(&[x], &rows).swap_remove(0);
    let changed = numbers.chunks(D).any(|row| row.iter().zip(&numbers).any(|(a, b)| (a - b).abs() > 1e-6));
    if changed {
        return Ok(());
    }
    Err(NotYet::new("nothing is learned.")
        .because(format!("{} is the same map whatever its parameters are.", answer.name()))
        .advise("Let the learned numbers stand in W."))
}
