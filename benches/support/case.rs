//! One case, timed as in the scripts of other libraries, with the same options and keys.

use std::time::Instant;

use clap::{Parser, ValueEnum};
use pushforward::program::Threads;
use serde_json::{Value, json};

use super::machine;
use super::models::{Case, Model, Runner, Size, profiled_runner};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Dtype {
    F32,
    F64,
}

/// The case to be timed, and for how long.
#[derive(Clone, Debug, Parser)]
pub struct Arguments {
    #[arg(long, value_enum, default_value = "realnvp")]
    pub model: Model,
    #[arg(long, value_enum, default_value = "train")]
    pub case: Case,
    #[arg(long, default_value_t = 2)]
    pub d: usize,
    #[arg(long, default_value_t = 64)]
    pub hidden: usize,
    #[arg(long, default_value_t = 8)]
    pub layers: usize,
    #[arg(long, default_value_t = 256)]
    pub batch: usize,
    #[arg(long, default_value_t = 2)]
    pub threads: usize,
    #[arg(long, value_enum, default_value = "f32")]
    pub dtype: Dtype,
    /// Timed seconds.
    #[arg(long, default_value_t = 4.0)]
    pub seconds: f64,
    /// Prints a profile by operation first, to the standard error.
    #[arg(long)]
    pub profile: bool,
    /// The arguments that cargo passes to every bench.
    #[arg(long, hide = true)]
    pub bench: bool,
}

/// Returns the median seconds, and those of the fastest tenth, of this many runs after a first one.
pub struct Timed {
    pub median: f64,
    pub p10: f64,
    pub runs: usize,
    pub first: f64,
}

/// Times for this many seconds, five runs at least.
pub fn timed(mut run: impl FnMut(), seconds: f64) -> Timed {
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
    Timed { median: times[times.len() / 2], p10: times[times.len() / 10], runs: times.len(), first }
}

/// Runs the case with threads of its own; returns the line.
pub fn line(arguments: &Arguments) -> Value {
    let Arguments { model, case, d, hidden, layers, batch, .. } = *arguments;
    rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build_global().expect("a thread pool");
    let threads = if arguments.threads == 1 { Threads::One } else { Threads::All };
    let size = Size { d, hidden, layers, batch };
    let Runner { weights, profile, run } = match arguments.dtype {
        Dtype::F32 => profiled_runner::<f32>(model, case, size, threads, arguments.profile),
        Dtype::F64 => profiled_runner::<f64>(model, case, size, threads, arguments.profile),
    };
    if let Some(profile) = profile {
        eprint!("{profile}");
    }
    let Timed { median, p10, runs, first } = timed(run, arguments.seconds);
    json!({
        "peer": "pushforward",
        "model": model.word(),
        "case": case.word(),
        "d": d,
        "hidden": hidden,
        "layers": layers,
        "batch": batch,
        "dtype": if arguments.dtype == Dtype::F32 { "f32" } else { "f64" },
        "threads": arguments.threads,
        "params": weights,
        "median_s": median,
        "p10_s": p10,
        "runs": runs,
        "first_s": first,
        "samples_per_s": batch as f64 / median,
        "peak_rss_mib": machine::peak_mib(),
        "load1": machine::load(),
    })
}
