//! One case, timed: the models of the peers' scripts, one JSON line with the same keys.
//!
//! `cargo bench --bench case -- --model realnvp|maf|rqs --case train|log_prob|sample --d D --hidden H --layers L
//! --batch B --threads T --dtype f32|f64 --seconds S`

use std::time::Instant;

use clap::{Parser, ValueEnum};
use pushforward::bijection::{pull_back_with_log_det, push_forward};
use pushforward::flow::Trainer;
use pushforward::prelude::*;
use pushforward::program::{Element, Output, Program, Threads};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Model {
    Realnvp,
    Maf,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Case {
    Train,
    LogProb,
    Sample,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Dtype {
    F32,
    F64,
}

#[derive(Parser)]
struct Arguments {
    #[arg(long, value_enum, default_value = "realnvp")]
    model: Model,
    #[arg(long, value_enum, default_value = "train")]
    case: Case,
    #[arg(long, default_value_t = 2)]
    d: usize,
    #[arg(long, default_value_t = 64)]
    hidden: usize,
    #[arg(long, default_value_t = 8)]
    layers: usize,
    #[arg(long, default_value_t = 256)]
    batch: usize,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    #[arg(long, value_enum, default_value = "f32")]
    dtype: Dtype,
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Prints where the time goes, by operation, to the standard error.
    #[arg(long)]
    profile: bool,
    /// What cargo hands to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The flow that the peers' scripts build: conditioners of two hidden tanh layers; s = tanh(raw), halves alternating;
/// or MADE masks with a reversal between layers.
fn flow(arguments: &Arguments) -> Flow {
    let Arguments { d, hidden, layers, .. } = *arguments;
    let mut list: Vec<Box<dyn Bijection>> = Vec::new();
    for k in 0..layers {
        match arguments.model {
            Model::Realnvp => {
                let halves = if k % 2 == 0 { Halves::first(d) } else { Halves::second(d) };
                let layer = AffineCoupling::new(halves, Network::new([hidden, hidden]));
                list.push(Box::new(layer.with_log_scale(LogScale::Tanh)));
            }
            Model::Maf => {
                list.push(Box::new(Autoregressive::maf(MaskedNetwork::new(d, [hidden, hidden]))));
                if k + 1 < layers {
                    list.push(Box::new(Permutation::reverse(d)));
                }
            }
        }
    }
    Flow::new(StandardNormal::new(d), list).expect("a flow")
}

fn normal<F: Element>(random: &mut ChaCha8Rng, count: usize) -> Vec<F> {
    let mut uniform = || 1.0 - random.random::<f64>();
    let draw = |_| F::of((-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos());
    (0..count).map(draw).collect()
}

/// Medians, as the peers' scripts take them.
fn timed(mut run: impl FnMut(), seconds: f64) -> (f64, f64, usize, f64) {
    let start = Instant::now();
    run();
    let first = start.elapsed().as_secs_f64();
    run();
    let (mut times, begin) = (Vec::new(), Instant::now());
    while begin.elapsed().as_secs_f64() < seconds || times.len() < 5 {
        let start = Instant::now();
        run();
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[times.len() / 10], times.len(), first)
}

fn measure<F: Element>(arguments: &Arguments) -> (f64, f64, usize, f64, usize) {
    let flow = flow(arguments);
    let Arguments { d, batch, seconds, .. } = *arguments;
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let rows: Vec<F> = normal(&mut random, batch * d);
    let mut parameters = flow.initial(0).expect("parameters");
    // Away from the identity that a flow starts as.
    for (_, tensor) in parameters.iter_mut() {
        tensor.values.iter_mut().for_each(|value| *value += 0.01 * (random.random::<f64>() - 0.5));
    }
    let threads = if arguments.threads == 1 { Threads::One } else { Threads::All };
    let (median, p10, runs, first) = match arguments.case {
        Case::Train => {
            let mut trainer = Trainer::<F>::new(&flow, parameters, 1e-4).expect("a trainer");
            trainer.set_threads(threads);
            if arguments.profile {
                eprint!("{}", trainer.profile(&rows, 20).expect("whole rows"));
            }
            timed(
                || {
                    trainer.step(&rows).expect("a finite loss");
                },
                seconds,
            )
        }
        case => {
            let tape = Tape::new();
            let input = tape.input(Shape::Vector(d));
            let output = match case {
                Case::LogProb => {
                    let pulled = pull_back_with_log_det(flow.bijection(), input).expect("a density");
                    StandardNormal::new(d).log_prob(pulled.z) - pulled.log_det
                }
                _ => push_forward(flow.bijection(), input).expect("a sampler").x,
            };
            let mut program = Program::<F>::compile(&tape, &[input.id()], &[Output::Each(output.id())]);
            program.load(&parameters).expect("its parameters");
            program.set_threads(threads);
            if arguments.profile {
                eprint!("{}", program.profile(&[&rows], batch, 20).expect("whole rows"));
            }
            let mut results = vec![Vec::new()];
            timed(|| program.run_into(&[&rows], batch, &mut results).expect("whole rows"), seconds)
        }
    };
    (median, p10, runs, first, parameters_of(arguments))
}

fn parameters_of(arguments: &Arguments) -> usize {
    flow(arguments).initial(0).expect("parameters").count()
}

/// The largest resident memory of this process so far, where the system tells it.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}

fn main() {
    let arguments = Arguments::parse();
    rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build_global().expect("a thread pool");
    let (median, p10, runs, first, parameters) = match arguments.dtype {
        Dtype::F32 => measure::<f32>(&arguments),
        Dtype::F64 => measure::<f64>(&arguments),
    };
    let name = |value: &dyn std::fmt::Debug| format!("{value:?}").to_lowercase();
    let case = match arguments.case {
        Case::LogProb => "log_prob".to_string(),
        case => name(&case),
    };
    let line = json!({
        "peer": "pushforward",
        "model": name(&arguments.model),
        "case": case,
        "d": arguments.d,
        "hidden": arguments.hidden,
        "layers": arguments.layers,
        "batch": arguments.batch,
        "dtype": name(&arguments.dtype),
        "threads": arguments.threads,
        "parameters": parameters,
        "median_s": median,
        "p10_s": p10,
        "runs": runs,
        "first_s": first,
        "samples_per_s": arguments.batch as f64 / median,
        "peak_rss_mib": peak_mib(),
    });
    println!("{line}");
}
