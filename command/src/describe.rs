//! `pushforward describe`, and what is proven and derived of a model.

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Args;
use pushforward::derivation::{Derivation, derive as derive_layer};
use pushforward::model::Model;

use crate::catalogue::{named, unknown};
use crate::imported::{Reading, is_graph};

/// What a model is.
#[derive(Args)]
pub struct Arguments {
    /// A model that `pushforward fit -o` wrote.
    model: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The formulas of a layer or a model.
#[derive(Args)]
pub struct DeriveArguments {
    /// A layer of the catalogue, a model that `pushforward fit -o` wrote, or a map that torch.onnx.export wrote (FILE.onnx).
    #[arg(value_name = "LAYER|MODEL|FILE.onnx")]
    layer: String,
    /// Write a LaTeX document.
    #[arg(long)]
    latex: bool,
    /// Write an HTML page.
    #[arg(long, conflicts_with = "latex")]
    html: bool,
    #[command(flatten)]
    reading: Reading,
}

pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let model = load(&arguments.model)?;
    let fit = model.fit_record();
    if arguments.json {
        let value = serde_json::json!({
            "columns": model.columns(), "categories": model.categories(), "given": model.given(),
            "reading": model.reading(), "fit": fit,
        });
        tell!("{}", serde_json::to_string_pretty(&value)?);
        return Ok(());
    }
    super::say(&model.to_string());
    Ok(())
}

pub fn derive(arguments: &DeriveArguments) -> Result<(), Box<dyn Error>> {
    let wanted = &arguments.layer;
    let say = |derivation: Derivation| match (arguments.latex, arguments.html) {
        (true, _) => super::say(&derivation.latex()),
        (_, true) => super::say(&derivation.html()),
        _ => super::say(&format!("{derivation}\n")),
    };
    if let Some(layer) = named(wanted) {
        say(derive_layer(&layer)?);
        return Ok(());
    }
    if is_graph(wanted) {
        say(derive_layer(&arguments.reading.read(wanted)?)?);
        return Ok(());
    }
    if !Path::new(wanted).exists() {
        return Err(unknown(wanted).into());
    }
    let model = load(Path::new(wanted))?;
    for (weight, flow) in model.flows() {
        if !arguments.latex && !arguments.html {
            super::say(&format!("Flow with weight {weight:.3}, {} base:\n", flow.flow().base().name()));
        }
        say(derive_layer(flow.flow().bijection())?);
    }
    Ok(())
}

/// Loads a model; an error names the file.
pub fn load(path: &Path) -> Result<Model, Box<dyn Error>> {
    Model::load(path).map_err(|error| match error {
        read @ pushforward::model::ModelError::Read { .. } => read.to_string().into(),
        other => format!("{}: {other}", path.display()).into(),
    })
}
