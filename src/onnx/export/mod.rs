//! ONNX out: ln p, z and samples of fitted flows as graphs that other runtimes compute.
//!
//! A sweep over the recorded program, as all others are: each node becomes a few nodes of ONNX's operators (`sweep.rs`).
//! Functions that the operators have not, or not in the tails, are composed once in the file and called by their name
//! (`function.rs`, `gaussian.rs`, `elementary.rs`); equations, eliminations and steps of solvers are loops (`equation.rs`, `matrix.rs`,
//! `initial_value.rs`). What cannot be expressed is refused by name.
//!
//! Parameters are initialisers by their names, so that they can be replaced in the file. All numbers are of one type, f32
//! or f64; the times of a solver that chooses its steps are doubles in both.
//!
//! ```
//! use pushforward::onnx::{Export, What};
//! use pushforward::prelude::*;
//!
//! let layers: Vec<Box<dyn Bijection>> = vec![
//!     Box::new(AffineCoupling::new(CouplingMask::first_half(2), Network::new([8]))),
//!     Box::new(Affine::fixed([2.0, 0.5], [1.0, -3.0])),
//! ];
//! let flow = Flow::new(StandardNormal::new(2), layers)?;
//! let start = flow.initial(7);
//! let fitted = flow.with(start)?;
//! let bytes = fitted.to_onnx(Export::of(What::LogProb))?;
//! # assert!(bytes.len() > 500);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attribute;
mod column;
mod elementary;
mod equation;
mod error;
mod file;
mod flow;
mod function;
mod gaussian;
mod graph;
mod initial_value;
mod matrix;
mod model;
mod sweep;
mod value;

pub use error::ExportError;

use std::fmt;
use std::path::Path;

use self::flow::{FlowGraphs, Sampler};
use self::graph::{Axis, Graph};
use super::schema::DataType;
use crate::flow::FittedFlow;

/// What a graph computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// `x` [batch, d] (and `context` [batch, c]) to `log_prob`, one number a row.
    LogProb,
    /// `x` to `z` [batch, d].
    Inverse,
    /// `noise` [batch, d] to `x`: independent standard normal numbers where the base is made of them (and for mixtures one
    /// `uniform` number a row, [batch, 1]), else draws of the base. The file says which.
    Sample,
}

impl What {
    /// Its name in a file and for the command.
    pub fn name(self) -> &'static str {
        match self {
            What::LogProb => "log_prob",
            What::Inverse => "inverse",
            What::Sample => "sample",
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The type of a graph's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Float {
    /// 32 bits: what most runtimes are fastest at.
    #[default]
    F32,
    /// 64 bits.
    F64,
}

/// What is exported, and in which numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Export {
    /// What the graph computes.
    pub what: What,
    /// The type of its numbers.
    pub float: Float,
}

impl Export {
    /// In 32 bits.
    pub fn of(what: What) -> Export {
        Export { what, float: Float::F32 }
    }

    /// In 64 bits.
    pub fn in_f64(self) -> Export {
        Export { float: Float::F64, ..self }
    }

    fn graph(self) -> Graph {
        Graph::new(match self.float {
            Float::F32 => DataType::Float,
            Float::F64 => DataType::Double,
        })
    }
}

/// What uniform numbers decide of a sample of one flow.
const UNIFORM: &str = "uniform numbers on (0, 1), which decide the component of the base";
/// What all files say of ln p.
const OUTSIDE: &str = "-inf outside of the support and at infinities; NaN where x is NaN, for which pushforward returns an error";

impl FittedFlow {
    /// Returns the bytes of an ONNX file that computes ln p, z or samples, for batches of any size.
    ///
    /// Inputs and outputs are as those of [`FittedFlow::log_prob_given`] and [`FittedFlow::sample_given`]: rows in the flow's
    /// units, and a context for each row. Where those return an error (a NaN, a density that cannot be computed) the graph
    /// returns NaN.
    ///
    /// # Errors
    /// [`ExportError::Operation`] for an operation that has no graph, [`ExportError::Flow`] where a layer has no formula in
    /// that direction.
    pub fn to_onnx(&self, export: Export) -> Result<Vec<u8>, ExportError> {
        let graph = export.graph();
        let d = self.flow().dim();
        let flow = FlowGraphs { graph: &graph, fitted: self, prefix: "" };
        let rows_of_d = [Axis::Batch, Axis::Of(d)];
        let context = |rows: &str| {
            let width = self.flow().context();
            (width > 0).then(|| {
                graph.input(
                    "context",
                    &[Axis::Batch, Axis::Of(width)],
                    &format!("the context of each {rows}"),
                )
            })
        };
        let mut metadata = vec![("computes", export.what.to_string())];
        match export.what {
            What::LogProb => {
                let x = graph.input("x", &rows_of_d, "rows in the units of the flow's data");
                let log_prob = flow.log_prob(x, context("row"), x.rows())?;
                graph.output("log_prob", log_prob, &[Axis::Batch], "ln p(x)");
                metadata.push(("log_prob", OUTSIDE.to_string()));
            }
            What::Inverse => {
                let x = graph.input("x", &rows_of_d, "rows in the units of the flow's data");
                let z = flow.inverse(x, context("row"), x.rows())?;
                graph.output("z", z, &rows_of_d, "the base variables of x");
            }
            What::Sample => {
                let sampler = Sampler::record(self)?;
                let meaning = noise(self, sampler.normal);
                let noise = graph.input("noise", &rows_of_d, &meaning);
                let uniform = sampler
                    .uniform
                    .map(|_| graph.input("uniform", &[Axis::Batch, Axis::Of(1)], UNIFORM))
                    .map(|uniform| uniform.squeeze(&[1]));
                let x = sampler.sample(&flow, noise, uniform, context("sample"), noise.rows())?;
                graph.output("x", x, &rows_of_d, "samples in the units of the flow's data");
                metadata.push(("noise", meaning));
            }
        }
        let name = format!("{} of a flow of {d} variables", export.what);
        Ok(file::bytes(graph.finish(export.what.name(), &name), &name, &metadata))
    }

    /// Writes an ONNX file, which is complete or absent; see [`FittedFlow::to_onnx`].
    ///
    /// # Errors
    /// As [`FittedFlow::to_onnx`], and [`ExportError::Write`].
    pub fn export_onnx(&self, path: impl AsRef<Path>, export: Export) -> Result<(), ExportError> {
        file::write(&self.to_onnx(export)?, path.as_ref())
    }
}

/// What the noise of a flow's samples is.
fn noise(fitted: &FittedFlow, normal: bool) -> String {
    match normal {
        true => "independent standard normal numbers".to_string(),
        false => format!("independent draws of the base {}", fitted.base().name()),
    }
}
