//! The order in which a flow is triangular, proven of its layers, and what conditional densities are computed with.
//!
//! Where each layer is triangular in the same order of the variables, or a function of each of them, so is the flow, and the
//! derivative of each variable is the product of those of the layers. Otherwise all layers are asked as one program.

use super::context::Contexts;
use super::error::FlowError;
use super::flow::Flow;
use crate::base::Base;
use crate::bijection::{InvertedLayer, inverse_by_layers, record_forward, record_inverse};
use crate::jacobian::{Structure, discover, map, prove, triangular_diagonal};
use crate::program::{Output, Program};
use crate::sweep::reach::{Reach, Relation};
use crate::tape::{NodeId, Op, Parameters, Shape, Subgraph, Tape};

/// What conditional densities are computed with; a flow compiles it once.
pub(super) struct ConditionalPrograms {
    /// The variables of x in their order.
    pub order: Vec<usize>,
    /// The base variable that each of these is computed from.
    pub sources: Vec<usize>,
    /// Whether each variable of x is a function of a single one of z, so that any order will do.
    pub diagonal: bool,
    /// The place of each variable's derivative, in the order.
    places: Vec<usize>,
    programs: Programs,
}

enum Programs {
    /// z and ln|∂z/∂x|, as functions of x.
    Together(Program<f64>),
    /// z as a function of x; and ln|∂x/∂z| as a function of z, or ln|∂z/∂x| as a function of x.
    Apart { inverse: Program<f64>, slopes: Box<Program<f64>>, forward: bool },
}

impl ConditionalPrograms {
    pub fn new(
        flow: &Flow,
        base: &dyn Base,
        parameters: &Parameters,
    ) -> Result<ConditionalPrograms, FlowError> {
        let d = flow.dim();
        if base.conditioned(&vec![false; d]).is_none() {
            let reason = format!("the base {} has no formula for some variables given others", base.name());
            return Err(FlowError::NoOrder { reason });
        }
        match ConditionalPrograms::by_layers(flow, parameters)? {
            Some(programs) => Ok(programs),
            None => ConditionalPrograms::of_the_whole(flow, parameters),
        }
    }

    /// `None` where some layer is not triangular, or two of them in different orders.
    fn by_layers(flow: &Flow, parameters: &Parameters) -> Result<Option<ConditionalPrograms>, FlowError> {
        let d = flow.dim();
        let tape = Tape::new();
        tape.context_by_row();
        let x = tape.input(Shape::Vector(d));
        let layers = inverse_by_layers(flow.bijection(), x)?;
        let mut order: Option<Vec<usize>> = None;
        // By variable of x: the variable that it has become on the way to z.
        let mut at: Vec<usize> = (0..d).collect();
        let mut slopes = tape.constant(0.0).broadcast(Shape::Vector(d));
        for layer in &layers {
            let Some(pairs) = Pairs::of(&tape, layer, d) else { return Ok(None) };
            let pair_of: Vec<usize> = at.iter().map(|variable| pairs.of_x[*variable]).collect();
            if !pairs.monomial {
                let mut own: Vec<usize> = (0..d).collect();
                own.sort_by_key(|variable| pair_of[*variable]);
                if order.get_or_insert_with(|| own.clone()) != &own {
                    return Ok(None);
                }
            }
            let logarithms = tape.var(pairs.diagonal).abs().ln().gather(&pair_of);
            slopes = if layer.is_turned { slopes + logarithms } else { slopes - logarithms };
            at = pair_of.iter().map(|pair| pairs.z[*pair]).collect();
        }
        let diagonal = order.is_none();
        let order = order.unwrap_or_else(|| (0..d).collect());
        let sources = order.iter().map(|variable| at[*variable]).collect();
        let z = layers.last().map_or(x.id(), |last| last.z);
        let program = compiled(parameters, &tape, x.id(), &[z, slopes.id()])?;
        let (places, programs) = (order.clone(), Programs::Together(program));
        Ok(Some(ConditionalPrograms { order, sources, diagonal, places, programs }))
    }

