//! ln|det J|: the diagonal of a proven triangular Jacobian compared with the full Jacobian and an LU.
//!
//! The layer is xᵢ = zᵢ·exp(tanh zᵢ₋₁) + sin zᵢ₋₁. The dense side is well optimised: one recorded program runs all d
//! columns side by side, and the elimination is this project's blocked LU with partial pivoting ([`Lu`]), compared
//! with that of the `faer` crate on the same matrices. All on one thread, in f64.
//!
//! The last row is a masked autoregressive layer, x = z·exp(tanh(L z)) + L z with d = 512. *Undeclared* is the program
//! that the library itself compiles where no structure is declared: the Jacobian as a matrix of nodes, and its LU.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::lu::partial_pivoting::factor::{lu_in_place, lu_in_place_scratch};
use faer::{MatMut, Par};
use pushforward::numeric::Lu;
use pushforward::program::Threads;
use pushforward_benches::bench::Bench;
use pushforward_benches::layers::{MaskedLayer, Neighbours, columns, dense_log_det, log_det};
use pushforward_benches::picture::{Plot, by_series};
use pushforward_benches::table::Layout;

const DECLARED: &str = "declared";
const DENSE: &str = "dense";
const UNDECLARED: &str = "undeclared";
const OUR_LU: &str = "LU alone";
const THEIR_LU: &str = "faer's LU";
const CUBIC_FROM: f64 = 256.0;
const LINEAR_FROM: f64 = 1000.0;

/// ln|det A| by faer, in reused memory.
struct Faer {
    d: usize,
    factors: Vec<f64>,
    order: (Vec<usize>, Vec<usize>),
    space: MemBuffer,
}

impl Faer {
    fn new(d: usize) -> Faer {
        let space = lu_in_place_scratch::<usize, f64>(d, d, Par::Seq, Default::default());
        let (factors, order) = (vec![0.0; d * d], (vec![0; d], vec![0; d]));
        Faer { d, factors, order, space: MemBuffer::new(space) }
    }

    /// Column by column or row by row: the determinant is equal.
    fn log_abs_det(&mut self, matrix: &[f64]) -> f64 {
        let (d, stack) = (self.d, MemStack::new(&mut self.space));
        self.factors.copy_from_slice(matrix);
        let view = MatMut::from_column_major_slice_mut(&mut self.factors, d, d);
        lu_in_place(view, &mut self.order.0, &mut self.order.1, Par::Seq, stack, Default::default());
        (0..d).map(|k| self.factors[k * d + k].abs().ln()).sum()
    }
}

/// Checks that the three results agree.
fn check(d: usize) {
    let expected = log_det(&Neighbours(d))();
    let matrix = columns(&Neighbours(d), Threads::One)();
    let (ours, theirs) = (Lu::new(d, matrix.clone()).log_abs_det(), Faer::new(d).log_abs_det(&matrix));
    for found in [ours, theirs] {
        assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0), "{found} is not {expected}");
    }
}

fn neighbours(bench: &mut Bench, d: usize, dense: bool) {
    let (case, size) = (d.to_string(), d as f64);
    bench.measure(DECLARED, &case, size, || log_det(&Neighbours(d)));
    if !dense {
        return;
    }
    bench.measure(DENSE, &case, size, || dense_log_det(&Neighbours(d), Threads::One));
    bench.measure(OUR_LU, &case, size, || {
        let matrix = columns(&Neighbours(d), Threads::One)();
        move || Lu::new(d, matrix.clone()).log_abs_det()
    });
    bench.measure(THEIR_LU, &case, size, || {
        let (matrix, mut faer) = (columns(&Neighbours(d), Threads::One)(), Faer::new(d));
        move || faer.log_abs_det(&matrix)
    });
}

fn main() {
    check(100);
    let mut bench = Bench::new("log_det");
    for power in 1..=10 {
        neighbours(&mut bench, 1 << power, true);
    }
    for d in [10_000, 100_000, 1_000_000] {
        neighbours(&mut bench, d, false);
    }
    let masked = |declared: bool| MaskedLayer { d: 512, declared };
    bench.measure(DECLARED, "512 masked", f64::NAN, || log_det(&masked(true)));
    bench.measure(DENSE, "512 masked", f64::NAN, || dense_log_det(&masked(false), Threads::One));
    bench.measure(UNDECLARED, "512 masked", f64::NAN, || log_det(&masked(false)));

    let exponents =
        [(DECLARED, LINEAR_FROM), (DENSE, CUBIC_FROM), (OUR_LU, CUBIC_FROM), (THEIR_LU, CUBIC_FROM)];
    let notes = ["dense: all columns, then this project's blocked LU with partial pivoting; one thread, f64"];
    bench.report(
        &Layout {
            title: "ln|det J| of one sample",
            cases: "d",
            baselines: &[(DENSE, DECLARED), (UNDECLARED, DENSE), (OUR_LU, THEIR_LU)],
            exponents: &exponents,
            size: "d",
            at_most: None,
            notes: notes.map(String::from).to_vec(),
        },
        &Plot {
            title: "The log-determinant of d variables",
            alt: "Time against d: the declared route rises in proportion to d, the dense ones to its third power.",
            size: "d",
            joined: true,
            curve: by_series,
            slopes: &exponents,
        },
    );
}
