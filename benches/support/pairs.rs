//! Two implementations in this project of one number, timed in turn in one process.

use std::hint::black_box;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use pushforward::bijection::forward_with_log_det;
use pushforward::prelude::*;
use pushforward::program::{Output, Program, Threads};
use serde_json::{Value, json};

use super::layers::{MaskedLayer, dense_log_det, log_det};
use super::network::{self, ByHand};

/// The two implementations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pair {
    /// ln|det J| of a coupling layer: derived, and hand-written as Σ s.
    DerivedLogDet,
    /// ln|det J| of a masked layer with d = 512: declared triangular, and the dense route.
    DeclaredLogDet,
    /// The gradient of a network recorded in scalars, and plain loops.
    ScalarNetwork,
    /// The gradient of a network recorded in tensors, and plain loops.
    TensorNetwork,
}

/// The pair to be timed, and for how long.
#[derive(Clone, Debug, Parser)]
pub struct Arguments {
    #[arg(long, value_enum)]
    pub pair: Pair,
    #[arg(long, default_value_t = 3.0)]
    pub seconds: f64,
}

impl Pair {
    /// The name as an option.
    pub fn word(self) -> &'static str {
        match self {
            Pair::DerivedLogDet => "derived-log-det",
            Pair::DeclaredLogDet => "declared-log-det",
            Pair::ScalarNetwork => "scalar-network",
            Pair::TensorNetwork => "tensor-network",
        }
    }

    /// The name of the baseline.
    pub fn baseline(self) -> &'static str {
        match self {
            Pair::DerivedLogDet => "Σ s by hand, the same executor",
            Pair::DeclaredLogDet => "our dense route",
            Pair::ScalarNetwork | Pair::TensorNetwork => "plain loops by hand",
        }
    }
}

/// Times both in turn; returns the line.
pub fn line(arguments: &Arguments) -> Value {
    let (ours, other) = match arguments.pair {
        Pair::DerivedLogDet => {
            let (mut derived, mut by_hand) = (coupling(true), coupling(false));
            in_turn(&mut *derived, &mut *by_hand, arguments.seconds)
        }
        Pair::DeclaredLogDet => {
            let layer = |declared: bool| MaskedLayer { d: 512, declared };
            let mut declared = log_det(&layer(true));
            let mut dense = dense_log_det(&layer(false), Threads::All);
            let (a, b) = (declared(), dense());
            assert!((a - b).abs() < 1e-8 * a.abs().max(1.0), "{a} is not {b}");
            in_turn(
                &mut || {
                    black_box(declared());
                },
                &mut || {
                    black_box(dense());
                },
                arguments.seconds,
            )
        }
        Pair::ScalarNetwork => network(network::record_scalars, arguments.seconds),
        Pair::TensorNetwork => network(network::record_tensors, arguments.seconds),
    };
    json!({ "peer": "pushforward", "pair": arguments.pair.word(), "median_s": ours, "baseline_s": other })
}

fn network(record: for<'t> fn(Var<'t>) -> Var<'t>, seconds: f64) -> (f64, f64) {
    let batch: Vec<f64> = (0..512).map(|k| (f64::from(k) * 0.7).sin()).collect();
    let mut program = network::program(record, true);
    program.set_threads(Threads::One);
    let mut results = program.run(&[&batch], 256).expect("whole rows");
    let mut by_hand = ByHand::new(network::weights());
    in_turn(
        &mut || {
            program.run_into(&[&batch], 256, &mut results).expect("whole rows");
            black_box(&results);
        },
        &mut || {
            black_box(by_hand.gradient(black_box(&batch)));
        },
        seconds,
    )
}

/// ln|det J| of an affine coupling layer, d = 64, hidden 64, 1024 samples in f32 on one thread.
fn coupling(derived: bool) -> Box<dyn FnMut()> {
    const D: usize = 64;
    const ROWS: usize = 1024;
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(D));
    let network = Network::new([64, 64]);
    let log_det = match derived {
        true => {
            let layer =
                AffineCoupling::new(CouplingMask::first_half(D), network).with_log_scale(ScaleMap::Tanh);
            forward_with_log_det(&layer, z).expect("a layer").log_det
        }
        false => network.apply(z.slice(0..D / 2), D).slice(0..D / 2).tanh().sum(),
    };
    let mut program = Program::<f32>::compile(&tape, &[z.id()], &[Output::Each(log_det.id())]);
    program.load(&Parameters::initialise(&tape, 0)).expect("its own parameters");
    program.set_threads(Threads::One);
    let rows: Vec<f32> = (0..ROWS * D).map(|k| (k as f32 * 0.7).sin()).collect();
    let mut results = vec![Vec::new()];
    Box::new(move || {
        program.run_into(&[&rows], ROWS, &mut results).expect("whole rows");
        black_box(&results);
    })
}

/// Returns the median seconds of each: blocks of runs alternate, each block as many runs as take a millisecond.
fn in_turn<'a>(a: &'a mut dyn FnMut(), b: &'a mut dyn FnMut(), seconds: f64) -> (f64, f64) {
    let mut both = [a, b];
    let counts = both.each_mut().map(|run| {
        run();
        let start = Instant::now();
        run();
        (1e-3 / start.elapsed().as_secs_f64().max(1e-9)).ceil() as usize
    });
    let (mut times, begin) = ([Vec::new(), Vec::new()], Instant::now());
    while begin.elapsed().as_secs_f64() < seconds || times[0].len() < 5 {
        for ((run, count), times) in both.iter_mut().zip(counts).zip(&mut times) {
            let start = Instant::now();
            (0..count).for_each(|_| run());
            times.push(start.elapsed().as_secs_f64() / count as f64);
        }
    }
    let [a, b] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    (a, b)
}
