//! Exercise 14: a walk, drawn in one pass.

use std::collections::HashMap;
use std::f64::consts::PI;

use pushforward::lesson::exercise::{Exercise, Judgement, NotYet, Passed, Sameness, compared, recorded};
use pushforward::lesson::values;
use pushforward::prelude::*;
use pushforward::tape::{Cut, NodeId, Op};

pub const EXERCISE: Exercise = Exercise {
    number: 14,
    slug: "14_one_pass_sampling",
    question: "A walk of eight steps: x₁ is standard normal, and each later xᵢ is normal with mean xᵢ₋₁/2 and deviation 1. \
               Drawn step by step, x₈ waits for seven others. Write a bijection of the same density in which no xᵢ waits \
               for another x.",
    proof: "The judge compares ln p(x) with the sum of ln p(xᵢ | xᵢ₋₁), and counts on the tape how many operations wait \
            for one another on the longest way from z to x: six at most.",
    hints: [
        "Put x₂ = x₁/2 + z₂ into x₃ = x₂/2 + z₃, and go on: every xᵢ is a sum of z's, each with a weight of its own.",
        "zⱼ reaches xᵢ halved i - j times. All the sums at once are a matrix times z, which is one operation.",
        "z.tape().matrix(8, 8, &weights).matvec(z), with (1/2)^(i - j) in row i and column j for j ≤ i, and 0 elsewhere.",
    ],
};

const D: usize = 8;
/// A few operations in a row are no walk: sums by doubling take log₂ 8 times two.
const WAITS: usize = 6;

pub fn judge(answer: &dyn Bijection) -> Judgement {
    let recording = recorded(answer, D)?;
    let (tape, z, x) = (recording.tape(), recording.input(), recording.output());
    let given = StandardNormal::new(D).log_prob(z) - recording.log_det();
    let steps: Vec<Var<'_>> =
        (0..D).map(|i| if i == 0 { x.at(0) } else { x.at(i) - 0.5 * x.at(i - 1) }).collect();
    let step = stack(steps);
    let asked = -0.5 * step.dot(step) - 0.5 * D as f64 * (2.0 * PI).ln();
    let density = match compared(tape, z, given, asked, Domain::Reals) {
        Sameness::Same(evidence) => evidence,
        Sameness::Apart { at, given, asked } => {
            let found = values(tape, z, &[step], &at).concat();
            let told = NotYet::new("x has another density than the walk.").because(format!(
                "At one point ln p(x) is {:.4} by yours; the sum of ln p(xᵢ | xᵢ₋₁) is {:.4}.",
                given[0], asked[0]
            ));
            let off = (0..D).find(|i| (found[*i] - at[*i]).abs() > 1e-9);
            return Err(match off {
                Some(0) => told
                    .because(format!("x[0] is {:.4} there, and its noise z[0] is {:.4}.", found[0], at[0])),
                Some(i) => told.because(format!(
                    "x[{i}] - x[{}]/2 is {:.4} there, and its noise z[{i}] is {:.4}.",
                    i - 1,
                    found[i],
                    at[i]
                )),
                None => told,
            }
            .advise(
                "What each step adds to half of the one before must be a standard normal number of its own.",
            ));
        }
    };
    let (waits, last) = longest_wait(tape, z, x);
    if waits > WAITS {
        return Err(NotYet::new("it is the walk, and not in one pass yet.")
            .because(format!(
                "The longest way from z to x: {waits} operations, each waiting for the one before; the last is `{last}`."
            ))
            .advise("Write each x as a sum of z's, all of them at once: a matrix times z is one operation."));
    }
    let proven = |reason: String| Evidence::Proven { reason };
    let plural = if waits == 1 { "" } else { "s" };
    Ok(Passed::new("the walk, in one pass.")
        .with("ln p(x) is the sum of ln p(xᵢ | xᵢ₋₁)", density)
        .with(
            format!("J is {}", recording.structure()),
            proven("no path leads where the structure has a zero".into()),
        )
        .with(
            format!("the longest way from z to x has {waits} operation{plural}"),
            proven("counted on the tape".into()),
        ))
}

/// How many operations wait for one another from z to x, and the last of them; what only moves numbers is free.
fn longest_wait(tape: &Tape, z: Var<'_>, x: Var<'_>) -> (usize, &'static str) {
    let mut waits: HashMap<NodeId, (usize, &'static str)> = HashMap::from([(z.id(), (0, "z"))]);
    for id in Cut::new(tape, &[z.id()], &[x.id()]).nodes() {
        let node = tape.node(*id);
        let before = node.operands.iter().filter_map(|operand| waits.get(operand)).max().copied();
        let moved =
            matches!(node.op, Op::Gather(_) | Op::Scatter(_) | Op::Concat | Op::Broadcast | Op::Transpose);
        if let Some((count, last)) = before {
            waits.insert(*id, if moved { (count, last) } else { (count + 1, node.op.name()) });
        }
    }
    waits.get(&x.id()).copied().unwrap_or((0, "z"))
}
