//! ln|det J|: the diagonal of a proven triangle against all tangents and an LU.
//!
//! The dense side is no straw man: one recorded program runs all d columns side by side, and the elimination is
//! blocked; its own share is timed as `elimination`. Exponents and ratios come out at the end.

use std::time::Instant;

use criterion::{BenchmarkId, Criterion, Throughput};
use pushforward::jacobian::map;
use pushforward::lesson::fit_slope;
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::{Lu, tangent};

/// xᵢ = zᵢ·exp(tanh zᵢ₋₁) + sin zᵢ₋₁
struct Neighbours(usize);

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

fn point(d: usize) -> Vec<f64> {
    (0..d).map(|i| (1.0 + 0.7 * i as f64).sin()).collect()
}

/// The declared route, ready to run.
fn declared(d: usize) -> impl FnMut() -> f64 {
    let recording = record(&Neighbours(d)).expect("it is triangular");
    let outputs = [Output::Each(recording.log_det().id())];
    let mut program = Program::<f64>::compile(recording.tape(), &[recording.input().id()], &outputs);
    program.load(&Parameters::default()).expect("no parameters");
    let z = point(d);
    move || program.run(&[&z], 1).expect("one row")[0][0]
}

/// J, row by row of its transpose, ready to run.
fn columns(d: usize) -> impl FnMut() -> Vec<f64> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(d));
    let x = Neighbours(d).forward(z);
    let direction = tape.input(Shape::Vector(d));
    let column = tangent(&tape, &map(&tape, z.id(), x.id()), &[(z.id(), direction)])[0].expect("it moves");
    let outputs = [Output::Each(column.id())];
    let mut program = Program::<f64>::compile(&tape, &[z.id(), direction.id()], &outputs);
    program.load(&Parameters::default()).expect("no parameters");
    let rows: Vec<f64> = (0..d).flat_map(|_| point(d)).collect();
    let units: Vec<f64> = (0..d * d).map(|e| if e / d == e % d { 1.0 } else { 0.0 }).collect();
    move || program.run(&[&rows, &units], d).expect("d rows").swap_remove(0)
}

/// The shortest of several runs, in seconds.
fn shortest<T>(mut run: impl FnMut() -> T) -> f64 {
    let begin = Instant::now();
    let mut best = f64::INFINITY;
    while begin.elapsed().as_secs_f64() < 0.3 {
        let start = Instant::now();
        std::hint::black_box(run());
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("log_det");
    group.sample_size(10);
    for d in [2, 16, 128, 512, 1024, 10_000, 100_000, 1_000_000] {
        group.throughput(Throughput::Elements(d as u64));
        let mut run = declared(d);
        group.bench_function(BenchmarkId::new("declared triangular", d), |b| b.iter(&mut run));
    }
    for d in [2, 16, 128, 512, 1024] {
        let mut jacobian = columns(d);
        let matrix = jacobian();
        group.bench_function(BenchmarkId::new("dense", d), |b| {
            b.iter(|| Lu::new(d, jacobian()).log_abs_det());
        });
        group.bench_function(BenchmarkId::new("elimination", d), |b| {
            b.iter(|| Lu::new(d, matrix.clone()).log_abs_det());
        });
    }
    group.finish();

    println!("\n{:>9} {:>14} {:>14} {:>14} {:>10}", "d", "declared", "dense", "elimination", "dense/decl");
    let (mut fast, mut slow) = (Vec::new(), Vec::new());
    for d in [2, 16, 128, 256, 512, 1024] {
        let mut jacobian = columns(d);
        let matrix = jacobian();
        let triangle = shortest(declared(d));
        let dense = shortest(|| Lu::new(d, jacobian()).log_abs_det());
        let elimination = shortest(|| Lu::new(d, matrix.clone()).log_abs_det());
        slow.push((d as f64, dense));
        let micro = |seconds: f64| format!("{:.1} µs", seconds * 1e6);
        let ratio = dense / triangle;
        println!(
            "{d:>9} {:>14} {:>14} {:>14} {ratio:>10.0}",
            micro(triangle),
            micro(dense),
            micro(elimination)
        );
    }
    for d in [1000, 10_000, 100_000, 1_000_000] {
        let triangle = shortest(declared(d));
        fast.push((d as f64, triangle));
        println!("{d:>9} {:>14}", format!("{:.1} µs", triangle * 1e6));
    }
    println!("declared: time ~ d^{:.2} from 10³ to 10⁶", fit_slope(&fast).0);
    println!("dense:    time ~ d^{:.2} from 256 to 1024", fit_slope(&slow[slow.len() - 3..]).0);
}
