//! Recording, replaying and differentiating, each compared with the equivalent plain loops; in f64, on one thread.
//!
//! A chain of scalars, and a 2-64-64-2 network recorded in scalars and in tensors. The loops are in
//! `support/chain.rs` and `support/network.rs`, beside the recordings.

use std::hint::black_box;

use pushforward::prelude::*;
use pushforward::program::{Program, Threads};
use pushforward_benches::bench::{Bench, Measurement};
use pushforward_benches::chain;
use pushforward_benches::network::{self, ByHand};
use pushforward_benches::picture::Plot;
use pushforward_benches::table::Layout;

const BATCH: usize = 256;
const TAPE: &str = "tape";
const BY_HAND: &str = "by hand";

fn numbers(count: usize) -> Vec<f64> {
    (0..count).map(|k| (k as f64 * 0.7).sin()).collect()
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found} is not {expected}");
}

fn replay(mut program: Program<f64>, batch: Vec<f64>) -> impl FnMut() {
    program.set_threads(Threads::One);
    let mut results = vec![Vec::new(); program.run(&[&batch], BATCH).expect("whole rows").len()];
    move || {
        program.run_into(&[&batch], BATCH, &mut results).expect("whole rows");
        black_box(&results);
    }
}

/// Checks that both give the same numbers.
fn check() {
    let batch = numbers(BATCH);
    let found = chain::program(1000, true).run(&[&batch], BATCH).expect("whole rows");
    for (k, z) in batch.iter().enumerate() {
        let (value, slope) = chain::gradient(*z, 1000, &mut Vec::new());
        close(found[0][k], value);
        close(found[1][k], slope);
        close(chain::value(*z, 1000), value);
    }
    let batch = numbers(2 * BATCH);
    let mut by_hand = ByHand::new(network::weights());
    let loss = by_hand.gradient(&batch);
    close(by_hand.loss(&batch), loss);
    let expected: Vec<f64> = by_hand.gradients.concat();
    let recordings: [for<'t> fn(Var<'t>) -> Var<'t>; 2] = [network::record_scalars, network::record_tensors];
    for record in recordings {
        let results = network::program(record, true).run(&[&batch], BATCH).expect("whole rows");
        close(results[0][0], loss);
        let found = network::gradients(record, &results);
        assert_eq!(found.len(), expected.len());
        found.iter().zip(&expected).for_each(|(found, expected)| close(*found, *expected));
    }
}

fn chains(bench: &mut Bench, length: usize) {
    let title = format!("chain of 10^{}", length.ilog10());
    let size = length as f64;
    bench.measure(TAPE, &format!("{title}: recording"), size, || {
        move || {
            let tape = Tape::new();
            let _ = chain::record(tape.input(Shape::Scalar), length);
            tape.len()
        }
    });
    let value = format!("{title}: value");
    bench.measure(TAPE, &value, size, || replay(chain::program(length, false), numbers(BATCH)));
    bench.measure(BY_HAND, &value, size, || {
        let batch = numbers(BATCH);
        move || batch.iter().map(|z| chain::value(black_box(*z), length)).sum::<f64>()
    });
    let gradient = format!("{title}: gradient");
    bench.measure(TAPE, &gradient, size, || replay(chain::program(length, true), numbers(BATCH)));
    bench.measure(BY_HAND, &gradient, size, || {
        let (batch, mut kept) = (numbers(BATCH), Vec::new());
        move || batch.iter().map(|z| chain::gradient(black_box(*z), length, &mut kept).1).sum::<f64>()
    });
}

fn networks(bench: &mut Bench, title: &str, record: for<'t> fn(Var<'t>) -> Var<'t>) {
    let size = f64::NAN;
    bench.measure(TAPE, &format!("{title}: recording"), size, || {
        move || {
            let tape = Tape::new();
            let _ = record(tape.input(Shape::Vector(2)));
            tape.len()
        }
    });
    let value = format!("{title}: loss");
    bench.measure(TAPE, &value, size, || replay(network::program(record, false), numbers(2 * BATCH)));
    bench.measure(BY_HAND, &value, size, || {
        let (batch, by_hand) = (numbers(2 * BATCH), ByHand::new(network::weights()));
        move || by_hand.loss(black_box(&batch))
    });
    let gradient = format!("{title}: gradient");
    bench.measure(TAPE, &gradient, size, || replay(network::program(record, true), numbers(2 * BATCH)));
    bench.measure(BY_HAND, &gradient, size, || {
        let (batch, mut by_hand) = (numbers(2 * BATCH), ByHand::new(network::weights()));
        move || by_hand.gradient(black_box(&batch))
    });
}

/// What is done with the chain, and how.
fn curve(measurement: &Measurement) -> Option<String> {
    let (_, what) = measurement.case.split_once(": ")?;
    Some(if what == "recording" { what.to_string() } else { format!("{what}, {}", measurement.series) })
}

fn main() {
    check();
    let mut bench = Bench::new("tape");
    for length in [1000, 10_000, 100_000] {
        chains(&mut bench, length);
    }
    networks(&mut bench, "network of scalars", network::record_scalars);
    networks(&mut bench, "network of tensors", network::record_tensors);
    let notes =
        ["256 samples each, f64, one thread; by hand: plain loops, with the standard library's functions"];
    bench.report(
        &Layout {
            title: "A tape, replayed, and the same in plain loops",
            cases: "",
            baselines: &[(TAPE, BY_HAND)],
            exponents: &[],
            size: "operations",
            at_most: None,
            notes: notes.map(String::from).to_vec(),
        },
        &Plot {
            title: "A chain of scalars by its length",
            alt: "Time against the length of a chain, of replayed tapes and of plain loops over 256 samples.",
            size: "operations",
            joined: true,
            curve,
            slopes: &[],
        },
    );
}
