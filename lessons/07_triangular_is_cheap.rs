//! Lesson 7: why flows are built from triangular layers.

use std::time::Instant;

use pushforward::audit::Topic;
use pushforward::jacobian::map;
use pushforward::numeric::Lu;
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::tangent;
use pushforward_course::{Lesson, Page, Picture, equation, fit_slope, formulas};

#[path = "judges/07_triangular_is_cheap.rs"]
pub mod judge;

/// xᵢ = zᵢ·exp(tanh zᵢ₋₁) + sin zᵢ₋₁, with nothing before the first.
struct Neighbours {
    d: usize,
    structure: Structure,
}

impl Neighbours {
    fn declared(d: usize) -> Neighbours {
        Neighbours { d, structure: Structure::LowerTriangular }
    }
}

impl Bijection for Neighbours {
    fn dim(&self) -> usize {
        self.d
    }
    fn structure(&self) -> Structure {
        self.structure.clone()
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let zero = z.tape().vector(&[0.0]);
        let before = if self.d > 1 { concat([zero, z.slice(0..self.d - 1)]) } else { zero };
        z * before.tanh().exp() + before.sin()
    }
}

/// The same with the last variable in front: declared lower triangular, which it is not.
struct Sideways;

impl Bijection for Sideways {
    fn dim(&self) -> usize {
        3
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let s = z.at(2).tanh();
        let first = z.at(0) + s;
        stack([first, z.at(1) - s, z.at(2)])
    }
}

/// Triangular, once the variables are put in another order.
struct Shuffled {
    structure: Structure,
}

impl Bijection for Shuffled {
    fn dim(&self) -> usize {
        3
    }
    fn structure(&self) -> Structure {
        self.structure.clone()
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z1, z2, z3) = (z.at(0), z.at(1), z.at(2));
        stack([2.0 * z1 + z3.sin(), z2 * (z1 * z3).tanh().exp(), z3])
    }
}

/// A deterministic point that is nowhere special.
fn point(d: usize) -> Vec<f64> {
    (0..d).map(|i| (1.0 + 0.7 * i as f64).sin()).collect()
}

/// The shortest time of several runs, in seconds, and the result.
fn timed(mut run: impl FnMut() -> f64) -> (f64, f64) {
    let (mut best, mut result) = (f64::INFINITY, f64::NAN);
    let begin = Instant::now();
    for _ in 0..40 {
        let start = Instant::now();
        result = run();
        best = best.min(start.elapsed().as_secs_f64());
        if begin.elapsed().as_secs_f64() > 0.25 {
            break;
        }
    }
    (best, result)
}

/// ln|det J| by the diagonal of a proven triangle: seconds a point, and the value.
fn by_diagonal(d: usize) -> Result<(f64, f64), Box<dyn std::error::Error>> {
    let recording = record(&Neighbours::declared(d))?;
    let outputs = [Output::Each(recording.log_det().id())];
    let mut program = Program::<f64>::compile(recording.tape(), &[recording.input().id()], &outputs);
    program.load(&Parameters::default())?;
    let z = point(d);
    Ok(timed(|| program.run(&[&z], 1).expect("one row")[0][0]))
}

/// ln|det J| by all d columns, each a tangent, and a blocked LU: what an undeclared layer takes.
fn by_lu(d: usize) -> Result<(f64, f64), Box<dyn std::error::Error>> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(d));
    let x = Neighbours::declared(d).forward(z);
    let direction = tape.input(Shape::Vector(d));
    let column =
        tangent(&tape, &map(&tape, z.id(), x.id()), &[(z.id(), direction)])[0].ok_or("no tangent")?;
    let inputs = [z.id(), direction.id()];
    let mut program = Program::<f64>::compile(&tape, &inputs, &[Output::Each(column.id())]);
    program.load(&Parameters::default())?;
    let z = point(d);
    let rows: Vec<f64> = (0..d).flat_map(|_| z.iter().copied()).collect();
    let units: Vec<f64> = (0..d * d).map(|e| if e / d == e % d { 1.0 } else { 0.0 }).collect();
    // Columns come out as rows: a transposed matrix has the same determinant.
    Ok(timed(|| Lu::new(d, program.run(&[&rows, &units], d).expect("d rows").swap_remove(0)).log_abs_det()))
}

