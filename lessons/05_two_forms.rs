//! Lesson 5: one density, two forms, and which is cheaper when.

use pushforward::bijection::{forward_with_log_det, record_inverse};
use pushforward::jacobian::{log_det, map};
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::tape::{NodeId, Subgraph};
use pushforward_course::{Lesson, Page, formulas};

#[path = "judges/05_two_forms.rs"]
pub mod judge;

/// x₁ = z₁,  x₂ = z₂·exp(tanh z₁) + z₁²
struct Bend;

impl Bijection for Bend {
    fn dim(&self) -> usize {
        2
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z1, z2) = (z.at(0), z.at(1));
        stack([z1, z2 * z1.tanh().exp() + z1.powi(2)])
    }
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        let (x1, x2) = (x.at(0), x.at(1));
        Some(stack([x1, (x2 - x1.powi(2)) * (-x1.tanh()).exp()]))
    }
}

/// xᵢ = zᵢ·exp(sᵢ) + tᵢ with s and t linear in what comes before: of x (MAF), or of z (IAF).
struct Autoregressive {
    d: usize,
    looks_at_x: bool,
}

impl Autoregressive {
    /// Fixed weights below the diagonal, zeros elsewhere.
    fn weights(&self, phase: f64) -> Vec<f64> {
        let d = self.d;
        let entry = |i: usize, j: usize| if j < i { 0.3 * (phase + (i * d + j) as f64).sin() } else { 0.0 };
        (0..d * d).map(|e| entry(e / d, e % d)).collect()
    }

    fn scale_and_shift<'t>(&self, seen: Var<'t>) -> (Var<'t>, Var<'t>) {
        let matrix = |phase| seen.tape().matrix(self.d, self.d, &self.weights(phase));
        (matrix(0.0).matvec(seen).tanh(), matrix(1.0).matvec(seen))
    }

    /// One variable after another: from the given side to the side that the network looks at.
    fn in_sequence<'t>(
        &self,
        given: Var<'t>,
        next: impl Fn(Var<'t>, Var<'t>, Var<'t>) -> Var<'t>,
    ) -> Var<'t> {
        let (scales, shifts) = (self.weights(0.0), self.weights(1.0));
        let mut done: Vec<Var<'t>> = Vec::new();
        for i in 0..self.d {
            let sum = |weights: &[f64]| {
                let row = &weights[i * self.d..i * self.d + i];
                match done.is_empty() {
                    true => given.tape().constant(0.0),
                    false => given.tape().vector(row).dot(stack(done.iter().copied())),
                }
            };
            done.push(next(given.at(i), sum(&scales).tanh(), sum(&shifts)));
        }
        stack(done)
    }
}

impl Bijection for Autoregressive {
    fn dim(&self) -> usize {
        self.d
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        if self.looks_at_x {
            return self.in_sequence(z, |z, s, t| z * s.exp() + t);
        }
        let (s, t) = self.scale_and_shift(z);
        z * s.exp() + t
    }
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        if self.looks_at_x {
            let (s, t) = self.scale_and_shift(x);
            return Some((x - t) * (-s).exp());
        }
        Some(self.in_sequence(x, |x, s, t| (x - t) * (-s).exp()))
    }
    fn name(&self) -> String {
        if self.looks_at_x { "MAF".into() } else { "IAF".into() }
    }
}

/// The longest chain of operations that wait for each other.
fn depth(tape: &Tape, input: NodeId, output: NodeId) -> usize {
    let subgraph = Subgraph::new(tape, &[input], &[output]);
    let mut depths = vec![0usize; tape.len()];
    for id in subgraph.nodes().iter().filter(|id| **id != input) {
        let node = tape.node(*id);
        let below = node.operands.iter().map(|operand| depths[operand.index()]).max();
        depths[id.index()] = below.map_or(0, |below| below + 1);
    }
    depths[output.index()]
}

/// Operations and depth of sampling (z → x) and of a density (x → z and ln|det J|).
fn costs(layer: &dyn Bijection) -> Result<[usize; 4], BijectionError> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(layer.dim()));
    let x = layer.forward(z);
    let count = |input: NodeId, outputs: &[Output]| {
        Program::<f64>::compile(&tape, &[input], outputs).operations() as usize
    };
    let sampling = (count(z.id(), &[Output::Each(x.id())]), depth(&tape, z.id(), x.id()));
    let given = tape.input(Shape::Vector(layer.dim()));
    let back = record_inverse(layer, given)?;
    let derived = log_det(&tape, &map(&tape, given.id(), back.id()), &layer.structure())
        .map_err(|error| BijectionError::Structure { layer: layer.name(), error })?;
    let outputs = [Output::Each(back.id()), Output::Each(derived.value.id())];
    let density = (count(given.id(), &outputs), depth(&tape, given.id(), back.id()));
    Ok([sampling.0, sampling.1, density.0, density.1])
}

/// The lesson: run on its own, from the front page, or into the book.
pub const LESSON: Lesson = Lesson {
    number: 5,
    slug: "05_two_forms",
    title: "Two forms of one density",
    about: "one density, seen from z and from x",
    exercise: &judge::EXERCISE,
    seconds: 1.0,
    trained: &[],
    needs: &[3],
    tell,
};

