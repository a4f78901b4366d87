//! Which settings of a fit pay: mean ln p of test rows on splits of tables.
//!
//! `cargo bench --bench tables -- DIR...`, with train.csv, val.csv and test.csv (standardised) in each folder.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use pushforward::base::MixtureOptions;
use pushforward::model::{Architecture, Conditioner};
use pushforward::prelude::*;

#[derive(Parser)]
struct Arguments {
    folders: Vec<PathBuf>,
    #[arg(long, default_value = "coupling")]
    model: String,
    #[arg(long, default_value_t = 6)]
    layers: usize,
    #[arg(long, value_delimiter = ',', default_value = "32,32")]
    hidden: Vec<usize>,
    #[arg(long, default_value_t = 8)]
    bins: usize,
    #[arg(long, default_value_t = 5.0)]
    bound: f64,
    #[arg(long)]
    degrees: Option<f64>,
    #[arg(long)]
    affine: bool,
    #[arg(long, default_value_t = 2e-3)]
    rate: f64,
    #[arg(long, default_value_t = 64)]
    batch: usize,
    #[arg(long, default_value_t = 60)]
    epochs: usize,
    #[arg(long, default_value_t = 0.0)]
    decay: f64,
    #[arg(long, default_value_t = 0.0)]
    averaging: f64,
    #[arg(long, default_value_t = 25)]
    patience: usize,
    #[arg(long, default_value_t = 1)]
    members: usize,
    #[arg(long)]
    double: bool,
    /// Cargo gives it.
    #[arg(long, hide = true)]
    bench: bool,
}

/// ln p of the validation and of the test rows, and the epoch that was kept or the number of components.
type Scores = (Vec<f64>, Vec<f64>, usize);

fn read(folder: &Path, part: &str) -> Table {
    Table::read(folder.join(format!("{part}.csv")), &[], |_| true).expect("a part of a split")
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn main() {
    let arguments = Arguments::parse();
    for folder in &arguments.folders {
        let (train, val, test) = (read(folder, "train"), read(folder, "val"), read(folder, "test"));
        let d = train.width();
        let start = Instant::now();
        let mut scores: Vec<Scores> = Vec::new();
        if arguments.model == "mixture" {
            let mut best: Option<(f64, usize, Vec<f64>, Vec<f64>)> = None;
            for components in [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20] {
                let options = MixtureOptions { components, ..MixtureOptions::default() };
                let base = GaussianMixture::fit(train.values(), d, options);
                let flow = Flow::new(
                    base,
                    [Box::new(Affine::fixed(vec![1.0; d], vec![0.0; d])) as Box<dyn Bijection>],
                )
                .unwrap();
                let fitted = flow.with(Parameters::default()).unwrap();
                let (v, t) =
                    (fitted.log_prob(val.values()).unwrap(), fitted.log_prob(test.values()).unwrap());
                if best.as_ref().is_none_or(|best| mean(&v) > best.0) {
                    best = Some((mean(&v), components, v, t));
                }
            }
            let (_, k, v, t) = best.unwrap();
            scores.push((v, t, k));
        } else {
            let all = [train.values(), val.values()].concat();
            let all = Table::new(train.columns(), all).unwrap();
            let held: Vec<usize> = (train.rows()..all.rows()).collect();
            for member in 0..arguments.members {
                let conditioner = if arguments.model == "coupling" {
                    Conditioner::Coupling
                } else {
                    Conditioner::Autoregressive
                };
                let architecture = Architecture {
                    conditioner,
                    layers: arguments.layers,
                    hidden: arguments.hidden.clone(),
                    bins: arguments.bins,
                    bound: arguments.bound,
                    degrees: arguments.degrees,
                    linear: !arguments.affine,
                };
                let seed = member as u64;
                let flow = Flow::new(architecture.base(d), architecture.layers(d, 0, seed)).unwrap();
                let options = FitOptions {
                    seed,
                    epochs: arguments.epochs,
                    batch: arguments.batch,
                    learning_rate: arguments.rate,
                    patience: arguments.patience,
                    weight_decay: arguments.decay,
                    averaging: arguments.averaging,
                    held_out_rows: Some(&held),
                    single_precision: !arguments.double,
                    ..FitOptions::default()
                };
                let fitted = flow.fit(&all, options).unwrap();
                let (v, t) =
                    (fitted.log_prob(val.values()).unwrap(), fitted.log_prob(test.values()).unwrap());
                scores.push((v, t, fitted.history().best_epoch));
            }
        }
        let mixed = |pick: fn(&Scores) -> &Vec<f64>| -> Vec<f64> {
            (0..pick(&scores[0]).len())
                .map(|row| {
                    let logs: Vec<f64> = scores.iter().map(|score| pick(score)[row]).collect();
                    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    largest + (logs.iter().map(|l| (l - largest).exp()).sum::<f64>() / logs.len() as f64).ln()
                })
                .collect()
        };
        let (v, t) = (mixed(|score| &score.0), mixed(|score| &score.1));
        let se =
            (mean(&t.iter().map(|x| (x - mean(&t)).powi(2)).collect::<Vec<_>>()) / t.len() as f64).sqrt();
        println!(
            "{:<16} val {:>8.3}  test {:>8.3} ± {se:.3}  {:>6.1} s  epochs {:?}",
            folder.file_name().unwrap().to_string_lossy(),
            mean(&v),
            mean(&t),
            start.elapsed().as_secs_f64(),
            scores.iter().map(|score| score.2).collect::<Vec<_>>()
        );
    }
}
