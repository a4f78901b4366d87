//! A training step (loss, gradients, Adam) of three flows by dimension, width and batch, in f32 on all threads.
//!
//! RealNVP is the baseline of its row. RealNVP and the spline coupling have 8 layers, MAF has 5. The exponents are fitted
//! to multiplications, parameters times samples, from where they outweigh everything else.

mod support;

use pushforward::program::Threads;
use support::bench::Bench;
use support::models::{Case, Model, Size, runner};
use support::picture::Plot;
use support::table::Layout;

/// Multiplications from which on matrices take most of the time.
const LARGE: f64 = 1e8;

/// Parameters, counted: what a step multiplies each sample with.
fn weights(model: Model, d: usize, hidden: usize) -> usize {
    let layers = model.layers();
    let (inputs, outputs) = match model {
        Model::Realnvp => (d / 2, 2 * (d / 2)),
        Model::Rqs => (d / 2, 23 * (d / 2)),
        Model::Maf => (d, 2 * d),
    };
    layers * ((inputs + 1) * hidden + (hidden + 1) * hidden + (hidden + 1) * outputs)
}

fn main() {
    let mut bench = Bench::new("train_step");
    for d in [2, 16, 64] {
        for hidden in [64, 128, 512] {
            for batch in [256, 4096] {
                for model in Model::ALL {
                    let size = Size { d, hidden, layers: model.layers(), batch };
                    let products = (weights(model, d, hidden) * batch) as f64;
                    bench.measure(model.title(), &format!("{d:>2} {hidden:>4} {batch:>5}"), products, || {
                        let prepared = runner::<f32>(model, Case::Train, size, Threads::All);
                        assert_eq!(prepared.weights, weights(model, d, hidden));
                        prepared.run
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
            notes: notes.map(String::from).to_vec(),
        },
        &Plot {
            title: "A training step by its multiplications",
            alt: "Time against parameters times samples for RealNVP, MAF and spline coupling flows.",
            size: "parameters × samples",
            joined: false,
            without: &[],
            slopes: &exponents,
        },
    );
}
