//! Exercise 14: a walk, drawn in one pass.

use std::f64::consts::PI;

use pushforward::prelude::*;
use pushforward::sweep::reach::{Layout, Reach, Relation};
use pushforward::tape::{Op, Subgraph};
use pushforward_course::exercise::{
    Allowed, Answer, Comparison, Exercise, Judgement, NotYet, Passed, Space, compared, points, recorded,
    shown,
};

pub const EXERCISE: Exercise = Exercise {
    number: 14,
    slug: "14_one_pass_sampling",
    question: "A walk of eight steps: x₁ is standard normal, and each later xᵢ is normal with mean xᵢ₋₁/2 and deviation 1. \
               Drawn step by step, x₈ waits for seven others. Write a bijection of the same density in which no xᵢ waits \
               for another x.",
    proof: "The judge compares ln p(x) with the sum of ln p(xᵢ | xᵢ₋₁), and follows on the tape what each x is computed \
            from: no other x, and no number times another x, may stand on its way; and at most eight operations wait for \
            one another.",
    hints: [
        "Put x₂ = x₁/2 + z₂ into x₃ = x₂/2 + z₃, and go on: every xᵢ is a sum of z's, each with a weight of its own.",
        "zⱼ reaches xᵢ halved i - j times. All the sums at once are a matrix times z, which is one operation.",
        "z.tape().matrix(8, 8, &weights).matvec(z), with (1/2)^(i - j) in row i and column j for j ≤ i, and 0 elsewhere.",
    ],
};

const D: usize = 8;
/// A sum of eight terms, added one after another, is eight operations; a walk of eight steps takes twice as many.
const WAITS: usize = 8;

pub fn judge(answer: &dyn Bijection) -> Judgement {
    let answer = Answer::of(answer, D, Allowed::default())?;
    let recording = recorded(&answer)?;
    let (tape, z, x) = (recording.tape(), recording.input(), recording.output());
    let space = Space::reals(z);
    let given = StandardNormal::new(D).log_prob(z) - recording.log_det();
    let steps: Vec<Var<'_>> =
        (0..D).map(|i| if i == 0 { x.at(0) } else { x.at(i) - 0.5 * x.at(i - 1) }).collect();
    let step = stack(steps);
    let asked = -0.5 * step.dot(step) - 0.5 * D as f64 * (2.0 * PI).ln();
    let density = match compared(&space, given, asked) {
        Comparison::Equal(evidence) => evidence,
        Comparison::Different { at, given, asked } => {
            let found = space.numbers(&[step], &at).concat();
            let told = NotYet::new("x has another density than the walk.").because(format!(
                "At one point ln p(x) is {} by yours; the sum of ln p(xᵢ | xᵢ₋₁) is {}.",
                shown(given[0]),
                shown(asked[0])
            ));
            let off = (0..D).find(|i| (found[*i] - at[*i]).abs() > 1e-9);
            return Err(match off {
                Some(0) => told.because(format!(
                    "x[0] is {} there, and its noise z[0] is {}.",
                    shown(found[0]),
                    shown(at[0])
                )),
                Some(i) => told.because(format!(
                    "x[{i}] - x[{}]/2 is {} there, and its noise z[{i}] is {}.",
                    i - 1,
                    shown(found[i]),
                    shown(at[i])
                )),
                None => told,
            }
            .advise(
                "What each step adds to half of the one before must be a standard normal number of its own.",
            ));
        }
    };
    let ways = Ways::of(tape, z, x);
    if let Some((waiting, other)) = ways.waits_for(&space, tape, z, x) {
        return Err(NotYet::new("it is the walk, and not in one pass yet.")
            .because(format!("x[{waiting}] is computed from x[{other}], so it waits for it."))
            .advise("Put what x[i - 1] is made of in its place, down to the z's."));
    }
    let (waits, last) = ways.longest(tape, x);
    if waits > WAITS {
        return Err(NotYet::new("it is the walk, and not in one pass yet.")
            .because(format!(
                "The longest way from z to x: {waits} operations, each waiting for the one before; the last is `{last}`."
            ))
            .advise("What the steps share is computed one after the other: let each x be made of z's alone."));
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
            "no x is computed from another x, or from a number times another x",
            Evidence::Checked { points: ways.from.len(), worst: 0.0, tolerance: 0.0, seed: None },
        )
        .with(
            format!("the longest way from z to x has {waits} operation{plural}"),
            proven("counted on the tape".into()),
        ))
}

