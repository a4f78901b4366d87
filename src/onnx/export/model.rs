//! The graphs of a model of a table: a mixture of flows, in the units of the file.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::column;
use super::error::ExportError;
use super::file;
use super::flow::{FlowGraphs, Sampler};
use super::graph::{Axis, Graph};
use super::value::Value;
use super::{Export, OUTSIDE, What, noise};
use crate::model::{Encoding, Model, cell_shares};
use crate::onnx::schema::DataType;

/// The names of inputs of noise.
const NOISES: [&str; 3] = ["noise", "noise_2", "noise_3"];

/// The inputs of a graph that stand beside its rows.
struct Beside<'g> {
    graph: &'g Graph,
    /// The context numbers of the flows, if they have a context.
    context: Option<Value<'g>>,
    /// ln p of the row's categories, if they are part of the density.
    log_share: Option<Value<'g>>,
}

impl Model {
    /// Returns the bytes of an ONNX file that computes ln p, z or samples of rows in the units of the file, for batches of
    /// any size.
    ///
    /// `x` [batch, columns] are the modelled columns in their order, `context` [batch, columns] the given ones, `categories`
    /// [batch, columns] those that are part of the density; a category is the place of its level, from 0. The metadata
    /// of the file lists them. `log_prob` is what [`Model::score`] computes of complete rows, the mean density of the cell of
    /// rounded values included. A missing value makes NaN. `sample` takes `noise` [batch, columns], and `uniform` [batch, k]
    /// if flows, components or categories are to be drawn.
    ///
    /// # Errors
    /// [`ExportError::Mixture`] for z of several flows, and as [`FittedFlow::to_onnx`](crate::flow::FittedFlow::to_onnx).
    pub fn to_onnx(&self, export: Export) -> Result<Vec<u8>, ExportError> {
        let graph = export.graph();
        let mut metadata = self.metadata(export);
        let rows = [Axis::Batch, Axis::Of(self.columns().len())];
        let names = names(self.columns().iter().map(|column| &column.name));
        match export.what {
            What::LogProb => {
                let x = graph.input("x", &rows, &format!("rows in the units of the file: {names}"));
                let log_prob = self.log_prob_graph(&graph, x)?;
                graph.output("log_prob", log_prob, &[Axis::Batch], "ln p(x)");
                metadata.push(("log_prob", OUTSIDE.to_string()));
            }
            What::Inverse => {
                let x = graph.input("x", &rows, &format!("rows in the units of the file: {names}"));
                let beside = self.beside(&graph);
                let count = self.flows().count();
                let Some((_, fitted)) = self.flows().next().filter(|_| count == 1) else {
                    return Err(ExportError::Mixture { flows: count });
                };
                let flow = FlowGraphs { graph: &graph, fitted, prefix: "flows.0." };
                let z = flow.inverse(self.wrapped(x), beside.context, x.rows())?;
                graph.output("z", z, &rows, "the base variables of x");
            }
            What::Sample => {
                let meaning = self.sample_graph(&graph, &rows)?;
                metadata.extend(meaning);
            }
        }
        let name = format!("{} of {names}", export.what);
        Ok(file::bytes(graph.finish(export.what.name(), &name), &name, &metadata))
    }

    /// Writes an ONNX file, which is complete or absent; see [`Model::to_onnx`].
    ///
    /// # Errors
    /// As [`Model::to_onnx`], and [`ExportError::Write`].
    pub fn export_onnx(&self, path: impl AsRef<Path>, export: Export) -> Result<(), ExportError> {
        file::write(&self.to_onnx(export)?, path.as_ref())
    }

