//! The order in which a flow is triangular, proven of its layers as one program, and what conditional densities are
//! computed with.

use super::error::FlowError;
use super::flow::Flow;
use crate::base::Base;
use crate::bijection::{record_forward, record_inverse};
use crate::jacobian::{Structure, discover, map, prove, triangular_diagonal};
use crate::program::{Output, Program};
use crate::tape::{NodeId, Op, Parameters, Shape, Subgraph, Tape};

/// What conditional densities are computed with; a flow compiles it once.
pub(super) struct ConditionalPrograms {
    /// z of x (and the context).
    pub inverse: Program<f64>,
    pub slopes: Slopes,
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
        // An equation that is solved hides how its solution depends on what is given, and its derivatives take long to
        // compile, so that the direction in which the layers are formulas is the one to ask.
        let mut directions = [true, false].map(|forward| Recorded::new(flow, forward));
        let is_formula =
            |recorded: &Result<Recorded, FlowError>| recorded.as_ref().is_ok_and(Recorded::is_formula);
        if is_formula(&directions[1]) && !is_formula(&directions[0]) {
            directions.swap(0, 1);
        }
        let [first, second] = directions;
        let slopes = |recorded: Result<Recorded, FlowError>| Slopes::new(&recorded?, parameters);
        let slopes = slopes(first).or_else(|error| slopes(second).map_err(|_| error))?;
        let tape = Tape::new();
        tape.context_by_row();
        let x = tape.input(Shape::Vector(d));
        let z = record_inverse(flow.bijection(), x)?;
        let inverse = compiled(parameters, &tape, x.id(), z.id())?;
        Ok(ConditionalPrograms { inverse, slopes })
    }
}

/// Compiles what an output needs of an input and of the context.
fn compiled(
    parameters: &Parameters,
    tape: &Tape,
    input: NodeId,
    output: NodeId,
) -> Result<Program<f64>, FlowError> {
    let context = tape.declared_context().map(|context| context.id());
    let inputs: Vec<NodeId> = [input].into_iter().chain(context).collect();
    let mut program = Program::compile(tape, &inputs, &[Output::Each(output)]);
    program.load(parameters)?;
    Ok(program)
}

/// The order of a triangular flow, and its derivatives.
pub(super) struct Slopes {
    /// The variables of x in their order.
    pub order: Vec<usize>,
    /// The base variable that each of these is computed from.
    pub sources: Vec<usize>,
    pub diagonal: bool,
    pub forward: bool,
    /// ln|∂x/∂z| in the order of the proof, as a function of z; or ln|∂z/∂x| as a function of x.
    pub program: Program<f64>,
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

impl Slopes {
    /// Proves that the recorded function is triangular.
    fn new(recorded: &Recorded, parameters: &Parameters) -> Result<Slopes, FlowError> {
        let Recorded { tape, from, to, forward } = recorded;
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
        let program = compiled(parameters, tape, *from, slopes.id())?;
        Ok(Slopes { order, sources, diagonal: structure == Structure::Diagonal, forward: *forward, program })
    }

    /// The place of the k-th slope among those of the program.
    pub fn place(&self, k: usize) -> usize {
        // A diagonal map was proven in the natural order.
        if self.diagonal { self.order[k] } else { k }
    }
}
