//! Lesson 4: why the absolute value.

use pushforward::audit::Topic;
use pushforward::jacobian::{jacobian, map};
use pushforward::prelude::*;
use pushforward_course::{Lesson, Page, Picture, formulas, values};

#[path = "judges/04_absolute_value.rs"]
pub mod judge;

/// x = -3z + 1, a reflected line.
struct Turned;

impl Bijection for Turned {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        -3.0 * z + 1.0
    }
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        Some((x - 1.0) / -3.0)
    }
    /// As a beginner writes it: the logarithm of the derivative.
    fn log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
        Some(z.tape().constant(-3.0).ln())
    }
}

/// x = (z₂, z₁): the plane, mirrored.
struct Swap;

impl Bijection for Swap {
    fn dim(&self) -> usize {
        2
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        stack([z.at(1), z.at(0)])
    }
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        Some(stack([x.at(1), x.at(0)]))
    }
}

/// The lesson: run on its own, from the front page, or into the book.
pub const LESSON: Lesson = Lesson {
    number: 4,
    slug: "04_absolute_value",
    title: "Why the absolute value",
    about: "why |det J| and not det J",
    exercise: &judge::EXERCISE,
    seconds: 1.0,
    trained: &[],
    needs: &[3],
    tell,
};

fn tell(page: &mut Page) -> Result<(), Box<dyn std::error::Error>> {
    page.question("The determinant measures volume. But determinants can be negative, and volumes cannot.");
    page.predict(
        "z is standard normal and x = -3z + 1. Drop the bars from p(z)/|df/dz|. What does p integrate to?",
    );

    page.heading("By hand");
    page.prose(
        "The interval (0, 1) goes to (-2, 1): three times as long, read from right to left. The density must fall to a \
         third, and p(z)/(-3) is minus a third of what it was.",
    );

    page.heading("A line, reflected");
    let recording = record(&Turned)?;
    let tape = recording.tape();
    page.formula(formulas(&recording));
    let entry = jacobian(tape, &map(tape, recording.input().id(), recording.output().id()));
    let slope = values(tape, recording.input(), &[entry], &[0.3])[0][0];
    page.number("df/dz", slope, "");
    page.prose(
        "It is negative: x decreases as z increases. The interval (0, 0.1) is mapped to (0.7, 1), with its \
         ends exchanged.",
    );

    let flow = Flow::new(StandardNormal::new(1), [Box::new(Turned) as Box<dyn Bijection>])?;
    let start = flow.initial(0);
    let density = flow.with(start)?;
    let n = 4000;
    let width = 60.0 / f64::from(n);
    let x: Vec<f64> = (0..n).map(|k| -29.0 + (f64::from(k) + 0.5) * width).collect();
    let with: Vec<f64> = density.log_prob(&x)?.into_iter().map(f64::exp).collect();
    // Without the bars: the same density of z, divided by the derivative as it is.
    let without: Vec<f64> = with.iter().map(|p| p * slope.abs() / slope).collect();
    let mass = |p: &[f64]| p.iter().sum::<f64>() * width;
    page.number("mass with |·|", mass(&with), "");
    page.number("mass without", mass(&without), "");
    page.check_close("with the absolute value the mass is 1", mass(&with), 1.0, 1e-12);
    page.check_close("without it the mass is -1", mass(&without), -1.0, 1e-12);
    page.check_that(
        "and every \"probability\" without it is negative",
        without.iter().all(|p| *p <= 0.0) && without.iter().any(|p| *p < 0.0),
        "a density without |·| was positive",
    );
    let near = |p: &[f64]| -> Vec<(f64, f64)> {
        x.iter()
            .copied()
            .zip(p.iter().copied())
            .filter(|(x, _)| (-10.0..12.0).contains(x))
            .step_by(10)
            .collect()
    };
    page.picture(
        "signed_mass",
        Picture::new(
            "With the absolute value, and without",
            "A normal density above the axis with mass 1 and the same curve below it with mass -1.",
        )
        .axes("x", "p")
        .area("with |·|", near(&with))
        .area("without", near(&without)),
    );

    page.heading("The plane, mirrored");
    let recording = record(&Swap)?;
    page.formula(formulas(&recording));
    let tape = recording.tape();
    let j = jacobian(tape, &map(tape, recording.input().id(), recording.output().id()));
    let j = values(tape, recording.input(), &[j], &[0.3, -0.4]).swap_remove(0);
    let det = j[0] * j[3] - j[1] * j[2];
    page.table(
        &["J", "∂/∂z₁", "∂/∂z₂"],
        vec![
            vec!["x₁".into(), format!("{}", j[0]), format!("{}", j[1])],
            vec!["x₂".into(), format!("{}", j[2]), format!("{}", j[3])],
        ],
    );
    page.check_close("det J = -1: areas stay, orientation flips", det, -1.0, 1e-15);
    let letter = [(0.2, 0.0), (0.2, 1.0), (0.9, 1.0), (0.2, 1.0), (0.2, 0.55), (0.7, 0.55)];
    let rows: Vec<f64> = letter.iter().flat_map(|(a, b)| [a + 1.0, *b]).collect();
    let mirrored = values(tape, recording.input(), &[recording.output()], &rows).swap_remove(0);
    page.picture(
        "mirrored",
        Picture::new(
            "A letter F and its mirror image",
            "The letter F on the right, and its image under the swap of coordinates, which no rotation of \
             the plane makes an F again.",
        )
        .axes("x₁", "x₂")
        .equal_aspect()
        .grid("z", vec![rows.chunks(2).map(|p| (p[0], p[1])).collect()])
        .grid("x", vec![mirrored.chunks(2).map(|p| (p[0], p[1])).collect()]),
    );
    page.heading("In general");
    page.formula("p(x) = p(z) / |det J_f(z)|     with z = f⁻¹(x)");
    page.prose(
        "The sign of det J tells whether f keeps or flips orientation; its size tells the volume. \
         Probability does not depend on orientation, so the density uses the absolute value.",
    );

    page.heading("What people get wrong");
    page.misconception(
        "Dropping the bars. With ln det instead of ln|det| the logarithm is NaN wherever f flips, which is \
         how it is usually noticed; if the formula divides by the determinant instead, the error goes \
         unnoticed.",
    );
    page.prose("Here is the first map again, with a hand-written log_det, and what an audit finds:");
    page.listing(
        "fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {\n    -3.0 * z + 1.0\n}\n\
         fn log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {\n    Some(z.tape().constant(-3.0).ln())\n}",
    );
    let report = audit(&Turned)?;
    let claim = report.claim(Topic::GivenLogDet).ok_or("the audit compares the two")?;
    page.note(format!("{}? {}", claim.statement, claim.evidence));
    page.check_that(
        "the audit refutes it, and says that the absolute value is missing",
        claim.evidence.detail().contains("absolute value"),
        claim.evidence.detail(),
    );
    page.exercise(&judge::EXERCISE);
    page.read_on(
        "Any calculus text on substitution in multiple integrals; Rudin, \"Principles\", theorem 10.9.",
    );
    page.next("05_two_forms: the same density, seen from x.");
    Ok(())
}