/// The lesson: run on its own, from the front page, or into the book.
pub const LESSON: Lesson = Lesson {
    number: 7,
    slug: "07_triangular_is_cheap",
    title: "Triangular is cheap",
    about: "O(d) against O(d³), proven and measured",
    exercise: &judge::EXERCISE,
    seconds: 10.0,
    trained: &[],
    needs: &[6],
    tell,
};

fn tell(page: &mut Page) -> Result<(), Box<dyn std::error::Error>> {
    page.question("Any invertible network has a Jacobian. Why are flows not simply any invertible network?");
    page.predict("The determinant of a d×d matrix by elimination: how does the time grow with d? And of a triangular one?");

    page.heading("By hand");
    page.prose(
        "A determinant of three rows is a sum of six products, each with one factor from every row and every column:",
    );
    let triangle = [2.0f64, 0.0, 0.0, 5.0, 3.0, 0.0, 7.0, 1.0, 4.0];
    let row = |k: usize| triangle[3 * k..3 * k + 3].iter().map(|entry| entry.to_string()).collect();
    page.table(&["column 1", "column 2", "column 3"], (0..3).map(row).collect());
    page.prose(
        "Five of the six have a factor from above the diagonal, which is 0. What is left is 2·3·4 = 24. The \
         entries below the diagonal play no role.",
    );
    page.check_close(
        "an elimination of the whole matrix gives 24, too",
        Lu::new(3, triangle.to_vec()).log_abs_det().exp(),
        24.0,
        1e-12,
    );

    page.heading("A layer that looks back");
    page.prose(
        "Each variable is scaled and shifted by the one before it: xᵢ = zᵢ·exp(tanh zᵢ₋₁) + sin zᵢ₋₁, with 0 \
         for z₀. Recorded for three variables; (0, z[1‥2]) is the vector of the preceding variables:",
    );
    page.formula(formulas(&record(&Neighbours::declared(3))?));
    page.prose(
        "Each xᵢ depends on zᵢ and on variables before it, on none after it: the Jacobian is lower \
         triangular. The determinant of a triangle is the product of its diagonal. The tape proves the \
         triangle by following dependences, once, for all inputs; then one sweep along the diagonal gives \
         all d entries.",
    );
    let report = audit(&Neighbours::declared(6))?;
    page.audit(&report);

    page.heading("Measured");
    let (mut rows, mut diagonal, mut dense) = (Vec::new(), Vec::new(), Vec::new());
    let mut worst: f64 = 0.0;
    for d in [2usize, 8, 32, 128, 256, 512, 1024] {
        let (fast, a) = by_diagonal(d)?;
        let (slow, b) = by_lu(d)?;
        worst = worst.max((a - b).abs() / b.abs().max(1.0));
        diagonal.push((d as f64, fast));
        dense.push((d as f64, slow));
        rows.push(vec![
            d.to_string(),
            format!("{:.1}", fast * 1e6),
            format!("{:.1}", slow * 1e6),
            format!("{:.0}", slow / fast),
        ]);
    }
    page.measured_table(&["d", "diagonal, µs", "tangents and LU, µs", "ratio"], rows);
    page.check_close(
        "both routes give the same log-determinant (largest relative difference)",
        worst,
        0.0,
        1e-10,
    );
    let mut finite = true;
    for d in [10_000usize, 100_000, 1_000_000] {
        let (fast, value) = by_diagonal(d)?;
        diagonal.push((d as f64, fast));
        page.measured(format!("diagonal, d = {d}"), fast * 1e3, "ms");
        finite &= value.is_finite();
    }
    page.check_that(
        "a sum of a million logarithms neither overflows nor underflows",
        finite,
        "it is not finite",
    );
    let (flat, _) = fit_slope(&diagonal[diagonal.len() - 4..]);
    let (steep, _) = fit_slope(&dense[dense.len() - 3..]);
    page.measured("time of the diagonal grows like d to the", flat, "");
    page.measured("time of tangents and LU grows like d to the", steep, "");
    page.measured_picture(
        "times",
        Picture::new(
            "Time for one log-determinant",
            "Two straight lines in a log-log plot: the diagonal rises with slope 1, tangents and LU with slope near 3.",
        )
        .axes("d", "seconds")
        .log_log()
        .line("diagonal of a proven triangle", diagonal)
        .line("all tangents and LU", dense),
    );
    page.prose(
        "These two numbers are measured, so they differ from machine to machine and a little from run to \
         run. The first should be near 1, the second below 3: at these sizes a good part of the time still \
         goes into the d² entries, and an elimination becomes more efficient as its blocks grow. For large d \
         the exponent tends to 3.",
    );
    page.note(
        "The dense route is well optimised: the tangents run side by side over one recorded program, and the \
         elimination is blocked. It is correct, too. But it grows with d³, and a training step needs one \
         determinant per sample.",
    );

    page.heading("Declared, so proven");
    page.prose(
        "A layer declares a structure, and the tape proves it. Here a layer declares lower triangular, \
         although its first output depends on the last input:",
    );
    let Err(error) = record(&Sideways) else { return Err("a false declaration was believed".into()) };
    page.listing(error.to_string());
    page.prose(
        "Messages use indices from 0, as in code: x[0] in a message is x₁ in a formula, and z[2] is z₃.",
    );
    let report = audit(&Sideways)?;
    page.prose(
        "A path alone is no counterexample (z₁ + z₂ - z₂ has one). The audit goes on to find a point:",
    );
    page.report(&report);
    page.check_that(
        "the false declaration is refuted, with a path and with a point",
        report.refuted().any(|claim| claim.evidence.detail().contains("→")),
        "the audit did not refute it",
    );

    page.heading("In another order");
    page.prose("Triangular is a matter of order. This map has zeros above its diagonal and below it:");
    let shuffled = Shuffled { structure: Structure::LowerTriangular };
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(3));
    page.formula(equation("x", shuffled.forward(z), &[(z, "z")]));
    page.prose(
        "x₃ comes first, since it needs z₃ alone; then x₁, then x₂. An order names them, by their indices in code. The audit \
         of the layer, declared lower triangular, finds it and prints the declaration to paste:",
    );
    let advice = audit(&shuffled)?.advice.join("\n");
    page.listing(advice.replace("; declare that: ", ";\ndeclare that:\n    "));
    let order = Order::of([2, 0, 1]);
    let ordered = Shuffled { structure: Structure::Triangular { order: order.clone() } };
    page.check_that("that is the order (z[2], z[0], z[1])", advice.contains("Order::of([2, 0, 1])"), advice);
    let claim = audit(&ordered)?.claim(Topic::Structure).cloned().ok_or("a structure is declared")?;
    let proven = claim.evidence.label();
    page.check(claim.statement, claim.evidence);
    page.check_that("declared so, it is proven", proven == "proven", proven);
    page.prose(
        "The determinant is the product of the three slopes again. If x₁ needed z₃ and x₃ needed z₁ no order would do: neither \
         could come first. Then the two are a block, with a determinant of two rows.",
    );

    page.heading("In general");
    page.formula("ln|det J| = Σᵢ ln|Jᵢᵢ|     where J is triangular");
    page.prose(
        "That is d logarithms. Elimination takes about d³/3 multiplications, and needs all d² entries first.",
    );

    page.heading("What people get wrong");
    page.misconception(
        "\"Any invertible network would do.\" It would be right and useless: at d = 1000 the determinant alone costs \
         more than everything else together. Layers are made triangular so that the determinant costs d \
         logarithms, next to nothing.",
    );
    page.exercise(&judge::EXERCISE);
    page.read_on("Papamakarios et al. (2021), section 3.1; Dinh et al., \"NICE\" (2015), section 3.");
    page.next("08_first_flow: layers, a base, and real data.");
    Ok(())
}
