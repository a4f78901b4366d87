//! Densities and samples of three flows by dimension, width and batch, in f32 on all threads.
//!
//! Sampling is compared with the density of the same flow. For a coupling flow the work is equal; a sample of MAF
//! takes variable after variable, and should still cost about the arithmetic of one pass: the last rows vary its
//! dimension only, with 5 layers of width 128.

use pushforward::program::Threads;
use pushforward_benches::bench::{Bench, Measurement};
use pushforward_benches::models::{Case, Model, Size, runner};
use pushforward_benches::picture::Plot;
use pushforward_benches::table::{Layout, figures, time};

fn measure(bench: &mut Bench, name: &str, case: Case, model: Model, size: Size) {
    let Size { d, hidden, layers, batch } = size;
    let products = (model.weights(d, hidden, layers) * batch) as f64;
    let row = format!("{:<9} {d:>3} {hidden:>4} {batch:>5}", model.title());
    bench.measure(name, &row, products, || runner::<f32>(model, case, size, Threads::All).run);
}

fn both(bench: &mut Bench, model: Model, size: Size) {
    measure(bench, "log_prob", Case::LogProb, model, size);
    measure(bench, "sample", Case::Sample, model, size);
}

/// Flow and direction.
fn curve(measurement: &Measurement) -> Option<String> {
    let flow = Model::ALL.into_iter().find(|model| measurement.case.starts_with(model.title()))?;
    Some(format!("{}, {}", flow.title(), measurement.series))
}

fn main() {
    let mut bench = Bench::new("density");
    for model in Model::ALL {
        for d in [2, 16, 64] {
            for hidden in [64, 128, 512] {
                for batch in [256, 4096] {
                    both(&mut bench, model, Size { d, hidden, layers: model.layers(), batch });
                }
            }
        }
    }
    for d in [8, 64, 256] {
        both(&mut bench, Model::Maf, Size { d, hidden: 128, layers: Model::Maf.layers(), batch: 1024 });
    }
    let largest = bench
        .ratios("sample", "log_prob")
        .into_iter()
        .filter(|(case, _)| case.starts_with(Model::Maf.title()))
        .max_by(|a, b| a.1.total_cmp(&b.1));
    let mut notes = vec!["f32, all threads; layers: RealNVP and RQ spline 8, MAF 5".to_string()];
    if let Some((case, ratio)) = largest {
        notes.push(format!("MAF, sample against log_prob at most: {}× ({case})", figures(ratio)));
    }
    if let Some(seconds) = bench.seconds("sample", "MAF       256  128  1024") {
        notes.push(format!("MAF with d = 256: {} a sample", time(seconds / 1024.0)));
    }
    bench.report(
        &Layout {
            title: "Densities and samples",
            cases: "flow        d  hid. batch",
            baselines: &[("sample", "log_prob")],
            exponents: &[],
            size: "parameters × samples",
            at_most: None,
            notes,
        },
        &Plot {
            title: "Densities and samples by their multiplications",
            alt: "Time against parameters times samples, of densities and of samples.",
            size: "parameters × samples",
            joined: false,
            curve,
            slopes: &[],
        },
    );
}