    /// What a file says of the model.
    fn metadata(&self, export: Export) -> Vec<(&'static str, String)> {
        let columns = self.columns().iter();
        let columns: Vec<Json> =
            columns.map(|column| json!({"name": column.name, "kind": column.kind.to_string()})).collect();
        let given: Vec<Json> = self
            .given()
            .iter()
            .map(|column| match &column.encoding {
                Encoding::OneHot { levels } => json!({"name": column.name, "levels": levels}),
                _ => json!({"name": column.name}),
            })
            .collect();
        let categories = self.categories().into_iter().flat_map(|all| &all.columns);
        let categories: Vec<Json> =
            categories.map(|column| json!({"name": column.name, "levels": column.levels})).collect();
        let listed = |values: Vec<Json>| Json::from(values).to_string();
        let mut metadata = vec![
            ("computes", export.what.to_string()),
            ("columns", listed(columns)),
            ("units", "those of the table that the model was fitted to".to_string()),
            ("seed", self.fit_record().seed.to_string()),
            ("pushforward", env!("CARGO_PKG_VERSION").to_string()),
        ];
        if !given.is_empty() {
            metadata.push(("context", listed(given)));
        }
        if !categories.is_empty() {
            metadata.push(("categories", listed(categories)));
        }
        metadata
    }

