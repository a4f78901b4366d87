//! The graphs of one flow: ln p, z, and samples.

use super::error::ExportError;
use super::graph::Graph;
use super::sweep::{Known, Sweep};
use super::value::Value;
use crate::bijection::{Domain, forward_with_log_det};
use crate::flow::{FittedFlow, FlowError};
use crate::tape::{NodeId, Shape, Subgraph, Tape};

/// A flow whose graphs are written beside one another, with what stands before the names of its parameters.
#[derive(Clone, Copy)]
pub(super) struct FlowGraphs<'g, 'f> {
    pub graph: &'g Graph,
    pub fitted: &'f FittedFlow,
    pub prefix: &'f str,
}

impl<'g> FlowGraphs<'g, '_> {
    fn sweep(&self, rows: Value<'g>) -> Sweep<'g, '_> {
        Sweep { graph: self.graph, rows, parameters: self.fitted.parameters(), prefix: self.prefix }
    }

    /// ln p of rows [rows, d]: -∞ outside of the support and at infinities, NaN where a number is NaN or where the
    /// library would return an error.
    pub fn log_prob(
        &self,
        x: Value<'g>,
        context: Option<Value<'g>>,
        rows: Value<'g>,
    ) -> Result<Value<'g>, ExportError> {
        let recorded = self.fitted.flow().density();
        let support = recorded.support.as_ref();
        let outside = support.map(|support| support.outside);
        let places: Vec<(NodeId, &Domain)> = support.into_iter().flat_map(|own| own.places()).collect();
        let outputs: Vec<NodeId> = [recorded.log_prob]
            .into_iter()
            .chain(outside)
            .chain(places.iter().map(|place| place.0))
            .collect();
        let sweep = self.sweep(rows);
        let subgraph = Subgraph::new(&recorded.tape, &recorded.inputs(), &outputs);
        let found = sweep.outputs(&recorded.tape, &subgraph, &given(x, context))?;
        let of = |k: usize| sweep.batched(found[k], recorded.tape.shape(outputs[k]));
        let graph = self.graph;
        let impossible = graph.number_of(graph.float(), f64::NEG_INFINITY);
        let mut log_prob = of(0);
        // A row on an end of a set that it must lie in, without a finite density.
        let mut on_an_end: Option<Value<'g>> = None;
        for (k, (node, domain)) in places.iter().enumerate() {
            let shape = recorded.tape.shape(*node);
            let ends: Vec<(f64, f64)> = (0..shape.len()).map(|i| domain.of(i).ends()).collect();
            let list = |end: &dyn Fn(&(f64, f64)) -> f64| {
                // What a value is not compared with is NaN, which equals nothing.
                let end = |pair| Some(end(pair)).filter(|end| end.is_finite()).unwrap_or(f64::NAN);
                graph.numbers(&[shape.len() as i64], &ends.iter().map(end).collect::<Vec<_>>())
            };
            let value = of(k + 2);
            let at = value.eq(list(&|pair| pair.0)).or(value.eq(list(&|pair| pair.1))).any();
            on_an_end = Some(on_an_end.map_or(at, |before| before.or(at)));
        }
        if let Some(on_an_end) = on_an_end {
            let no_number = log_prob.is_nan().or(log_prob.eq(f64::INFINITY));
            log_prob = on_an_end.and(no_number).select(impossible, log_prob);
        } else {
            // The library returns an error for ∞.
            let nan = graph.number_of(graph.float(), f64::NAN);
            log_prob = log_prob.eq(f64::INFINITY).select(nan, log_prob);
        }
        if outside.is_some() {
            log_prob = of(1).gt(0.0).select(impossible, log_prob);
        }
        log_prob = x.is_infinite().any().select(impossible, log_prob);
        let nan = graph.number_of(graph.float(), f64::NAN);
        Ok(x.is_nan().any().select(nan, log_prob))
    }

    /// z of rows [rows, d].
    pub fn inverse(
        &self,
        x: Value<'g>,
        context: Option<Value<'g>>,
        rows: Value<'g>,
    ) -> Result<Value<'g>, ExportError> {
        let recorded = self.fitted.flow().density();
        let sweep = self.sweep(rows);
        let subgraph = Subgraph::new(&recorded.tape, &recorded.inputs(), &[recorded.z]);
        let found = sweep.outputs(&recorded.tape, &subgraph, &given(x, context))?;
        Ok(sweep.batched(found[0], recorded.tape.shape(recorded.z)))
    }
}

fn given<'g>(x: Value<'g>, context: Option<Value<'g>>) -> Vec<Known<'g>> {
    [x].into_iter().chain(context).map(|value| Known::new(value, true)).collect()
}

/// How samples of a flow are computed: the recording of x, as a function of noise.
pub(super) struct Sampler {
    tape: Tape,
    noise: NodeId,
    /// A number that is uniform on (0, 1), if the base needs one.
    pub uniform: Option<NodeId>,
    context: Option<NodeId>,
    x: NodeId,
    /// Whether the noise is standard normal; else it is drawn from the base.
    pub normal: bool,
}

impl Sampler {
    /// Records it.
    ///
    /// # Errors
    /// Why a layer has no formula from z to x.
    pub fn record(fitted: &FittedFlow) -> Result<Sampler, ExportError> {
        let tape = Tape::new();
        tape.context_by_row();
        let (noise, uniform, x, normal) = {
            let noise = tape.input(Shape::Vector(fitted.flow().dim()));
            let uniform = tape.input(Shape::Scalar);
            let drawn = fitted.base().draw(noise, uniform);
            let z = drawn.unwrap_or(noise);
            let x = forward_with_log_det(fitted.flow().bijection(), z).map_err(FlowError::from)?.x;
            (noise.id(), uniform.id(), x.id(), drawn.is_some())
        };
        let context = tape.declared_context().map(|context| context.id());
        let is_needed = Subgraph::new(&tape, &[], &[x]).position(uniform).is_some();
        Ok(Sampler { tape, noise, uniform: is_needed.then_some(uniform), context, x, normal })
    }

    /// x of rows of noise [rows, d], and of uniform numbers [rows] if they are needed.
    pub fn sample<'g>(
        &self,
        flow: &FlowGraphs<'g, '_>,
        noise: Value<'g>,
        uniform: Option<Value<'g>>,
        context: Option<Value<'g>>,
        rows: Value<'g>,
    ) -> Result<Value<'g>, ExportError> {
        let uniform = self.uniform.zip(uniform);
        let context = self.context.zip(context);
        let inputs: Vec<(NodeId, Value<'g>)> =
            [(self.noise, noise)].into_iter().chain(uniform).chain(context).collect();
        let nodes: Vec<NodeId> = inputs.iter().map(|input| input.0).collect();
        let values: Vec<Known<'g>> = inputs.iter().map(|input| Known::new(input.1, true)).collect();
        let sweep = flow.sweep(rows);
        let found = sweep.outputs(&self.tape, &Subgraph::new(&self.tape, &nodes, &[self.x]), &values)?;
        Ok(sweep.batched(found[0], self.tape.shape(self.x)))
    }
}
