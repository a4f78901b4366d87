//! Lesson 6: the log-determinant of a stack is the sum over its layers.

use pushforward::audit::Topic;
use pushforward::jacobian::{jacobian, map};
use pushforward::numeric::Lu;
use pushforward::prelude::*;
use pushforward_course::{Lesson, Page, Picture, values};

#[path = "judges/06_chain_rule_of_determinants.rs"]
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
}

/// x = z + sinh-like growth: z·(1 + z²/4), elementwise.
struct Tails;

impl Bijection for Tails {
    fn dim(&self) -> usize {
        2
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z * (1.0 + 0.25 * z.powi(2))
    }
}

/// x = z + ½·tanh(3(z - shift)), on the line.
struct Step {
    shift: f64,
}

impl Bijection for Step {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z + 0.5 * (3.0 * (z - self.shift)).tanh()
    }
}

const NAMES: [&str; 5] =
    ["layer 1, Bend", "layer 2, Linear", "layer 3, Tails", "layer 4, Exchange", "layer 5, Bend"];

fn stack_of_layers() -> Chain {
    Chain::new([
        Box::new(Bend) as Box<dyn Bijection>,
        Box::new(Linear::new([0.8, -0.6, 0.9, 1.2], [0.3, -0.1])),
        Box::new(Tails),
        Box::new(Permutation::reverse(2)),
        Box::new(Bend),
    ])
}

/// The lesson: run on its own, from the front page, or into the book.
pub const LESSON: Lesson = Lesson {
    number: 6,
    slug: "06_chain_rule_of_determinants",
    title: "The chain rule of determinants",
    about: "layers one after another: logarithms add",
    exercise: &judge::EXERCISE,
    seconds: 1.0,
    trained: &[],
    needs: &[3],
    tell,
};

