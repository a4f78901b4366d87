//! ln|det J| of layers whose variables meet in few numbers: derived, by the formula of the books, and by the full Jacobian.
//!
//! Planar flows and Sylvester flows of four units. *By hand* is the formula of the papers, recorded and run by the same
//! executor; *dense* is the library's own program for all columns of J, and its LU. All on one thread, in f64.

use pushforward::prelude::*;
use pushforward::program::{Output, Program, Threads};
use pushforward_benches::bench::Bench;
use pushforward_benches::layers::{dense_log_det, log_det, point};
use pushforward_benches::picture::{Plot, by_series};
use pushforward_benches::table::Layout;

const DERIVED: &str = "derived";
const BY_HAND: &str = "by hand";
const DENSE: &str = "dense";
const UNITS: usize = 4;
const LINEAR_FROM: f64 = 1000.0;

fn planar(d: usize) -> Planar {
    Planar::new(d).unconstrained()
}

/// Q of disjoint columns: every fourth variable belongs to one unit.
fn columns(d: usize) -> Vec<f64> {
    let entry = |e: usize| {
        let (row, column) = (e / UNITS, e % UNITS);
        let count = (d + UNITS - 1 - column) / UNITS;
        if row % UNITS == column { (count as f64).sqrt().recip() } else { 0.0 }
    };
    (0..d * UNITS).map(entry).collect()
}

fn sylvester(d: usize) -> Sylvester {
    Sylvester::new(d, columns(d)).unconstrained()
}

/// ln|1 + h′(wᵀz + b)·wᵀu|
fn planar_by_hand<'t>(z: Var<'t>) -> Var<'t> {
    let (tape, d) = (z.tape(), z.len());
    let w = tape.parameter("w", Shape::Vector(d), Init::Values(vec![(d as f64).sqrt().recip(); d]));
    let u = tape.parameter("u", Shape::Vector(d), Init::Constant(0.0));
    let b = tape.parameter("b", Shape::Scalar, Init::Constant(0.0));
    (1.0 + (w.dot(z) + b).sech_squared() * w.dot(u)).abs().ln()
}

/// ln|det(1 + diag(h′)·R̃·QᵀQ·R)|
fn sylvester_by_hand<'t>(z: Var<'t>) -> Var<'t> {
    let (tape, d) = (z.tape(), z.len());
    let q = tape.matrix(d, UNITS, &columns(d));
    let shape = Shape::Matrix(UNITS, UNITS);
    let upper = tape.mask(UNITS, UNITS, |i, j| j >= i);
    let [r, other] = ["r", "r_tilde"].map(|name| tape.parameter(name, shape, Init::Constant(0.0)) * upper);
    let b = tape.parameter("b", Shape::Vector(UNITS), Init::Constant(0.0));
    let slope = (other.matvec(q.transpose().matvec(z)) + b).sech_squared();
    let ones = tape.constant(1.0).broadcast(Shape::Vector(UNITS));
    let product = other.matmul(q.transpose().matmul(q)).matmul(r);
    (tape.identity(UNITS) + slope.outer(ones) * product).log_abs_det()
}

/// Prepares a recorded formula at one point.
fn formula(d: usize, record: impl for<'t> Fn(Var<'t>) -> Var<'t>) -> impl FnMut() -> f64 {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(d));
    let output = Output::Each(record(z).id());
    let mut program = Program::<f64>::compile(&tape, &[z.id()], &[output]);
    program.load(&Parameters::initialise(&tape, 1)).expect("its own parameters");
    let (z, mut results) = (point(d), vec![Vec::new()]);
    move || {
        program.run_into(&[&z], 1, &mut results).expect("one row");
        results[0][0]
    }
}

fn main() {
    for d in [5, 40] {
        let both = [log_det(&planar(d))(), formula(d, planar_by_hand)()];
        assert!((both[0] - both[1]).abs() < 1e-12, "{both:?}");
        let both = [log_det(&sylvester(d))(), formula(d, sylvester_by_hand)()];
        assert!((both[0] - both[1]).abs() < 1e-12, "{both:?}");
    }
    let mut bench = Bench::new("low_rank");
    for d in [512, 1000, 10_000, 100_000, 1_000_000] {
        let size = d as f64;
        for (name, layer) in
            [("planar", Box::new(planar(d)) as Box<dyn Bijection>), ("sylvester", Box::new(sylvester(d)))]
        {
            let case = format!("{name} {d}");
            let series = |what: &str| format!("{name}, {what}");
            bench.measure(&series(DERIVED), &case, size, || log_det(&layer));
            match name {
                "planar" => bench.measure(&series(BY_HAND), &case, size, || formula(d, planar_by_hand)),
                _ => bench.measure(&series(BY_HAND), &case, size, || formula(d, sylvester_by_hand)),
            }
            if d == 512 {
                bench.measure(&series(DENSE), &case, size, || dense_log_det(&layer, Threads::One));
            }
        }
    }
    let exponents = [("planar, derived", LINEAR_FROM), ("sylvester, derived", LINEAR_FROM)];
    bench.report(
        &Layout {
            title: "ln|det J| of one sample, by few elements held fixed",
            cases: "layer and d",
            baselines: &[
                ("planar, derived", "planar, by hand"),
                ("planar, dense", "planar, derived"),
                ("sylvester, derived", "sylvester, by hand"),
                ("sylvester, dense", "sylvester, derived"),
            ],
            exponents: &exponents,
            size: "d",
            at_most: None,
            notes: vec!["dense: all columns, then this project's blocked LU; one thread, f64".to_string()],
        },
        &Plot {
            title: "The log-determinant of a diagonal and few directions",
            alt: "Time against d: the derived route and the formula by hand rise in proportion to d.",
            size: "d",
            joined: true,
            curve: by_series,
            slopes: &exponents,
        },
    );
}