    /// Proves that all layers as one program are triangular.
    fn of_the_whole(flow: &Flow, parameters: &Parameters) -> Result<ConditionalPrograms, FlowError> {
        // An equation that is solved hides how its solution depends on what is given, and its derivatives take long to
        // compile, so that the direction in which the layers are formulas is the one to ask.
        let mut directions = [true, false].map(|forward| Recorded::new(flow, forward));
        let is_formula =
            |recorded: &Result<Recorded, FlowError>| recorded.as_ref().is_ok_and(Recorded::is_formula);
        if is_formula(&directions[1]) && !is_formula(&directions[0]) {
            directions.swap(0, 1);
        }
        let [first, second] = directions;
        let tape = Tape::new();
        tape.context_by_row();
        let x = tape.input(Shape::Vector(flow.dim()));
        let found = |recorded: Result<Recorded, FlowError>| recorded?.order(parameters);
        let found = found(first).or_else(|error| found(second).map_err(|_| error))?;
        let z = record_inverse(flow.bijection(), x)?;
        let inverse = compiled(parameters, &tape, x.id(), &[z.id()])?;
        let Found { order, sources, diagonal, slopes, forward } = found;
        // A diagonal map was proven in the natural order.
        let places = if diagonal { order.clone() } else { (0..order.len()).collect() };
        let programs = Programs::Apart { inverse, slopes: Box::new(slopes), forward };
        Ok(ConditionalPrograms { order, sources, diagonal, places, programs })
    }

    /// The place of the k-th variable's derivative.
    pub fn place(&self, k: usize) -> usize {
        self.places[k]
    }

    /// Returns z, and ln|∂z/∂x| by place.
    pub fn pulled(
        &self,
        rows: &[f64],
        contexts: &Contexts<'_>,
        count: usize,
    ) -> Result<(Vec<f64>, Vec<f64>), FlowError> {
        match &self.programs {
            Programs::Together(program) => {
                let mut both = program.run(&contexts.beside(rows), count)?;
                let slopes = both.pop().expect("slopes");
                Ok((both.pop().expect("z"), slopes))
            }
            Programs::Apart { inverse, slopes, forward } => {
                let z = inverse.run(&contexts.beside(rows), count)?.pop().expect("z");
                let at = if *forward { &z } else { rows };
                let mut slopes = slopes.run(&contexts.beside(at), count)?.pop().expect("slopes");
                if *forward {
                    slopes.iter_mut().for_each(|slope| *slope = -*slope);
                }
                Ok((z, slopes))
            }
        }
    }
}

/// Compiles what outputs need of an input and of the context.
fn compiled(
    parameters: &Parameters,
    tape: &Tape,
    input: NodeId,
    outputs: &[NodeId],
) -> Result<Program<f64>, FlowError> {
    let context = tape.declared_context().map(|context| context.id());
    let inputs: Vec<NodeId> = [input].into_iter().chain(context).collect();
    let outputs: Vec<Output> = outputs.iter().copied().map(Output::Each).collect();
    let mut program = Program::compile(tape, &inputs, &outputs);
    program.load(parameters)?;
    Ok(program)
}

/// The variables on both sides of a triangular layer: that of z in the k-th pair depends on those of x in the pairs up to k, and
/// the other way round.
struct Pairs {
    /// By variable of x: its pair.
    of_x: Vec<usize>,
    /// By pair: the variable of z.
    z: Vec<usize>,
    /// The derivatives, by pair.
    diagonal: NodeId,
    /// Whether each variable is a function of the other one of its pair alone.
    monomial: bool,
}