/// What each element of a program is computed from.
struct Ways {
    subgraph: Subgraph,
    layout: Layout,
    /// For each element those that it is computed from directly.
    from: Vec<Vec<usize>>,
}

impl Ways {
    fn of(tape: &Tape, z: Var<'_>, x: Var<'_>) -> Ways {
        let subgraph = Subgraph::new(tape, &[z.id()], &[x.id()]);
        let reach = Reach::new(tape, &subgraph, Relation::Value);
        let layout = reach.layout().clone();
        let mut from = vec![Vec::new(); layout.len()];
        reach.each_edge(|to, of| from[to].push(of));
        Ways { subgraph, layout, from }
    }

    /// The operation of an element's node; what only moves numbers is none.
    fn operation(&self, tape: &Tape, element: usize) -> Option<&'static str> {
        let node = tape.node(self.subgraph.nodes()[self.layout.node_of(element)]);
        let moved =
            matches!(node.op, Op::Gather(_) | Op::Scatter(_) | Op::Concat | Op::Broadcast | Op::Transpose);
        (!moved).then(|| node.op.name())
    }

    /// Everything that an element is computed from, itself among it.
    fn before(&self, element: usize) -> Vec<bool> {
        let mut seen = vec![false; self.from.len()];
        let mut open = vec![element];
        while let Some(element) = open.pop() {
            if !std::mem::replace(&mut seen[element], true) {
                open.extend(&self.from[element]);
            }
        }
        seen
    }

    /// An x, and another one that it is computed from: the same element of the program, or one that both are computed
    /// from and that is the other times a number.
    fn waits_for(&self, space: &Space<'_>, tape: &Tape, z: Var<'_>, x: Var<'_>) -> Option<(usize, usize)> {
        let outputs: Vec<usize> = self.layout.elements(x.id()).collect();
        let before: Vec<Vec<bool>> = outputs.iter().map(|element| self.before(*element)).collect();
        let rows = points(&Domain::Reals, D);
        let nodes: Vec<Var<'_>> = self.subgraph.nodes().iter().map(|id| tape.var(*id)).collect();
        let numbers = space.numbers(&nodes, &rows);
        let count = rows.len() / D;
        let value = |element: usize, row: usize| {
            let node = self.layout.node_of(element);
            let id = self.subgraph.nodes()[node];
            let width = numbers[node].len() / count;
            numbers[node][row * width + element - self.layout.elements(id).start]
        };
        let multiple = |element: usize, of: usize| {
            let factor = value(element, 0) / value(of, 0);
            let near = |row: usize| {
                let (a, b) = (value(element, row), factor * value(of, row));
                (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
            };
            factor.is_finite() && factor != 0.0 && (0..count).all(near)
        };
        let inputs = self.layout.elements(z.id());
        for (i, own) in before.iter().enumerate() {
            for (j, other) in before.iter().enumerate() {
                // What is a z, or a number times a z, is there from the start.
                let given = inputs.clone().any(|input| multiple(outputs[j], input));
                let shared = |element: &usize| own[*element] && other[*element] && !inputs.contains(element);
                if i != j
                    && !given
                    && (0..self.from.len()).filter(shared).any(|element| multiple(element, outputs[j]))
                {
                    return Some((i, j));
                }
            }
        }
        None
    }

    /// How many operations wait for one another on the longest way to x, and the last of them.
    fn longest(&self, tape: &Tape, x: Var<'_>) -> (usize, &'static str) {
        let mut waits: Vec<(usize, &'static str)> = vec![(0, "z"); self.from.len()];
        for element in 0..self.from.len() {
            let Some(before) = self.from[element].iter().map(|of| waits[*of]).max() else { continue };
            waits[element] = match self.operation(tape, element) {
                // An equation is solved one variable after the other.
                Some(name @ ("substitution" | "root")) => (before.0 + 2 * D, name),
                Some(name) => (before.0 + 1, name),
                None => before,
            };
        }
        self.layout.elements(x.id()).map(|element| waits[element]).max().unwrap_or((0, "z"))
    }
}
