//! Flows of the benches as JAX modules, with what they must give: for `jax_step.py`.
//!
//! `cargo bench --bench jax_modules -- FOLDER --model realnvp --model maf --d 16 --hidden 128`
//!
//! For each model FOLDER has the module, `MODEL_flow/`, and `MODEL.json`: ln p of rows and the mean of -ln p as the library
//! computes them, batches of rows, and the losses of a step of Adam on each, all in f64.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use clap::Parser;
use pushforward::flow::Trainer;
use pushforward::jax;
use pushforward_benches::models::{Model, away_from_the_identity, normal};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

/// The rows whose ln p is stored.
const ROWS: usize = 500;
/// The steps of training, and the rows of each.
const STEPS: usize = 50;
const BATCH: usize = 256;
/// The learning rate of these steps.
const RATE: f64 = 1e-3;

#[derive(Parser)]
struct Arguments {
    /// Where modules and numbers are written.
    folder: PathBuf,
    #[arg(long, value_enum, default_values = ["realnvp", "maf", "rqs"])]
    model: Vec<Model>,
    #[arg(long, default_value_t = 16)]
    d: usize,
    #[arg(long, default_value_t = 128)]
    hidden: usize,
    /// Layers; by default 8 of coupling, 5 of an autoregressive flow.
    #[arg(long)]
    layers: Option<usize>,
    /// The argument that cargo passes to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    fs::create_dir_all(&arguments.folder)?;
    for model in &arguments.model {
        write(*model, &arguments)?;
    }
    Ok(())
}

fn write(model: Model, arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let (d, hidden, layers) = (arguments.d, arguments.hidden, arguments.layers.unwrap_or(model.layers()));
    let flow = || model.flow(d, hidden, layers);
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let start = away_from_the_identity(&flow(), &mut random);
    let count = start.count();
    let mut trainer = Trainer::<f64>::new(&flow(), start.clone(), RATE)?;
    let fitted = flow().with(start)?;
    let package = jax::export(&fitted)?;
    package.write(arguments.folder.join(format!("{}_flow", model.word())))?;
    let x: Vec<f64> = normal(&mut random, ROWS * d);
    let log_prob = fitted.log_prob(&x)?;
    let loss = -log_prob.iter().sum::<f64>() / ROWS as f64;
    // Rows that the standard normal does not fit: of other locations and scales, and their neighbours' values.
    let batches: Vec<Vec<f64>> = (0..STEPS)
        .map(|_| {
            let z: Vec<f64> = normal(&mut random, BATCH * d);
            (0..BATCH * d).map(|k| 0.5 + 0.7 * z[k] + if k % d > 0 { 0.3 * z[k - 1] } else { 0.0 }).collect()
        })
        .collect();
    let losses = batches.iter().map(|rows| trainer.step(rows)).collect::<Result<Vec<f64>, _>>()?;
    let stored = json!({
        "model": model.word(), "d": d, "hidden": hidden, "layers": layers, "params": count,
        "lines": package.module.lines().count(), "x": x, "log_prob": log_prob, "loss": loss,
        "learning_rate": RATE, "batch": BATCH, "batches": batches, "losses": losses,
    });
    fs::write(arguments.folder.join(format!("{}.json", model.word())), stored.to_string())?;
    println!("{}: {count} parameters, loss {:.4} to {:.4}", model.title(), losses[0], losses[STEPS - 1]);
    Ok(())
}
