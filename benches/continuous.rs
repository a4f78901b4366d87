//! Held-out ln p of a continuous flow by maximum likelihood, of one by flow matching, and of a spline coupling.
//!
//! `cargo bench --bench continuous -- [TABLE.csv] [--columns a,b,…] [--minutes 2]`: columns are standardised, a tenth of the rows is held
//! out to test. Without a table 20 000 rows of two moons. Each is trained for this many minutes; ln p is of the standardised
//! columns, by Dormand and Prince's steps to 10⁻⁵.

use std::f64::consts::PI;
use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use pushforward::flow::Trainer;
use pushforward::prelude::*;
use pushforward::train::{Minimiser, TrainingOptions};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[derive(Parser)]
struct Arguments {
    table: Option<PathBuf>,
    #[arg(long, value_delimiter = ',')]
    columns: Vec<String>,
    /// Of training, each.
    #[arg(long, default_value_t = 2.0)]
    minutes: f64,
    #[arg(long, default_value_t = 64)]
    hidden: usize,
    #[arg(long, default_value_t = 256)]
    batch: usize,
    /// Cargo gives it.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Rows of two interleaved half circles with normal noise of 0.1.
fn moons(rows: usize) -> Table {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut noise = vec![0.0; 2 * rows];
    StandardNormal::new(2 * rows).sample(&mut random, &mut noise);
    let mut values = Vec::with_capacity(2 * rows);
    for e in noise.chunks(2) {
        let (angle, second) = (PI * random.random::<f64>(), random.random::<bool>());
        let (x, y) = match second {
            false => (angle.cos(), angle.sin()),
            true => (1.0 - angle.cos(), 0.5 - angle.sin()),
        };
        values.extend([x + 0.1 * e[0], y + 0.1 * e[1]]);
    }
    Table::new(&["x", "y"], values).expect("whole rows")
}

/// The rows of minibatches, in an order that is drawn anew in each epoch.
struct Batches<'a> {
    rows: &'a [f64],
    d: usize,
    order: Vec<usize>,
    next: usize,
    random: ChaCha8Rng,
}

impl Batches<'_> {
    fn next(&mut self, batch: usize) -> Vec<f32> {
        if self.next + batch > self.order.len() {
            self.order.shuffle(&mut self.random);
            self.next = 0;
        }
        let chosen = &self.order[self.next..self.next + batch];
        self.next += batch;
        chosen
            .iter()
            .flat_map(|i| self.rows[i * self.d..(i + 1) * self.d].iter().map(|x| *x as f32))
            .collect()
    }
}

/// A falling step size over the time of training.
fn learning_rate(part: f64) -> f64 {
    2e-3 * (0.5 * (1.0 + (PI * part.min(1.0)).cos())).max(0.01)
}

fn main() {
    let arguments = Arguments::parse();
    let table = match &arguments.table {
        Some(path) => {
            let columns: Vec<&str> = arguments.columns.iter().map(String::as_str).collect();
            Table::read(path, &columns, |_| true).expect("a table of numbers")
        }
        None => moons(20_000),
    };
    let (d, rows, hidden, batch) = (table.width(), table.rows(), arguments.hidden, arguments.batch);
    let standardised = table.standardised(&table.moments());
    let mut order: Vec<usize> = (0..rows).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
    let part = |chosen: &[usize]| -> Vec<f64> {
        chosen.iter().flat_map(|i| standardised.values()[i * d..(i + 1) * d].to_vec()).collect()
    };
    let (test, train) = order.split_at(rows / 10);
    let (test, train) = (part(test), part(train));
    let field = || NetworkField::new(d, Network::new([hidden, hidden]));
    let flow = |layers: Vec<Box<dyn Bijection>>| Flow::new(StandardNormal::new(d), layers).expect("a flow");
    let continuous = |solver, steps| flow(vec![Box::new(Continuous::new(field(), solver, steps))]);
    let exact = Solver::DormandPrince { relative: 1e-5, absolute: 1e-5 };
    println!("| flow | parameters | ln p of test rows | steps of training |");
    println!("|---|---|---|---|");
    let report = |name: &str, flow: Flow, parameters: Parameters, steps: usize| {
        let fitted = flow.with(parameters).expect("its parameters");
        let log_p = fitted.log_prob(&test).expect("a density");
        let count = log_p.len() as f64;
        let mean = log_p.iter().sum::<f64>() / count;
        let variance = log_p.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        println!(
            "| {name} | {} | {mean:.3} ± {:.3} | {steps} |",
            fitted.parameters().count(),
            (variance / count).sqrt()
        );
    };
    let batches = || Batches {
        rows: &train,
        d,
        order: (0..train.len() / d).collect(),
        next: usize::MAX / 2,
        random: ChaCha8Rng::seed_from_u64(1),
    };
    let by_likelihood = |flow: &Flow| {
        let mut trainer = Trainer::<f32>::new(flow, flow.initial(0), 2e-3).expect("a trainer");
        let (mut batches, start, mut steps) = (batches(), Instant::now(), 0);
        loop {
            let part = start.elapsed().as_secs_f64() / (60.0 * arguments.minutes);
            if part >= 1.0 {
                return (trainer.parameters().clone(), steps);
            }
            trainer.set_learning_rate(learning_rate(part));
            trainer.step(&batches.next(batch)).expect("a finite loss");
            steps += 1;
        }
    };
    let (parameters, steps) = by_likelihood(&continuous(Solver::RungeKutta4, 8));
    report("continuous, maximum likelihood (FFJORD)", continuous(exact, 5000), parameters, steps);

    let matched = continuous(exact, 5000);
    let loss = matched.flow_matching(0.0).expect("one continuous layer");
    let options = TrainingOptions { learning_rate: 2e-3, ..TrainingOptions::default() };
    let mut minimiser = Minimiser::<f32>::new(&loss, matched.initial(0), options).expect("a loss");
    let (mut rows, start, mut steps) = (batches(), Instant::now(), 0);
    loop {
        let part = start.elapsed().as_secs_f64() / (60.0 * arguments.minutes);
        if part >= 1.0 {
            break;
        }
        minimiser.set_learning_rate(learning_rate(part)).expect("a step size");
        minimiser.step(&[&rows.next(batch)], batch).expect("a finite loss");
        steps += 1;
    }
    report("continuous, flow matching", matched, minimiser.parameters().clone(), steps);

    let coupling = || {
        let mask = |k: usize| match k % 2 {
            0 => CouplingMask::alternating(d, false),
            _ => CouplingMask::alternating(d, true),
        };
        let layer = |k: usize| -> Box<dyn Bijection> {
            let network = Network::new([hidden, hidden]);
            Box::new(SplineCoupling::new(mask(k), network, SplineTransformer::new(8, 5.0)))
        };
        flow((0..6).map(layer).collect())
    };
    let (parameters, steps) = by_likelihood(&coupling());
    report("spline coupling, 6 layers", coupling(), parameters, steps);
}