fn tell(page: &mut Page) -> Result<(), Box<dyn std::error::Error>> {
    page.question("A flow is several layers, one after another. What is the log-determinant of the whole?");
    page.predict("Layer 1 doubles areas, layer 2 triples them. And the two together? And their logarithms?");

    page.heading("By hand");
    page.prose(
        "What is doubled and then tripled is six times as large: factors multiply, so their logarithms add, \
         ln 2 + ln 3 = ln 6. If the first layer doubles areas at z, the second triples them at the image of \
         z under the first.",
    );
    page.check_close("ln 2 + ln 3 is ln 6", 2f64.ln() + 3f64.ln(), 6f64.ln(), 1e-15);

    page.heading("Five layers at one point");
    page.prose(
        "Bend is x₁ = z₁, x₂ = z₂·exp(tanh z₁) + z₁². Linear is x₁ = 0.8·z₁ - 0.6·z₂ + 0.3, x₂ = 0.9·z₁ + \
         1.2·z₂ - 0.1. Tails is x = z·(1 + z²/4) for each variable. Exchange swaps the two variables, and \
         Bend follows again:",
    );
    let chain = stack_of_layers();
    let recording = record(&chain)?;
    let tape = recording.tape();
    let z = recording.input();
    let at = [0.4, -0.7];
    let mut rows = Vec::new();
    let mut sum = 0.0;
    for (layer, name) in recording.layers().iter().zip(NAMES) {
        let (point, share) = (tape.var(layer.input), tape.var(layer.log_det));
        let numbers = values(tape, z, &[point, share], &at);
        sum += numbers[1][0];
        rows.push(vec![
            name.to_string(),
            format!("({:.4}, {:.4})", numbers[0][0], numbers[0][1]),
            format!("{:.6}", numbers[1][0]),
            format!("{sum:.6}"),
        ]);
    }
    page.table(&["layer", "its own input z_k", "ln|det J_k|", "sum so far"], rows);
    let whole = jacobian(tape, &map(tape, z.id(), recording.output().id()));
    let matrix = values(tape, z, &[whole], &at).swap_remove(0);
    let direct = Lu::new(2, matrix).log_abs_det();
    page.number("the whole Jacobian at once, by LU", direct, "");
    page.check_close("the sum over the layers is that of the whole", sum, direct, 1e-12);
    let report = audit(&chain)?;
    let claim = report.claim(Topic::ChainRule).ok_or("the audit looks at compositions")?;
    page.check("and at random points, with random weights, by the audit", claim.evidence.clone());

    page.heading("The classic error");
    page.predict("What if every layer's determinant is taken at z, because that is the variable at hand?");
    let mut wrong = 0.0;
    let mut rows = Vec::new();
    for (layer, name) in recording.layers().iter().zip(NAMES) {
        let point = tape.var(layer.input);
        let share = tape.var(layer.log_det);
        // The layer's own formula, with z where z_k belongs.
        let at_z = values(tape, point, &[share], &at)[0][0];
        let right = values(tape, z, &[share], &at)[0][0];
        wrong += at_z;
        rows.push(vec![name.to_string(), format!("{right:.6}"), format!("{at_z:.6}")]);
    }
    page.table(&["layer", "at its own input", "at z"], rows);
    page.number("the wrong sum", wrong, "");
    page.check_that(
        "evaluated at z, the sum is not the log-determinant",
        (wrong - direct).abs() > 0.1,
        format!("it happens to be {wrong}"),
    );
    page.prose(
        "Where a layer's Jacobian does not depend on the point (a linear layer, a permutation) both columns agree, \
         and so the error survives tests on linear layers.",
    );

    page.heading("What it looks like");
    page.prose(
        "In one variable: z is normal, and each layer is x = z + ½·tanh(3(z - c)), with c = 0, then 1, then \
         -1. Around c the slope is 1 + 1.5, so the layer pulls points apart there, and the density gets a \
         local minimum:",
    );
    let steps = Chain::new([
        Box::new(Step { shift: 0.0 }) as Box<dyn Bijection>,
        Box::new(Step { shift: 1.0 }),
        Box::new(Step { shift: -1.0 }),
    ]);
    let recording = record(&steps)?;
    let tape = recording.tape();
    let z = recording.input();
    let grid: Vec<f64> = (0..=600).map(|k| -4.0 + f64::from(k) / 75.0).collect();
    let base = StandardNormal::new(1).log_prob(z);
    let mut log_p = base;
    let mut picture = Picture::new(
        "A normal density through three layers",
        "A normal density, then densities with one, two and three local minima, each made by one more layer.",
    )
    .axes("x", "density");
    let curve = |x: Var<'_>, log_p: Var<'_>| -> Vec<(f64, f64)> {
        let numbers = values(tape, z, &[x, log_p], &grid);
        numbers[0].iter().copied().zip(numbers[1].iter().map(|log_p| log_p.exp())).collect()
    };
    picture = picture.line("z", curve(z, log_p));
    for (k, layer) in recording.layers().iter().enumerate() {
        log_p = log_p - tape.var(layer.log_det);
        let points = curve(tape.var(layer.output), log_p);
        let mass: f64 =
            points.windows(2).map(|pair| 0.5 * (pair[0].1 + pair[1].1) * (pair[1].0 - pair[0].0)).sum();
        page.check_close(format!("after layer {} the mass is 1", k + 1), mass, 1.0, 1e-3);
        picture = picture.line(&format!("after layer {}", k + 1), points);
    }
    page.picture("through_the_layers", picture);
    page.prose("Each layer adds a local minimum, and the area under every curve stays 1.");

    page.heading("In general");
    page.formula("x = f_K(… f_2(f_1(z)))");
    page.formula("ln|det J_f(z)| = Σ ln|det J_k(z_k)|     with z_1 = z");
    page.prose("The input of each layer is the output of the layer before it, z_2 = f_1(z_1) and so on.");

    page.heading("What people get wrong");
    page.misconception(
        "Evaluating every term at z. Each layer has its own input; the sum runs along the path that a point takes.",
    );
    page.exercise(&judge::EXERCISE);
    page.read_on("Rezende and Mohamed, \"Variational Inference with Normalizing Flows\" (2015), equation 7.");
    page.next("07_triangular_is_cheap: why not any invertible network?");
    Ok(())
}