fn tell(page: &mut Page) -> Result<(), Box<dyn std::error::Error>> {
    page.question(
        "Some papers divide by |det J_f(z)|. Others use the inverse, g = f⁻¹, and multiply by |det J_g(x)|. \
         Which is right?",
    );
    page.predict("If f doubles areas near z, what does g = f⁻¹ do to areas near x = f(z)?");

    page.heading("By hand");
    page.prose(
        "f(z) = 2z doubles lengths, and g(x) = x/2 halves them. Take z = 1, so x = 2. Dividing by what f does: p(z)/2. \
         Multiplying by what g does: p(z)·½. It is one number, written in two ways, so both papers are right.",
    );

    page.heading("The same number, a thousand times");
    page.formula(formulas(&record(&Bend)?));
    // Each form from a recording of its own: nothing of one is used for the other.
    let forward = Tape::new();
    let z = forward.input(Shape::Vector(2));
    let pushed = forward_with_log_det(&Bend, z)?;
    let first = StandardNormal::new(2).log_prob(z) - pushed.log_det;
    let outputs = [Output::Each(pushed.x.id()), Output::Each(first.id())];
    let mut by_z = Program::<f64>::compile(&forward, &[z.id()], &outputs);
    by_z.load(&Parameters::default())?;
    let backward = Tape::new();
    let x = backward.input(Shape::Vector(2));
    let back = record_inverse(&Bend, x)?;
    let inverse = log_det(&backward, &map(&backward, x.id(), back.id()), &Structure::Dense)?;
    let second = StandardNormal::new(2).log_prob(back) + inverse.value;
    let mut by_x = Program::<f64>::compile(&backward, &[x.id()], &[Output::Each(second.id())]);
    by_x.load(&Parameters::default())?;
    let points: Vec<f64> =
        (0..1000).flat_map(|k| [3.0 * f64::from(k).sin(), 3.0 * (1.7 * f64::from(k)).cos()]).collect();
    let mut results = by_z.run(&[&points], 1000)?;
    let (first, images) = (results.swap_remove(1), results.swap_remove(0));
    let second = by_x.run(&[&images], 1000)?.swap_remove(0);
    let rows = (0..3).map(|k| {
        let x = format!("({:.4}, {:.4})", images[2 * k], images[2 * k + 1]);
        vec![x, format!("{:.10}", first[k]), format!("{:.10}", second[k])]
    });
    page.table(&["x", "ln p, dividing", "ln p, multiplying"], rows.collect());
    let worst = first.iter().zip(&second).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    page.check_close("at 1000 points the two forms are one number (largest difference)", worst, 0.0, 1e-11);
    page.prose(
        "They have to be: g undoes f, so its Jacobian at x is the inverse of the matrix J_f(z), and the determinant of an \
         inverse matrix is one over the determinant. What f stretches, g shrinks back: where f doubles areas, g halves \
         them.",
    );

    page.heading("Which is cheaper when");
    page.predict("A layer that computes xᵢ from zᵢ and from x₁ … xᵢ₋₁. Which way can all variables be computed at once, from z to \
         x or from x to z?",);
    page.prose(
        "Sampling needs z → x. A density needs x → z, and one of the determinants. Three kinds of layer come \
         back in lessons 11 and 12. In a coupling layer half of the variables stay as they are and determine \
         how the other half is scaled and shifted. In MAF, the layer just asked about, each variable is \
         scaled and shifted by functions of x₁ … xᵢ₋₁, and in IAF by functions of z₁ … zᵢ₋₁. On 32 \
         variables, counted on the tape; «work» is the total number of operations, «in a row» the longest \
         chain of operations of which each needs the one before:",
    );
    let coupling = AffineCoupling::new(CouplingMask::first_half(32), Network::new([32]));
    let maf = Autoregressive { d: 32, looks_at_x: true };
    let iaf = Autoregressive { d: 32, looks_at_x: false };
    let mut rows = Vec::new();
    let mut depths = Vec::new();
    for (name, layer) in [("coupling", &coupling as &dyn Bijection), ("MAF", &maf), ("IAF", &iaf)] {
        let costs = costs(layer)?;
        depths.push((costs[1], costs[3]));
        rows.push(std::iter::once(name.to_string()).chain(costs.iter().map(usize::to_string)).collect());
    }
    let headers = ["layer", "sample: work", "sample: in a row", "density: work", "density: in a row"];
    page.table(&headers, rows);
    page.prose(
        "The work is about the same in both directions. What differs is the length of the dependent chain. \
         In a coupling layer no variable waits for another: the chain is its network, in both directions. \
         MAF computes densities in one pass, since x is known, and samples one variable after another; for \
         IAF it is the opposite. So the answer is: from x to z.",
    );
    let (coupling, maf, iaf) = (depths[0], depths[1], depths[2]);
    page.check_that(
        "coupling: both directions are about equally deep",
        coupling.0.abs_diff(coupling.1) <= 2,
        format!("{coupling:?}"),
    );
    page.check_that("MAF: sampling is at least 32 times deeper", maf.0 >= 32 * maf.1, format!("{maf:?}"));
    page.check_that("IAF: the density is at least 32 times deeper", iaf.1 >= 32 * iaf.0, format!("{iaf:?}"));

    page.heading("In general");
    page.formula("p(x) = p(z) / |det J_f(z)|\np(x) = p(z) · |det J_g(x)|     both with z = g(x) and g = f⁻¹");
    page.prose("Choose by what you have: the map that you can compute is the one whose Jacobian you take.");

    page.heading("What people get wrong");
    page.misconception(
        "Mixing the two: dividing by the determinant of g = f⁻¹, or evaluating J_f at x instead of at z = f⁻¹(x). Write \
         down which map the Jacobian belongs to, and where it is taken.",
    );
    page.exercise(&judge::EXERCISE);
    page.read_on("Papamakarios, Pavlakou, Murray, \"Masked Autoregressive Flow\" (2017), section 3.");
    page.next("06_chain_rule_of_determinants: several layers.");
    Ok(())
}
