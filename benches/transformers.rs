//! One table, every transformer: held-out ln p of autoregressive flows that differ in nothing else.
//!
//! `cargo bench --bench transformers -- TABLE.csv [--columns a,b,…] [--epochs 40]`: columns are standardised, a tenth of the rows is held out to stop
//! training, another tenth to test; ln p is of the standardised columns.

use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use pushforward::layers::AffineTransformer;
use pushforward::prelude::*;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

#[derive(Parser)]
struct Arguments {
    table: PathBuf,
    #[arg(long, value_delimiter = ',')]
    columns: Vec<String>,
    #[arg(long, default_value_t = 40)]
    epochs: usize,
    #[arg(long, default_value_t = 4)]
    layers: usize,
    #[arg(long, default_value_t = 64)]
    hidden: usize,
    /// Only those whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Cargo gives it.
    #[arg(long, hide = true)]
    bench: bool,
}

fn transformers() -> Vec<(&'static str, Box<dyn Transformer>)> {
    vec![
        ("affine", Box::new(AffineTransformer::normalising(ScaleMap::Bounded))),
        ("sinh-arcsinh", Box::new(SinhArcsinhTransformer)),
        ("linear spline", Box::new(PolynomialSplineTransformer::linear(8, 5.0))),
        ("quadratic spline", Box::new(PolynomialSplineTransformer::quadratic(8, 5.0))),
        ("cubic spline", Box::new(PolynomialSplineTransformer::cubic(8, 5.0))),
        ("rational-quadratic spline", Box::new(SplineTransformer::new(8, 5.0))),
        ("Bernstein, degree 16", Box::new(BernsteinTransformer::new(16, 5.0))),
        ("sums of squares, 3 of degree 4", Box::new(SumOfSquaresTransformer::new(3, 4))),
        ("logistic mixture, 8", Box::new(LogisticMixtureTransformer::new(8))),
        ("deep sigmoidal, 16 units (NAF)", Box::new(DeepSigmoidalTransformer::new(16, 1))),
        ("deep dense sigmoidal, 2 × 4 units", Box::new(DeepDenseSigmoidalTransformer::new(4, 2))),
        ("monotone network, 16 units (UMNN)", Box::new(MonotoneNetworkTransformer::new([16], 8, 16))),
    ]
}

fn main() {
    let arguments = Arguments::parse();
    let columns: Vec<&str> = arguments.columns.iter().map(String::as_str).collect();
    let table = Table::read(&arguments.table, &columns, |_| true).expect("a table of numbers");
    let d = table.width();
    let rows = table.rows();
    let standardised = table.standardised(&table.moments());
    let values = standardised.values();
    let mut order: Vec<usize> = (0..rows).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
    let part =
        |rows: &[usize]| rows.iter().flat_map(|i| values[i * d..(i + 1) * d].to_vec()).collect::<Vec<f64>>();
    let (test, rest) = order.split_at(rows / 10);
    let test = part(test);
    let all = Table::new(table.columns(), part(rest)).expect("whole rows");
    let held: Vec<usize> = (0..rows / 10).collect();
    println!("| transformer | parameters | ln p of test rows | epochs | seconds |");
    println!("|---|---|---|---|---|");
    for (name, transformer) in transformers().into_iter().filter(|(name, _)| name.contains(&arguments.only)) {
        let transformer = std::sync::Arc::new(transformer);
        let mut layers: Vec<Box<dyn Bijection>> = Vec::new();
        // Polynomials of degree 9, one after another, of values far out: each is taken of asinh.
        let grows = name.starts_with("sums of squares");
        for k in 0..arguments.layers {
            let network = MaskedNetwork::new(d, [arguments.hidden, arguments.hidden]);
            layers.push(Box::new(Inverse::new(Autoregressive::with(network, Shared(transformer.clone())))));
            if grows {
                layers.push(Box::new(Elementwise::new(Transform::Sinh, d)));
            }
            if k + 1 < arguments.layers {
                layers.push(Box::new(Permutation::reverse(d)));
            }
        }
        let flow = Flow::new(StandardNormal::new(d), layers).expect("a flow");
        let options = FitOptions {
            epochs: arguments.epochs,
            batch: 128,
            learning_rate: 2e-3,
            patience: 10,
            averaging: 0.99,
            clip: 5.0,
            held_out_rows: Some(&held),
            single_precision: true,
            ..FitOptions::default()
        };
        let start = Instant::now();
        let fitted = match flow.fit(&all, options) {
            Ok(fitted) => fitted,
            Err(error) => {
                println!("| {name} | | {error} | | |");
                continue;
            }
        };
        let seconds = start.elapsed().as_secs_f64();
        let log_p = fitted.log_prob(&test).expect("whole rows");
        let count = log_p.len() as f64;
        let mean = log_p.iter().sum::<f64>() / count;
        let variance = log_p.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        println!(
            "| {name} | {} | {mean:.3} ± {:.3} | {} | {seconds:.0} |",
            fitted.parameters().count(),
            (variance / count).sqrt(),
            fitted.history().epochs.len()
        );
    }
}

/// One transformer in several layers.
struct Shared(std::sync::Arc<Box<dyn Transformer>>);

impl Transformer for Shared {
    fn parameters_per_dimension(&self) -> usize {
        self.0.parameters_per_dimension()
    }

    fn forward<'t>(&self, z: Var<'t>, parameters: Var<'t>) -> Var<'t> {
        self.0.forward(z, parameters)
    }

    fn inverse<'t>(&self, x: Var<'t>, parameters: Var<'t>) -> Option<Var<'t>> {
        self.0.inverse(x, parameters)
    }

    fn name(&self) -> String {
        self.0.name()
    }
}