impl Pairs {
    /// `None` if the layer is not triangular.
    fn of(tape: &Tape, layer: &InvertedLayer, d: usize) -> Option<Pairs> {
        let InvertedLayer { record, is_turned, .. } = layer;
        let diagonal = record.diagonal?;
        let order = record.structure.order(d)?;
        // The record is from its input to its output: from z to x, unless it is turned round.
        let (inputs, outputs) = (order.inputs(), order.outputs());
        let (of_x, z_of) = if *is_turned { (inputs, outputs) } else { (outputs, inputs) };
        let mut pair_of_x = vec![0; d];
        of_x.iter().enumerate().for_each(|(pair, variable)| pair_of_x[*variable] = pair);
        let whole = map(tape, record.input, record.output);
        let reach = Reach::new(tape, &whole, Relation::Value);
        let labels: Vec<u32> = (0..d as u32).collect();
        let only = reach.only_input(&labels);
        let alone = |(element, output): (usize, usize)| {
            let pair = outputs.iter().position(|own| *own == output).expect("an order has all variables");
            only[element] as usize == inputs[pair]
        };
        let monomial = reach.output_elements().into_iter().zip(0..d).all(alone);
        Some(Pairs { of_x: pair_of_x, z: z_of.to_vec(), diagonal, monomial })
    }
}

/// x as a function of z, or z as a function of x.
struct Recorded {
    tape: Tape,
    from: NodeId,
    to: NodeId,
    forward: bool,
}

impl Recorded {
    fn new(flow: &Flow, forward: bool) -> Result<Recorded, FlowError> {
        let tape = Tape::new();
        tape.context_by_row();
        let (from, to) = {
            let from = tape.input(Shape::Vector(flow.dim()));
            let to = match forward {
                true => record_forward(flow.bijection(), from)?,
                false => record_inverse(flow.bijection(), from)?,
            };
            (from.id(), to.id())
        };
        Ok(Recorded { tape, from, to, forward })
    }

    /// Whether no equation is solved, nor an initial-value problem.
    fn is_formula(&self) -> bool {
        let nodes = Subgraph::new(&self.tape, &[self.from], &[self.to]);
        let solved = |node: &NodeId| matches!(self.tape.node(*node).op, Op::Equation(_) | Op::Solution(_));
        !nodes.nodes().iter().any(solved)
    }
}

/// The order of a triangular flow, and its derivatives.
struct Found {
    order: Vec<usize>,
    sources: Vec<usize>,
    diagonal: bool,
    forward: bool,
    /// ln|∂x/∂z| in the order of the proof, as a function of z; or ln|∂z/∂x| as a function of x.
    slopes: Program<f64>,
}

impl Recorded {
    /// Proves that the recorded function is triangular.
    fn order(&self, parameters: &Parameters) -> Result<Found, FlowError> {
        let Recorded { tape, from, to, forward } = self;
        let d = tape.shape(*from).len();
        let no_order = |reason: String| FlowError::NoOrder { reason };
        let whole = map(tape, *from, *to);
        let structure = discover(tape, &whole).map_err(|error| no_order(error.to_string()))?.structure;
        let proof = match &structure {
            Structure::Dense | Structure::LowRank { .. } => {
                return Err(no_order("each variable depends on every other".to_string()));
            }
            Structure::BlockTriangular { blocks, .. } => {
                let most = blocks.iter().max().unwrap_or(&d);
                return Err(no_order(format!("{most} variables depend on each other")));
            }
            found => prove(tape, &whole, found).map_err(|error| no_order(error.to_string()))?,
        };
        let proof = proof.ok_or_else(|| no_order("its structure is not proven".to_string()))?;
        let slopes = triangular_diagonal(tape, &whole, &proof).entries.abs().ln();
        let order = structure.order(d).expect("a triangular map has an order");
        let (inputs, outputs) = (order.inputs().to_vec(), order.outputs().to_vec());
        let (order, sources) = if *forward { (outputs, inputs) } else { (inputs, outputs) };
        let slopes = compiled(parameters, tape, *from, &[slopes.id()])?;
        Ok(Found { order, sources, diagonal: structure == Structure::Diagonal, forward: *forward, slopes })
    }
}
