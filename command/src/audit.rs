//! `pushforward audit`: the report on a layer of the catalogue, and its certificates.

use std::path::PathBuf;
use std::process::ExitCode;

use pushforward::prelude::*;

/// Arguments of `audit`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The layer; without one, the names are listed.
    layer: Option<String>,
    /// Writes the certificates of what is proven and refuted to this file, for `pushforward verify`.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

type Make = fn() -> Box<dyn Bijection>;

/// Layers of a few variables, by name.
const LAYERS: [(&str, Make); 10] = [
    ("affine", || Box::new(Affine::new([2.0, -0.5, 1.0], [0.1, 0.0, -3.0]))),
    ("permutation", || Box::new(Permutation::new([2, 0, 1]))),
    ("triangular", || Box::new(Triangular::lower(3))),
    ("additive_coupling", || {
        Box::new(AdditiveCoupling::new(CouplingMask::first_half(3), Network::new([5, 4])))
    }),
    ("affine_coupling", || Box::new(AffineCoupling::new(CouplingMask::first_half(3), Network::new([5, 4])))),
    ("spline_coupling", || {
        Box::new(SplineCoupling::new(
            CouplingMask::alternating(3, true),
            Network::new([5]),
            SplineTransformer::new(8, 3.0),
        ))
    }),
    ("spline", || Box::new(RationalQuadraticSpline::bounded(3, SplineTransformer::new(5, 2.0)))),
    ("iaf", || Box::new(Autoregressive::iaf(MaskedNetwork::new(3, [6])))),
    ("maf", || Box::new(Autoregressive::maf(MaskedNetwork::new(3, [6])))),
    ("sigmoid", || Box::new(Elementwise::new(Transform::Sigmoid { lower: 0.0, upper: 1.0 }, 2))),
];

/// Prints the report; a refuted claim is a failure.
pub fn run(arguments: &Arguments) -> ExitCode {
    let names: Vec<&str> = LAYERS.iter().map(|(name, _)| *name).collect();
    let Some(wanted) = &arguments.layer else {
        super::say(&format!("Layers: {}\n", names.join(", ")));
        return ExitCode::SUCCESS;
    };
    let Some((_, make)) = LAYERS.iter().find(|(name, _)| name == wanted) else {
        eprintln!("pushforward audit: there is no layer `{wanted}`; the names are {}", names.join(", "));
        return ExitCode::FAILURE;
    };
    let report = match audit(&make()) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("pushforward audit: {error}");
            return ExitCode::FAILURE;
        }
    };
    super::say(&format!("{report}\n"));
    if let Some(file) = &arguments.certificate {
        if let Err(error) = std::fs::write(file, report.certificates()) {
            eprintln!("pushforward audit: {}: {error}", file.display());
            return ExitCode::FAILURE;
        }
        let count: usize = report.claims.iter().map(|claim| claim.certificates.len()).sum();
        super::say(&format!("{count} certificates in {}\n", file.display()));
    }
    if report.has_no_refutation() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
