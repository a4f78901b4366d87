//! Lesson 3: in several dimensions the determinant measures volume.

use pushforward::prelude::*;
use pushforward_course::{Lesson, Page, Picture, equation, formulas, values};

#[path = "judges/03_jacobian_and_volume.rs"]
pub mod judge;

/// x = A z with a fixed 2×2 matrix.
struct Matrix {
    name: &'static str,
    rows: [[f64; 2]; 2],
}

impl Bijection for Matrix {
    fn dim(&self) -> usize {
        2
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().matrix(2, 2, self.rows.as_flattened()).matvec(z)
    }
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        Some(x.tape().matrix(2, 2, self.rows.as_flattened()).inverse().matvec(x))
    }
    fn name(&self) -> String {
        self.name.to_string()
    }
}

/// x₁ = z₁ + z₂²/2,  x₂ = z₂·exp(z₁/2)
struct Curved;

impl Bijection for Curved {
    fn dim(&self) -> usize {
        2
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z1, z2) = (z.at(0), z.at(1));
        stack([z1 + 0.5 * z2.powi(2), z2 * (0.5 * z1).exp()])
    }
}

/// The images of points under a map.
fn images(layer: &dyn Bijection, rows: &[f64]) -> Result<Vec<(f64, f64)>, BijectionError> {
    let recording = record(layer)?;
    let x = values(recording.tape(), recording.input(), &[recording.output()], rows).swap_remove(0);
    Ok(x.chunks(2).map(|pair| (pair[0], pair[1])).collect())
}

/// The derived determinant's size at a point.
fn volume(layer: &dyn Bijection, z: [f64; 2]) -> Result<f64, BijectionError> {
    let recording = record(layer)?;
    Ok(values(recording.tape(), recording.input(), &[recording.log_det()], &z)[0][0].exp())
}

/// The area inside a closed polygon, by the shoelace formula.
fn area(corners: &[(f64, f64)]) -> f64 {
    let next = corners.iter().cycle().skip(1);
    0.5 * corners.iter().zip(next).map(|(a, b)| a.0 * b.1 - b.0 * a.1).sum::<f64>().abs()
}

/// Grid lines of the square [0, 1]², mapped.
fn grid(layer: &dyn Bijection) -> Result<Vec<Vec<(f64, f64)>>, BijectionError> {
    let mut lines = Vec::new();
    for k in 0..=8 {
        let fixed = f64::from(k) / 8.0;
        let along = |across: bool| -> Vec<f64> {
            (0..=24)
                .flat_map(|j| {
                    let moving = f64::from(j) / 24.0;
                    if across { [moving, fixed] } else { [fixed, moving] }
                })
                .collect()
        };
        lines.push(images(layer, &along(true))?);
        lines.push(images(layer, &along(false))?);
    }
    Ok(lines)
}

/// The lesson: run on its own, from the front page, or into the book.
pub const LESSON: Lesson = Lesson {
    number: 3,
    slug: "03_jacobian_and_volume",
    title: "The Jacobian and volume",
    about: "the determinant measures volume",
    exercise: &judge::EXERCISE,
    seconds: 1.0,
    trained: &[],
    needs: &[2],
    tell,
};

