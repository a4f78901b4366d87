//! `pushforward export`: a model as a file of another format.

use std::error::Error;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pushforward::onnx::{Export, Float, What};
use pushforward::table::Output;

use crate::describe::load;

/// A model as a file of another format.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    pushforward export table.model --to onnx                 ln p, in table.log_prob.onnx\n  \
    pushforward export table.model --to onnx --what sample   noise to rows\n  \
    pushforward export table.model --to onnx --float 64 -o exact.onnx\n\n\
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
    /// Write it to this file; `-` is standard output. Without it the name is the model's, with what the file computes.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Open Neural Network Exchange.
    Onnx,
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
    let Format::Onnx = arguments.to;
    let model = load(&arguments.model)?;
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
