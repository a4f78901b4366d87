//! An audit with its default settings, by dimension: every claim, with the comparisons at points.
//!
//! Three layers with 128 hidden units: MAF, its inverse parameterisation IAF, and an affine coupling. The coupling, whose
//! inverse takes one pass, is the baseline of its row.

use pushforward::prelude::*;
use pushforward_benches::bench::Bench;
use pushforward_benches::picture::{Plot, by_series};
use pushforward_benches::table::Layout;

const HIDDEN: usize = 128;
const SERIES: [&str; 3] = ["coupling", "IAF", "MAF"];

fn layer(series: &str, d: usize) -> Box<dyn Bijection> {
    match series {
        "MAF" => Box::new(Autoregressive::maf(MaskedNetwork::new(d, [HIDDEN]))),
        "IAF" => Box::new(Autoregressive::iaf(MaskedNetwork::new(d, [HIDDEN]))),
        _ => Box::new(AffineCoupling::new(CouplingMask::first_half(d), Network::new([HIDDEN]))),
    }
}

fn main() {
    let mut bench = Bench::new("audit");
    for d in [4, 16, 64, 256] {
        for series in SERIES {
            bench.measure(series, &d.to_string(), d as f64, || {
                let layer = layer(series, d);
                move || audit(&*layer).expect("it is recorded").claims.len()
            });
        }
    }
    let exponents = SERIES.map(|series| (series, 16.0));
    bench.report(
        &Layout {
            title: "An audit of one layer with 128 hidden units",
            cases: "d",
            baselines: &[(SERIES[1], SERIES[0]), (SERIES[2], SERIES[0])],
            exponents: &exponents,
            size: "d",
            at_most: None,
            notes: vec!["default settings: 64 points".to_string()],
        },
        &Plot {
            title: "An audit of d variables",
            alt: "Time against d of audits of a coupling layer, an IAF and a MAF layer.",
            size: "d",
            joined: true,
            curve: by_series,
            slopes: &exponents,
        },
    );
}
