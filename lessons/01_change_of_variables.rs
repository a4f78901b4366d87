//! Lesson 1: how a density changes when its variable is mapped.

use pushforward::audit::Topic;
use pushforward::prelude::*;
use pushforward::sweep::tangent;
use pushforward::tape::Subgraph;
use pushforward_course::{Lesson, Page, Picture, equation, formulas};

#[path = "judges/01_change_of_variables.rs"]
pub mod judge;

/// x = 3z + 1 on (0, 1).
struct Stretch;

impl Bijection for Stretch {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        3.0 * z + 1.0
    }
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        Some((x - 1.0) / 3.0)
    }
    fn domain(&self) -> Domain {
        Domain::Interval { lower: 0.0, upper: 1.0 }
    }
    fn codomain(&self) -> Domain {
        Domain::Interval { lower: 1.0, upper: 4.0 }
    }
}

/// x = eᶻ on (0, 1).
struct Grow;

impl Bijection for Grow {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.exp()
    }
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        Some(x.ln())
    }
    fn domain(&self) -> Domain {
        Domain::Interval { lower: 0.0, upper: 1.0 }
    }
    fn codomain(&self) -> Domain {
        Domain::Interval { lower: 1.0, upper: std::f64::consts::E }
    }
}

/// x = z², which is no bijection of ℝ.
struct Square;

impl Bijection for Square {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.powi(2)
    }
}

/// The density of x = f(z) with z uniform on (0, 1), at these x.
fn density(layer: impl Bijection + 'static, x: &[f64]) -> Result<Vec<f64>, Box<dyn std::error::Error>> {
    let flow = Flow::new(Uniform::new(1), [Box::new(layer) as Box<dyn Bijection>])?;
    let start = flow.initial(0);
    Ok(flow.with(start)?.log_prob(x)?.into_iter().map(f64::exp).collect())
}

/// The middles of `cells` equal cells of an interval, and the width of a cell.
fn cells(from: f64, to: f64, cells: usize) -> (Vec<f64>, f64) {
    let width = (to - from) / cells as f64;
    ((0..cells).map(|k| from + (k as f64 + 0.5) * width).collect(), width)
}

/// The lesson: run on its own, from the front page, or into the book.
pub const LESSON: Lesson = Lesson {
    number: 1,
    slug: "01_change_of_variables",
    title: "The change of variables",
    about: "how a density changes under a map",
    exercise: &judge::EXERCISE,
    seconds: 1.0,
    trained: &[],
    needs: &[],
    tell,
};

