//! `pushforward export`: a model as a file of another format.

use std::error::Error;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pushforward::jax;
use pushforward::model::Model;
use pushforward::onnx::{Export, Float, What};
use pushforward::table::Output;

use crate::describe::load;

/// A model as a file of another format.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    pushforward export table.model --to onnx                 ln p, in table.log_prob.onnx\n  \
    pushforward export table.model --to onnx --what sample   noise to rows\n  \
    pushforward export table.model --to onnx --float 64 -o exact.onnx\n  \
    pushforward export table.model --to jax                  a Python module, in table_jax/\n\n\
    Rows go in and come out in the units of the table. The file's metadata say\n\
    which columns its inputs have, and what its noise is.")]
pub struct Arguments {
    /// A model that `pushforward fit -o` wrote.
    model: PathBuf,
    /// The format.
    #[arg(long, value_enum)]
    to: Format,
    /// What the file computes: ln p of rows, their base variables z, or rows from noise.
    #[arg(long, value_enum, default_value = "log_prob")]
    what: Computation,
    /// The bits of its numbers, 32 or 64.
    #[arg(long, default_value_t = 32, value_parser = bits, value_name = "32|64")]
    float: u8,
    /// Write it to this file, or for JAX to this folder; `-` is standard output. Without it the name is the model's, with what
    /// the file computes.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Open Neural Network Exchange.
    Onnx,
    /// A Python module for JAX: ln p, samples, and steps of training.
    Jax,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Computation {
    /// x to ln p(x)
    LogProb,
    /// x to z
    Inverse,
    /// Noise to x
    Sample,
}

fn bits(text: &str) -> Result<u8, String> {
    match text {
        "32" => Ok(32),
        "64" => Ok(64),
        _ => Err("numbers have 32 or 64 bits".to_string()),
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let model = load(&arguments.model)?;
    match arguments.to {
        Format::Onnx => onnx(arguments, &model),
        Format::Jax => jax(arguments, &model),
    }
}

fn jax(arguments: &Arguments, model: &Model) -> Result<(), Box<dyn Error>> {
    let named = || {
        let stem = arguments.model.file_stem().map_or_else(|| "flow".into(), |stem| stem.to_string_lossy());
        // What Python imports is a name.
        let name: String = stem.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
        arguments.model.with_file_name(format!("{name}_jax"))
    };
    let folder = arguments.output.clone().unwrap_or_else(named);
    if folder.as_os_str() == "-" {
        return Err("a JAX module is a folder, which standard output is not; choose one with -o".into());
    }
    let package = jax::export_model(model)?;
    package.write(&folder)?;
    let folder = folder.display();
    tell!("A Python module of {} lines is in {folder}/.", package.module.lines().count());
    tell!(
        "Parameters that it saves come back by: pushforward import PARAMS --like {}",
        arguments.model.display()
    );
    Ok(())
}

fn onnx(arguments: &Arguments, model: &Model) -> Result<(), Box<dyn Error>> {
    let what = match arguments.what {
        Computation::LogProb => What::LogProb,
        Computation::Inverse => What::Inverse,
        Computation::Sample => What::Sample,
    };
    let float = if arguments.float == 64 { Float::F64 } else { Float::F32 };
    let named = || arguments.model.with_extension(format!("{what}.onnx"));
    let path = arguments.output.clone().unwrap_or_else(named);
    let output = Output::check(&path, &[arguments.model.as_path()])?;
    let bytes = model.to_onnx(Export { what, float })?;
    output.write(&bytes)?;
    if path.as_os_str() != "-" {
        tell!(
            "{what}, in numbers of {} bits, is in {} ({} bytes).",
            arguments.float,
            output.path(),
            bytes.len()
        );
    }
    Ok(())
}

/// Parameters that a JAX module saved, as a model.
#[derive(Args)]
#[command(after_help = "Example:\n  \
    pushforward import trained.safetensors --like table.model -o trained.model\n\n\
    The module's save_params writes such a file. Columns, units and layers are those\n\
    of the model that was exported.")]
pub struct ImportArguments {
    /// Parameters by name: safetensors.
    params: PathBuf,
    /// The model that was exported.
    #[arg(long, value_name = "MODEL")]
    like: PathBuf,
    /// Write the model to this file.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub fn import(arguments: &ImportArguments) -> Result<(), Box<dyn Error>> {
    let model = load(&arguments.like)?;
    let output = Output::check(&arguments.output, &[arguments.like.as_path(), arguments.params.as_path()])?;
    let bytes = std::fs::read(&arguments.params)
        .map_err(|error| format!("{} cannot be read: {error}", arguments.params.display()))?;
    let trained = model.with_parameters(&jax::parameters(&bytes)?)?;
    output.write(&trained.to_bytes()?)?;
    tell!("The model with these parameters is in {}.", output.path());
    tell!("Ranks of rows, and the record of the fit, are those of {}.", arguments.like.display());
    Ok(())
}
