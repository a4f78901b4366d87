//! Bijections whose Jacobians are known.

use pushforward::jacobian::map;
use pushforward::numeric::Lu;
use pushforward::prelude::*;
use pushforward::program::{Output, Program, Threads};
use pushforward::sweep::tangent;

/// xᵢ = zᵢ·exp(tanh zᵢ₋₁) + sin zᵢ₋₁, with z₋₁ = 0; recorded in vectors.
pub struct Neighbours(pub usize);

impl Bijection for Neighbours {
    fn dim(&self) -> usize {
        self.0
    }

    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let before = concat([z.tape().vector(&[0.0]), z.slice(0..self.0 - 1)]);
        z * before.tanh().exp() + before.sin()
    }
}

/// As the layer above, recorded one scalar at a time.
pub struct ScalarNeighbours(pub usize);

impl Bijection for ScalarNeighbours {
    fn dim(&self) -> usize {
        self.0
    }

    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let moved = (1..self.0).map(|i| z.at(i) * z.at(i - 1).tanh().exp() + z.at(i - 1).sin());
        stack([z.at(0)].into_iter().chain(moved))
    }
}

/// x = z·exp(tanh(L z)) + L z with L strictly lower triangular: a masked autoregressive layer without hidden units.
pub struct MaskedLayer {
    pub d: usize,
    /// The structure that it declares: lower triangular, which is true, or none.
    pub declared: bool,
}

impl Bijection for MaskedLayer {
    fn dim(&self) -> usize {
        self.d
    }

    fn structure(&self) -> Structure {
        if self.declared { Structure::LowerTriangular } else { Structure::Dense }
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (d, tape) = (self.d, z.tape());
        let mask: Vec<f64> = (0..d * d).map(|e| f64::from(u8::from(e % d < e / d))).collect();
        let weight = tape.parameter("weight", Shape::Matrix(d, d), Init::glorot(d, d));
        let sums = (weight * tape.matrix(d, d, &mask)).matvec(z);
        z * sums.tanh().exp() + sums
    }
}

/// Returns a deterministic generic point.
pub fn point(d: usize) -> Vec<f64> {
    (0..d).map(|i| (1.0 + 0.7 * i as f64).sin()).collect()
}

/// Prepares ln|det J| at one point by the declared structure, in f64.
pub fn log_det(bijection: &dyn Bijection) -> impl FnMut() -> f64 + use<> {
    let recording = record(bijection).expect("what it declares is true");
    let outputs = [Output::Each(recording.log_det().id())];
    let mut program = Program::<f64>::compile(recording.tape(), &[recording.input().id()], &outputs);
    program.load(&Parameters::initialise(recording.tape(), 1)).expect("its own parameters");
    let (z, mut results) = (point(bijection.dim()), vec![Vec::new()]);
    move || {
        program.run_into(&[&z], 1, &mut results).expect("one row");
        results[0][0]
    }
}

/// Prepares Jᵀ row by row, every column of J a tangent and all of them side by side: z is loaded as a parameter, so
/// that what depends on it alone is computed once, and the directions are the batch.
pub fn columns(bijection: &dyn Bijection, threads: Threads) -> impl FnMut() -> Vec<f64> + use<> {
    let d = bijection.dim();
    let tape = Tape::new();
    let z = tape.parameter("the point", Shape::Vector(d), Init::Constant(0.0));
    let x = bijection.forward(z);
    let direction = tape.input(Shape::Vector(d));
    let column = tangent(&tape, &map(&tape, z.id(), x.id()), &[(z.id(), direction)])[0].expect("it moves");
    let outputs = [Output::Each(column.id())];
    let mut program = Program::<f64>::compile(&tape, &[direction.id()], &outputs);
    let mut parameters = Parameters::initialise(&tape, 1);
    parameters.set("the point", Shape::Vector(d), point(d)).expect("d numbers");
    program.set_threads(threads);
    let units: Vec<f64> = (0..d * d).map(|e| if e / d == e % d { 1.0 } else { 0.0 }).collect();
    move || {
        program.load(&parameters).expect("its own parameters");
        program.run(&[&units], d).expect("d rows").swap_remove(0)
    }
}

/// Prepares ln|det J| at one point by all columns and an LU.
pub fn dense_log_det(bijection: &dyn Bijection, threads: Threads) -> impl FnMut() -> f64 + use<> {
    let (d, mut columns) = (bijection.dim(), columns(bijection, threads));
    // The determinant of the transpose is equal.
    move || match threads {
        Threads::One => Lu::new(d, columns()).log_abs_det(),
        Threads::All => Lu::on_all_threads(d, columns()).log_abs_det(),
    }
}