fn tell(page: &mut Page) -> Result<(), Box<dyn std::error::Error>> {
    page.question(
        "A random number z has a density p(z). Put it through a function, x = f(z). What is the density of x?",
    );
    page.predict(
        "Let z be uniform on (0, 1), so p(z) = 1 there, and f(z) = 3z + 1. The images lie between 1 and 4. Is the \
         density of x still 1? Say a number before you read on.",
    );

    page.heading("By hand");
    page.prose(
        "The interval (0, 0.1) has probability 1/10. Its image (1, 1.3) has the same probability and is \
         three times as long, so the density there is 1/3.",
    );

    page.heading("By the tape");
    let recording = record(&Stretch)?;
    page.formula(formulas(&recording));
    page.prose(
        "The second line is used later: J is the Jacobian of f, which in one dimension is the derivative \
         df/dz, det J is that number, and ln is the natural logarithm. f was written in Rust, like this:",
    );
    page.listing("fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {\n    3.0 * z + 1.0\n}");
    page.note(
        "For the exercises: write numbers with a decimal point, 2.0 * z and not 2 * z; use z.sqrt(), \
         z.exp(), z.ln(), z.abs(), z.powi(2); and from lesson 2 on z.at(0), the first of several variables, \
         and stack([a, b]), which makes one vector of them.",
    );
    let tape = recording.tape();
    let (z, x) = (recording.input(), recording.output());
    let subgraph = Subgraph::new(tape, &[z.id()], &[x.id()]);
    let slope =
        tangent(tape, &subgraph, &[(z.id(), tape.vector(&[1.0]))])[0].ok_or("f does not depend on z")?;
    page.prose("Its derivative, emitted by the tape as a new node:");
    page.formula(equation("dx/dz", slope, &[(z, "z")]));
    let inverse = Tape::new();
    let x = inverse.input(Shape::Vector(1));
    let back = Stretch.inverse(x).ok_or("no inverse")?;
    page.formula(equation("z = f⁻¹(x)", back, &[(x, "x")]));

    let at = density(Stretch, &[2.5, 0.5, 4.5])?;
    page.prose("So the density of x is not 1 but 1/3 on the image of f, and 0 outside:");
    page.number("p(x) at x = 2.5", at[0], "");
    page.number("p(x) at x = 0.5, outside of [1, 4]", at[1], "");
    page.check_close("p(2.5) is 1/3", at[0], 1.0 / 3.0, 1e-12);
    page.check_that("outside of [1, 4] the density is 0", at[1] == 0.0 && at[2] == 0.0, format!("{at:?}"));
    let (middles, width) = cells(0.0, 5.0, 5000);
    let mass: f64 = density(Stretch, &middles)?.iter().map(|p| p * width).sum();
    page.number("the integral of p over [0, 5]", mass, "");
    page.check_close("the integral is 1 = 3 · 1/3", mass, 1.0, 1e-12);

    page.heading("The picture");
    let steps = |from: f64, to: f64, height: f64| vec![(from, height), (to, height)];
    page.picture(
        "equal_areas",
        Picture::new(
            "Equal areas: stretching lowers the density",
            "A square of height 1 over [0, 1] and a rectangle of height 1/3 over [1, 4]; both have area 1.",
        )
        .axes("z, x", "density")
        .area("p(z)", steps(0.0, 1.0, 1.0))
        .area("p(x)", steps(1.0, 4.0, at[0])),
    );

    page.heading("In general");
    page.prose(
        "Where f is strictly monotonic it stretches a small piece around z by |df/dz|, and the density falls by \
         that factor:",
    );
    page.formula("p(x) = p(z) / |df/dz|     with z = f⁻¹(x)");
    page.prose("f need not be linear. Take x = eᶻ on (0, 1):");
    page.formula(formulas(&record(&Grow)?));
    let (middles, width) = cells(1.0, std::f64::consts::E, 2000);
    let curved = density(Grow, &middles)?;
    let worst = middles.iter().zip(&curved).map(|(x, p)| (p - 1.0 / x).abs()).fold(0.0, f64::max);
    page.check_close("p(x) is 1/x between 1 and e, at 2000 points (largest difference)", worst, 0.0, 1e-12);
    let mass: f64 = curved.iter().map(|p| p * width).sum();
    page.check_close("and integrates to 1", mass, 1.0, 1e-6);
    page.picture(
        "curved",
        Picture::new("A uniform density through x = eᶻ", "The curve 1/x falls from 1 at x = 1 to 0.37 at e.")
            .axes("x", "density")
            .area("p(x)", middles.into_iter().zip(curved).collect()),
    );

    page.heading("What people get wrong");
    page.misconception(
        "\"The density stays unchanged.\" It is probability that is preserved; the density is probability \
         per unit of length, and f changes the lengths.",
    );
    page.prose(
        "It matters that f is monotonic. If two z had the same image, x would receive probability from both, \
         but the formula counts only one. Here is x = z² on all of ℝ, audited as a bijection:",
    );
    let report = audit(&Square)?;
    let claim = report.claim(Topic::Injective).ok_or("the audit looks for collisions")?;
    page.note(format!("{}? {}", claim.statement, claim.evidence));
    page.check_that(
        "x = z² is refuted with two points that collide",
        claim.evidence.label() == "refuted",
        claim.evidence.detail(),
    );

    page.exercise(&judge::EXERCISE);
    page.read_on("Papamakarios et al., \"Normalizing Flows for Probabilistic Modeling and Inference\" (2021), section 2.1.");
    page.next("02_the_tape: where df/dz comes from.");
    Ok(())
}
