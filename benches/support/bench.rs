//! Measurement with criterion; the times are also kept for tables, files and pictures.
//!
//! A measurement is the median over batches of runs, each batch counted once for each of its runs, so that the cold
//! first runs weigh little.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion};

use super::picture::{self, Plot};
use super::summary;
use super::table::{self, Layout};

/// One measurement.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// The implementation: a column of the table.
    pub series: String,
    /// The case: a row of the table.
    pub case: String,
    /// The size, for exponents; NaN where there is none.
    pub size: f64,
    /// The median time of a run, in seconds.
    pub seconds: f64,
    pub runs: u64,
}

/// One bench: criterion, and its measurements.
pub struct Bench {
    name: &'static str,
    criterion: Criterion,
    measurements: Vec<Measurement>,
}

impl Bench {
    /// Takes criterion's options from the command line; by default ten samples in about two seconds.
    pub fn new(name: &'static str) -> Bench {
        let criterion = Criterion::default()
            .sample_size(10)
            .warm_up_time(Duration::from_millis(300))
            .measurement_time(Duration::from_secs(2))
            .configure_from_args();
        Bench { name, criterion, measurements: Vec::new() }
    }

    /// Times what `prepare` returns, unless the command line filters it out: then nothing is prepared.
    pub fn measure<T, R: FnMut() -> T>(
        &mut self,
        series: &str,
        case: &str,
        size: f64,
        prepare: impl FnOnce() -> R,
    ) {
        let mut prepare = Some(prepare);
        let mut run = None;
        let mut batches: Vec<(f64, u64)> = Vec::new();
        let mut group = self.criterion.benchmark_group(self.name);
        group.bench_function(BenchmarkId::new(series, case), |bencher| {
            let run = run.get_or_insert_with(|| prepare.take().expect("it is prepared once")());
            bencher.iter_custom(|runs| {
                let start = Instant::now();
                for _ in 0..runs {
                    black_box(run());
                }
                let elapsed = start.elapsed();
                batches.push((elapsed.as_secs_f64() / runs as f64, runs));
                elapsed
            });
        });
        group.finish();
        let Some((seconds, runs)) = weighted_median(batches) else { return };
        let (series, case) = (series.to_string(), case.to_string());
        self.measurements.push(Measurement { series, case, size, seconds, runs });
    }

    /// Returns the time of a series on a case, if it was measured.
    pub fn seconds(&self, series: &str, case: &str) -> Option<f64> {
        self.measurements.iter().find(|m| m.series == series && m.case == case).map(|m| m.seconds)
    }

    /// By case: the time of one series as a multiple of that of another.
    pub fn ratios(&self, series: &str, other: &str) -> Vec<(String, f64)> {
        let own = self.measurements.iter().filter(|m| m.series == series);
        own.filter_map(|m| Some((m.case.clone(), m.seconds / self.seconds(other, &m.case)?))).collect()
    }

    /// Prints the table, and writes this bench's part of the summary and its picture.
    pub fn report(&self, layout: &Layout, plot: &Plot) {
        if self.measurements.is_empty() || is_test() {
            return;
        }
        println!("\n{}", table::draw(layout, &self.measurements));
        let written = summary::merge(self.name, layout, &self.measurements)
            .and_then(|summary| Ok((summary, picture::write(self.name, plot, &self.measurements)?)));
        match written {
            Ok((summary, picture)) => println!("{}\n{}", summary.display(), picture.display()),
            Err(error) => eprintln!("the numbers could not be kept: {error}"),
        }
    }
}

/// Whether everything is only run once as a test: criterion's own rule.
fn is_test() -> bool {
    let given = |flag: &str| std::env::args().any(|argument| argument == flag);
    given("--test") || !given("--bench")
}

/// Returns the weighted median, and the total weight.
fn weighted_median(mut batches: Vec<(f64, u64)>) -> Option<(f64, u64)> {
    batches.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all: u64 = batches.iter().map(|(_, runs)| runs).sum();
    let mut below = 0;
    let middle = batches.iter().find(|(_, runs)| {
        below += runs;
        2 * below >= all
    });
    middle.map(|(seconds, _)| (*seconds, all))
}