    fn flow_graphs<'g>(
        &self,
        graph: &'g Graph,
        each: impl FnMut(usize, f64, FlowGraphs<'g, '_>) -> Result<Value<'g>, ExportError>,
    ) -> Result<Vec<Value<'g>>, ExportError> {
        let mut each = each;
        let flows = self.flows().enumerate().map(|(k, (weight, fitted))| {
            let prefix = format!("flows.{k}.");
            each(k, weight, FlowGraphs { graph, fitted, prefix: &prefix })
        });
        flows.collect()
    }

    /// Rows with angles in the period that begins at the cut.
    fn wrapped<'g>(&self, x: Value<'g>) -> Value<'g> {
        let columns: Vec<Value<'g>> = self.split(x);
        let columns: Vec<Value<'g>> =
            self.columns().iter().zip(columns).map(|(own, v)| column::wrapped(own, v)).collect();
        x.graph.concat(1, &columns)
    }

    /// The columns of rows, [rows, 1] each.
    fn split<'g>(&self, x: Value<'g>) -> Vec<Value<'g>> {
        (0..self.columns().len() as i64).map(|i| x.gather(1, x.graph.integers(&[i]))).collect()
    }

    fn log_prob_graph<'g>(&self, graph: &'g Graph, x: Value<'g>) -> Result<Value<'g>, ExportError> {
        let d = self.columns().len() as i64;
        let beside = self.beside(graph);
        let wrapped = self.wrapped(x);
        let shares = cell_shares(self.columns());
        let points = shares.iter().flatten().map(Vec::len).next();
        let (inputs, context) = match points {
            None => (wrapped, beside.context),
            Some(points) => {
                let points = points as i64;
                let of_rows = |width: &[i64]| graph.concat(0, &[x.rows(), graph.integers(width)]);
                let columns = self.columns().iter().zip(self.split(wrapped)).zip(&shares);
                let cells: Vec<Value<'g>> = columns
                    .map(|((own, v), shares)| match shares {
                        Some(shares) => column::in_cell(own, v, shares),
                        None => v,
                    })
                    .map(|points_of| points_of.expand(of_rows(&[points])).unsqueeze(&[2]))
                    .collect();
                let spread = |context: Value<'g>| {
                    let width = self.context_numbers() as i64;
                    context.unsqueeze(&[1]).expand(of_rows(&[points, width])).reshape(&[-1, width])
                };
                (graph.concat(2, &cells).reshape(&[-1, d]), beside.context.map(spread))
            }
        };
        let logs = self.flow_graphs(graph, |_, weight, flow| {
            let log_prob = flow.log_prob(inputs, context, inputs.rows())?;
            Ok(if weight == 1.0 { log_prob } else { log_prob + weight.ln() })
        })?;
        let log_prob = match logs[..] {
            [only] => only,
            _ => {
                let logs: Vec<Value<'g>> = logs.into_iter().map(|log| log.unsqueeze(&[1])).collect();
                log_sum(graph.concat(1, &logs))
            }
        };
        let log_prob = match points {
            None => log_prob,
            Some(points) => log_sum(log_prob.reshape(&[-1, points as i64])) - (points as f64).ln(),
        };
        Ok(beside.log_share.map_or(log_prob, |share| log_prob + share))
    }

    /// The number of context numbers of the flows.
    fn context_numbers(&self) -> usize {
        self.flows().next().map_or(0, |(_, flow)| flow.flow().context())
    }

    /// The context of the given columns, as an input.
    fn given_graph<'g>(&self, graph: &'g Graph) -> Option<Value<'g>> {
        let given = self.given();
        if given.is_empty() {
            return None;
        }
        let names = names(given.iter().map(|column| &column.name));
        let axes = [Axis::Batch, Axis::Of(given.len())];
        let input =
            graph.input("context", &axes, &format!("given columns in the units of the file: {names}"));
        let encoded: Vec<Value<'g>> = given
            .iter()
            .enumerate()
            .map(|(i, own)| column::encoded(&own.encoding, input.gather(1, graph.integers(&[i as i64]))))
            .collect();
        Some(graph.concat(1, &encoded))
    }

    /// The inputs beside the rows of a density.
    fn beside<'g>(&self, graph: &'g Graph) -> Beside<'g> {
        let given = self.given_graph(graph);
        let Some(categories) = self.categories() else {
            return Beside { graph, context: given, log_share: None };
        };
        let names = names(categories.columns.iter().map(|column| &column.name));
        let axes = [Axis::Batch, Axis::Of(categories.columns.len())];
        let input =
            graph.input("categories", &axes, &format!("the place of each row's level, from 0: {names}"));
        let levels: Vec<usize> = categories.columns.iter().map(|column| column.levels.len()).collect();
        let (place, known) = column::combination(&levels, input);
        let logs: Vec<f64> = categories.shares.iter().map(|share| share.ln()).collect();
        let log_share = graph.numbers(&[logs.len() as i64], &logs).gather(0, place);
        // No row of the fit had such a level; a missing one is NaN.
        let none = graph.number_of(graph.float(), f64::NEG_INFINITY);
        let missing = input.is_nan().any();
        let log_share = known.select(log_share, none);
        let log_share = missing.select(graph.number_of(graph.float(), f64::NAN), log_share);
        let beside = Beside { graph, context: given, log_share: Some(log_share) };
        beside.with_categories(self.one_hot(graph, place))
    }

    /// The context numbers of combinations of categories.
    fn one_hot<'g>(&self, graph: &'g Graph, place: Value<'g>) -> Value<'g> {
        let categories = self.categories().expect("categories");
        let mut table = Vec::new();
        (0..categories.shares.len()).for_each(|combination| categories.encode(combination, &mut table));
        let dims = [categories.shares.len() as i64, categories.width() as i64];
        graph.numbers(&dims, &table).gather(0, place)
    }

    /// The graph of samples; returns what its noise is.
    fn sample_graph(&self, graph: &Graph, axes: &[Axis]) -> Result<Vec<(&'static str, String)>, ExportError> {
        let samplers: Vec<Sampler> =
            self.flows().map(|(_, flow)| Sampler::record(flow)).collect::<Result<_, _>>()?;
        let meanings: Vec<String> =
            self.flows().zip(&samplers).map(|((_, flow), own)| noise(flow, own.normal)).collect();
        // Flows that need the same noise may have the same numbers: one of them is chosen.
        let mut noises: Vec<(&String, Value<'_>)> = Vec::new();
        let mut metadata = Vec::new();
        for meaning in &meanings {
            if noises.iter().all(|(known, _)| *known != meaning) {
                let name = NOISES.get(noises.len()).copied().ok_or_else(|| {
                    ExportError::Columns(format!(
                        "the flows of this model have more than {} kinds of bases: export its log_prob",
                        NOISES.len()
                    ))
                })?;
                noises.push((meaning, graph.input(name, axes, meaning)));
                metadata.push((name, meaning.clone()));
            }
        }
        let noise_of = |k: usize| {
            let (_, noise) = noises.iter().find(|(meaning, _)| **meaning == meanings[k]).expect("its noise");
            *noise
        };
        let rows = noise_of(0).rows();
        // What uniform numbers decide, in the order of their columns.
        let decides = [
            ("the flow", samplers.len() > 1),
            ("the component of the base", samplers.iter().any(|sampler| sampler.uniform.is_some())),
            ("the categories", self.categories().is_some()),
        ];
        let decides: Vec<&str> =
            decides.into_iter().filter(|(_, needed)| *needed).map(|(what, _)| what).collect();
        let mut uniform = None;
        if !decides.is_empty() {
            let meaning =
                format!("uniform numbers on (0, 1), of which each column decides: {}", decides.join(", "));
            uniform = Some(graph.input("uniform", &[Axis::Batch, Axis::Of(decides.len())], &meaning));
            metadata.push(("uniform", meaning));
        }
        let deciding = |what: &str| {
            let column = decides.iter().position(|own| *own == what)? as i64;
            Some(uniform?.gather(1, graph.integers_shaped(&[], &[column])))
        };
        let mut context = self.given_graph(graph);
        if let (Some(categories), Some(u)) = (self.categories(), deciding("the categories")) {
            let place = chosen(&categories.shares, u);
            let beside = Beside { graph, context, log_share: None };
            context = beside.with_categories(self.one_hot(graph, place)).context;
            let columns = categories.columns.len();
            let levels = (0..categories.shares.len()).flat_map(|combination| categories.levels(combination));
            let levels: Vec<f64> = levels.map(|level| level as f64).collect();
            let dims = [categories.shares.len() as i64, columns as i64];
            let drawn = graph.numbers(&dims, &levels).gather(0, place);
            let names = names(categories.columns.iter().map(|column| &column.name));
            let meaning = format!("the places of the levels that were drawn: {names}");
            graph.output("categories", drawn, &[Axis::Batch, Axis::Of(columns)], &meaning);
        }
        let component = deciding("the component of the base");
        let drawn = self.flow_graphs(graph, |k, _, flow| {
            samplers[k].sample(&flow, noise_of(k), component, context, rows)
        })?;
        let mut x = drawn[0];
        if let Some(u) = deciding("the flow") {
            let weights: Vec<f64> = self.flows().map(|(weight, _)| weight).collect();
            let place = chosen(&weights, u).unsqueeze(&[1]);
            for (k, other) in drawn.iter().enumerate().skip(1) {
                x = place.eq(k as f64).select(*other, x);
            }
        }
        let columns: Vec<_> =
            self.columns().iter().zip(self.split(x)).map(|(own, v)| column::written(own, v)).collect();
        let names = names(self.columns().iter().map(|column| &column.name));
        graph.output(
            "x",
            graph.concat(1, &columns),
            axes,
            &format!("rows in the units of the file: {names}"),
        );
        Ok(metadata)
    }
}

