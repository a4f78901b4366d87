//! `pushforward audit`: the report on a layer of the catalogue or on a model, and its certificates.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pushforward::prelude::*;

use crate::describe::load;

/// Arguments of `audit`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A layer of the catalogue, or a model that `pushforward fit -o` wrote; without one, the names of the layers.
    #[arg(value_name = "LAYER|MODEL")]
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
    let reports = match audited(wanted) {
        Ok(reports) => reports,
        Err(error) => {
            eprintln!("pushforward audit: {error}");
            return ExitCode::FAILURE;
        }
    };
    reports.iter().for_each(|report| super::say(&format!("{report}\n")));
    if let Some(file) = &arguments.certificate {
        let certificates: String = reports.iter().map(Report::certificates).collect();
        if let Err(error) = std::fs::write(file, certificates) {
            eprintln!("pushforward audit: {}: {error}", file.display());
            return ExitCode::FAILURE;
        }
        let claims = reports.iter().flat_map(|report| &report.claims);
        let count: usize = claims.map(|claim| claim.certificates.len()).sum();
        super::say(&format!("{count} certificates in {}\n", file.display()));
    }
    if reports.iter().all(Report::has_no_refutation) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The audit of a layer, or of each flow of a model: from the base to the units of the file.
fn audited(wanted: &str) -> Result<Vec<Report>, Box<dyn Error>> {
    if let Some((_, make)) = LAYERS.iter().find(|(name, _)| *name == wanted) {
        return Ok(vec![audit(&make())?]);
    }
    if Path::new(wanted).is_file() {
        let model = load(Path::new(wanted))?;
        let reports = model.flows().map(|(_, flow)| Ok(audit(flow.flow().bijection())?));
        return reports.collect();
    }
    let names: Vec<&str> = LAYERS.iter().map(|(name, _)| *name).collect();
    Err(format!("there is no layer and no model file `{wanted}`; layers are {}", names.join(", ")).into())
}