fn tell(page: &mut Page) -> Result<(), Box<dyn std::error::Error>> {
    page.question(
        "In one dimension, the density is divided by the factor by which f stretches lengths. What \
                   replaces length in two dimensions?",
    );
    page.predict(
        "z is uniform on the unit square. x₁ = 2z₁ and x₂ = z₂. What is the density of x, and where is it not 0?",
    );

    page.heading("By hand");
    page.prose(
        "With two variables there are four derivatives. J, the Jacobian, is the table of them, [a, b; c, d] with a semicolon \
         between the rows: a = ∂x₁/∂z₁, b = ∂x₁/∂z₂, c = ∂x₂/∂z₁, d = ∂x₂/∂z₂. Its determinant is det J = ad - bc. Here \
         J = [2, 0; 0, 1], so det J = 2·1 - 0·0 = 2: the square becomes a rectangle of area 2.",
    );

    page.heading("A square, twice as wide");
    let wide = Matrix { name: "wide", rows: [[2.0, 0.0], [0.0, 1.0]] };
    let recording = record(&wide)?;
    page.formula(equation("x", recording.output(), &[(recording.input(), "z")]));
    let det = volume(&wide, [0.3, 0.6])?;
    page.number("|det J|", det, "");
    page.number("ln|det J| = ln 2", det.ln(), "");
    page.check_close("|det J| = 2", det, 2.0, 1e-12);
    let flow = Flow::new(Uniform::new(2), [Box::new(wide) as Box<dyn Bijection>])?;
    let start = flow.initial(0);
    let density = flow.with(start)?;
    let at = density.log_prob(&[1.5, 0.5, 2.5, 0.5])?;
    page.check_close("p(x) = 1/2 at x = (1.5, 0.5)", at[0].exp(), 0.5, 1e-12);
    page.check_that("p(x) = 0 at x = (2.5, 0.5), outside of the image", at[1] == f64::NEG_INFINITY, "");
    let n = 60;
    let rows: Vec<f64> = (0..n * n)
        .flat_map(|k| [3.0 * ((k % n) as f64 + 0.5) / n as f64, 1.5 * ((k / n) as f64 + 0.5) / n as f64])
        .collect();
    let p: Vec<f64> = density.log_prob(&rows)?.into_iter().map(f64::exp).collect();
    let mass: f64 = p.iter().sum::<f64>() * (3.0 / n as f64) * (1.5 / n as f64);
    page.check_close("the integral of p over [0, 3] × [0, 1.5] is 1", mass, 1.0, 1e-12);
    page.prose(
        "The image has area 2, the probability in it is 1: the density is 1/2. Dividing by the area is what keeps \
         the total at 1.",
    );

    page.heading("Shear and rotation");
    page.predict("A shear makes the square into a slanted parallelogram. Does the density rise or fall?");
    page.prose(
        "The shear is x₁ = z₁ + 0.8·z₂, x₂ = z₂, so det J = 1·1 - 0.8·0 = 1. The rotation is x₁ = 0.8·z₁ - 0.6·z₂, x₂ = \
         0.6·z₁ + 0.8·z₂, so det J = 0.8·0.8 + 0.6·0.6 = 1.",
    );
    let shear = Matrix { name: "shear", rows: [[1.0, 0.8], [0.0, 1.0]] };
    let turn = Matrix { name: "rotation", rows: [[0.8, -0.6], [0.6, 0.8]] };
    let wide = Matrix { name: "wide", rows: [[2.0, 0.0], [0.0, 1.0]] };
    let square = [0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0];
    let mut rows = Vec::new();
    for layer in [&wide, &shear, &turn] {
        let measured = area(&images(layer, &square)?);
        let derived = volume(layer, [0.3, 0.6])?;
        rows.push(vec![layer.name(), format!("{derived:.6}"), format!("{measured:.6}")]);
        page.check_close(
            format!("{}: the image of the square has area |det J|", layer.name()),
            measured,
            derived,
            1e-12,
        );
    }
    page.table(&["map", "|det J| derived", "area of the image, by its corners"], rows);
    page.prose(
        "A shear and a rotation move points but change no area, so the density keeps its values. In each \
         picture the unit square (a) and its image (b):",
    );
    let corners = vec![vec![(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)]];
    for (name, what, layer) in [
        ("wide", "a rectangle twice as wide", &wide),
        ("sheared", "a slanted parallelogram", &shear),
        ("turned", "a turned square", &turn),
    ] {
        page.picture(
            name,
            Picture::new(format!("The unit square, {name}"), format!("A square, and {what}."))
                .axes("x₁", "x₂")
                .equal_aspect()
                .grid("the square", corners.clone())
                .grid("its image", grid(layer)?),
        );
    }

    page.heading("A curved map, locally");
    page.formula(formulas(&record(&Curved)?));
    page.prose(
        "The stretching differs from point to point. Near one z, however, a small square becomes nearly a \
         parallelogram, the one spanned by the columns of J. The ratio of the areas goes to |det J|:",
    );
    let (at, mut rows, mut ratios) = ([0.4, 0.7], Vec::new(), Vec::new());
    let derived = volume(&Curved, at)?;
    for h in [0.4, 0.1, 0.025, 0.00625] {
        let corner = |a: f64, b: f64| [at[0] + h * (a - 0.5), at[1] + h * (b - 0.5)];
        let corners = [corner(0.0, 0.0), corner(1.0, 0.0), corner(1.0, 1.0), corner(0.0, 1.0)];
        let ratio = area(&images(&Curved, corners.as_flattened())?) / (h * h);
        ratios.push(ratio);
        rows.push(vec![format!("{h}"), format!("{ratio:.8}"), format!("{:.1e}", (ratio - derived).abs())]);
    }
    page.table(&["side of the square", "area of the image / area", "distance to |det J|"], rows);
    page.number("|det J| at z = (0.4, 0.7), derived", derived, "");
    page.check_close("the smallest square agrees", ratios[3], derived, 1e-4);
    let (start, growth) = (images(&Curved, &at)?[0], (0.5 * at[0]).exp());
    let columns = [(1.0, 0.5 * at[1] * growth), (at[1], growth)];
    let columns = columns.map(|(a, b)| vec![start, (start.0 + 0.25 * a, start.1 + 0.25 * b)]).to_vec();
    page.picture(
        "curved",
        Picture::new(
            "The unit square through a curved map",
            "A grid of the unit square, bent and widening, and at one point two arrows along its lines.",
        )
        .axes("x₁", "x₂")
        .equal_aspect()
        .grid("image", grid(&Curved)?)
        .grid("columns of J at z = (0.4, 0.7)", columns),
    );
    page.prose(
        "The two columns, drawn at a quarter of their length from the image of z, run along the lines of the grid there. \
         They span the parallelogram that a small square at z becomes, and |det J| is its area over that of the square.",
    );

    page.heading("In general");
    page.formula("p(x) = p(z) / |det J(z)|     with z = f⁻¹(x) and J[i][j] = ∂xᵢ/∂zⱼ");
    page.heading("What people get wrong");
    page.misconception(
        "\"The determinant is a formula to memorise.\" It is the factor by which f changes volume near z, and \
         dividing by it is what keeps the total probability at 1.",
    );
    page.exercise(&judge::EXERCISE);
    page.read_on("Papamakarios et al. (2021), section 2.1, equation 3.");
    page.next("04_absolute_value: what if the determinant is negative?");
    Ok(())
}
