//! `pushforward audit`: the report on a layer of the catalogue, on a model or on a map of an ONNX file, and its certificates.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pushforward::prelude::*;

use crate::catalogue::{named, names, unknown};
use crate::describe::load;
use crate::imported::{self, Reading, is_graph};

/// Arguments of `audit`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A layer of the catalogue, a model that `pushforward fit -o` wrote, or a map that torch.onnx.export wrote (FILE.onnx);
    /// without one, the names of the layers.
    #[arg(value_name = "LAYER|MODEL|FILE.onnx")]
    layer: Option<String>,
    /// Writes the certificates of what is proven and refuted to this file, for `pushforward verify`.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
}

/// Prints the report; a refuted claim is a failure.
pub fn run(arguments: &Arguments) -> ExitCode {
    let Some(wanted) = &arguments.layer else {
        super::say(&format!("Layers: {}\n", names().join(", ")));
        return ExitCode::SUCCESS;
    };
    let reports = match audited(wanted, &arguments.reading) {
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
fn audited(wanted: &str, reading: &Reading) -> Result<Vec<Report>, Box<dyn Error>> {
    if is_graph(wanted) {
        return imported::audited(wanted, reading);
    }
    if let Some(layer) = named(wanted) {
        return Ok(vec![audit(&layer)?]);
    }
    if Path::new(wanted).is_file() {
        let model = load(Path::new(wanted))?;
        let reports = model.flows().map(|(_, flow)| Ok(audit(flow.flow().bijection())?));
        return reports.collect();
    }
    Err(unknown(wanted).into())
}