impl<'g> Beside<'g> {
    /// With the context numbers of categories after those of given columns.
    fn with_categories(self, categories: Value<'g>) -> Beside<'g> {
        let context = match self.context {
            Some(given) => self.graph.concat(1, &[given, categories]),
            None => categories,
        };
        Beside { context: Some(context), ..self }
    }
}

/// ln Σ exp along the last axis, -∞ where all are.
fn log_sum(logs: Value<'_>) -> Value<'_> {
    let most = logs.reduce("ReduceMax", &[-1], true);
    let none = most.eq(f64::NEG_INFINITY);
    let most = none.select(logs.graph.number_of(logs.kind, 0.0), most);
    (logs - most).exp().sum(&[-1]).ln() + most.squeeze(&[-1])
}

/// The place of the share that a uniform number [rows] falls into.
fn chosen<'g>(shares: &[f64], uniform: Value<'g>) -> Value<'g> {
    let total: f64 = shares.iter().sum();
    let ends = shares[..shares.len() - 1].iter().scan(0.0, |sum, share| {
        *sum += share / total;
        Some(*sum)
    });
    let ends: Vec<f64> = ends.collect();
    if ends.is_empty() {
        return uniform.cast(DataType::Int64) * 0.0;
    }
    let ends = uniform.graph.numbers(&[1, ends.len() as i64], &ends);
    uniform.unsqueeze(&[1]).ge(ends).cast(DataType::Int64).sum(&[1])
}

fn names<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}
