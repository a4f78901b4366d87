//! The cost of deriving: recording, the proof, the slices, ln|det J| and its simplification, by dimension.
//!
//! The layer is xᵢ = zᵢ·exp(tanh zᵢ₋₁) + sin zᵢ₋₁, recorded in vectors (a few nodes of d elements) and in scalars
//! (some nodes for each element). All times should be linear: the fitted exponents, from d = 1000 on, must be at most
//! 1.15. `vectors` and `scalars` are the total; two parts are timed separately: recording (which happens twice, to
//! check that `forward` is pure) and the proof. `layers` is a chain of d affine layers of two variables.

use pushforward::bijection::Bijection;
use pushforward::jacobian::{Structure, map, prove};
use pushforward::prelude::{Affine, Chain, Shape, Tape, record};
use pushforward_benches::bench::Bench;
use pushforward_benches::layers::{Neighbours, ScalarNeighbours};
use pushforward_benches::picture::{Plot, by_series};
use pushforward_benches::table::Layout;

const LINEAR_FROM: f64 = 1000.0;
const DERIVED: [&str; 2] = ["vectors", "scalars"];
const RECORDED: [&str; 2] = ["v. recording", "s. recording"];
const PROVEN: [&str; 2] = ["v. proof", "s. proof"];
const LAYERS: &str = "layers";

fn measure(bench: &mut Bench, which: usize, bijection: impl Bijection) {
    let d = bijection.dim();
    let (case, size, bijection) = (d.to_string(), d as f64, &bijection);
    bench.measure(DERIVED[which], &case, size, || move || record(bijection).expect("it is triangular"));
    bench.measure(RECORDED[which], &case, size, || {
        move || {
            let tape = Tape::new();
            let _ = bijection.forward(tape.input(Shape::Vector(d)));
            tape.len()
        }
    });
    bench.measure(PROVEN[which], &case, size, || {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(d));
        let map = map(&tape, z.id(), bijection.forward(z).id());
        move || prove(&tape, &map, &Structure::LowerTriangular).expect("it is triangular").is_some()
    });
}

fn main() {
    let mut bench = Bench::new("derive");
    for d in [2, 10, 100, 1000, 10_000, 100_000] {
        measure(&mut bench, 0, Neighbours(d));
        measure(&mut bench, 1, ScalarNeighbours(d));
        let chain = Chain::new((0..d).map(|_| Box::new(Affine::identity(2)) as Box<dyn Bijection>));
        let chain = &chain;
        bench.measure(LAYERS, &d.to_string(), d as f64, || move || record(chain).expect("it is diagonal"));
    }
    let exponents: Vec<(&str, f64)> =
        [DERIVED, PROVEN].into_iter().flatten().chain([LAYERS]).map(|series| (series, LINEAR_FROM)).collect();
    bench.report(
        &Layout {
            title: "Deriving ln|det J|: recording, proof, slices, simplification",
            cases: "d",
            baselines: &[],
            exponents: &exponents,
            size: "d",
            at_most: Some(1.15),
            notes: vec![
                "v., s.: recorded in vectors, in scalars; the columns without: everything".to_string(),
            ],
        },
        &Plot {
            title: "Deriving the log-determinant of d variables",
            alt: "Time against d: recording, proving and deriving rise in proportion to d.",
            size: "d",
            joined: true,
            curve: by_series,
            slopes: &exponents,
        },
    );
}
