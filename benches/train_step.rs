//! A training step (loss, gradients, Adam) of three flows by dimension, width and batch, in f32 on all threads.
//!
//! RealNVP is the baseline of its row. RealNVP and the spline coupling have 8 layers, MAF has 5. The exponents are fitted
//! to multiplications, parameters times samples, from where they outweigh everything else.

use pushforward::program::Threads;
use pushforward_benches::bench::Bench;
use pushforward_benches::models::{Case, Model, Size, runner};
use pushforward_benches::picture::{Plot, by_series};
use pushforward_benches::table::Layout;

/// Multiplications from which on matrices take most of the time.
const LARGE: f64 = 1e8;

fn main() {
    let mut bench = Bench::new("train_step");
    for d in [2, 16, 64] {
        for hidden in [64, 128, 512] {
            for batch in [256, 4096] {
                for model in Model::ALL {
                    let size = Size { d, hidden, layers: model.layers(), batch };
                    let products = (model.weights(d, hidden, size.layers) * batch) as f64;
                    bench.measure(model.title(), &format!("{d:>2} {hidden:>4} {batch:>5}"), products, || {
                        runner::<f32>(model, Case::Train, size, Threads::All).run
                    });
                }
            }
        }
    }
    let [first, maf, spline] = Model::ALL.map(Model::title);
    let exponents = [(first, LARGE), (maf, LARGE), (spline, LARGE)];
    let notes = ["size: parameters × samples; f32, all threads; layers: RealNVP and RQ spline 8, MAF 5"];
    bench.report(
        &Layout {
            title: "A training step: loss, gradients, Adam",
            cases: " d hidden batch",
            baselines: &[(maf, first), (spline, first)],
            exponents: &exponents,
            size: "size",
            at_most: None,
            notes: notes.map(String::from).to_vec(),
        },
        &Plot {
            title: "A training step by its multiplications",
            alt: "Time against parameters times samples for RealNVP, MAF and spline coupling flows.",
            size: "parameters × samples",
            joined: false,
            curve: by_series,
            slopes: &exponents,
        },
    );
}
