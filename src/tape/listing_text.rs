//! Listings in files: a step is the name of an operation, with its numbers and the steps that it uses.
//!
//! What is read is checked step by step before it is recorded. Equations and initial-value problems, which hold functions of
//! their own, are not written.

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::var::is_condition;
use super::{Binary, Choice, Data, Declaration, Listing, Node, NodeId, Op, Place, Shape, Unary, is_possible};

#[derive(Serialize, Deserialize)]
struct Text {
    input: Shape,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<Declaration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<u32>,
    steps: Vec<Step>,
    output: u32,
}

#[derive(Serialize, Deserialize)]
struct Step {
    op: String,
    /// The number of a function or of a parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number: Option<i64>,
    /// The numbers of a constant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<f64>,
    /// The positions of a gather or a scatter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    positions: Vec<u32>,
    /// The steps that are its operands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    of: Vec<u32>,
    shape: Shape,
    /// Where it was written.
    at: String,
}

/// The operation of a step; `None` if there is none of that name with these numbers.
fn op(step: &Step) -> Option<Op> {
    let choice = || Choice::ALL.iter().find(|choice| choice.name() == step.op);
    let binary = || Binary::ALL.iter().find(|function| function.name() == step.op);
    Some(match step.op.as_str() {
        "input" => Op::Input(0),
        "parameter" => Op::Parameter(u32::try_from(step.number?).ok()?),
        "constant" => Op::Constant(Data::new(&step.values)),
        "broadcast" => Op::Broadcast,
        "sum" => Op::Sum,
        "gather" => Op::Gather(step.positions.as_slice().into()),
        "scatter" => Op::Scatter(step.positions.as_slice().into()),
        "concat" => Op::Concat,
        "transpose" => Op::Transpose,
        "matvec" => Op::MatVec,
        "matmul" => Op::MatMul,
        "outer" => Op::Outer,
        "log_abs_det" => Op::LogAbsDet,
        "inverse" => Op::Inverse,
        "matrix_exp" => Op::MatrixExp,
        name => match (binary(), choice()) {
            (Some(function), _) => Op::Binary(*function),
            (None, Some(choice)) => Op::Choice(*choice),
            (None, None) => Op::Unary(Unary::named(name, step.number)?),
        },
    })
}

/// A node as a step; `None` for operations that hold functions.
fn step(node: &Node, place: Place) -> Option<Step> {
    let mut step = Step {
        op: node.op.name().to_string(),
        number: None,
        values: Vec::new(),
        positions: Vec::new(),
        of: node.operands.iter().map(|operand| operand.0).collect(),
        shape: node.shape,
        at: place.to_string(),
    };
    match &node.op {
        Op::Parameter(number) => step.number = Some(i64::from(*number)),
        Op::Constant(data) => step.values = data.values().to_vec(),
        Op::Unary(function) => step.number = function.number(),
        Op::Gather(positions) | Op::Scatter(positions) => step.positions = positions.to_vec(),
        Op::Equation(_) | Op::Solution(_) => return None,
        _ => {}
    }
    Some(step)
}

impl Serialize for Listing {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let steps: Option<Vec<Step>> =
            self.nodes.iter().zip(&self.places).map(|(node, place)| step(node, *place)).collect();
        let steps = steps.ok_or_else(|| S::Error::custom("an equation cannot be written as a step"))?;
        let parameters = self.parameters.clone();
        Text { input: self.input, parameters, context: self.context, steps, output: self.output.0 }
            .serialize(to)
    }
}

impl<'de> Deserialize<'de> for Listing {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Listing, D::Error> {
        let Text { input, parameters, context, steps, output } = Text::deserialize(from)?;
        let places = steps.iter().map(|step| Place::elsewhere(&step.at)).collect();
        let nodes: Result<Vec<Node>, D::Error> = steps
            .iter()
            .enumerate()
            .map(|(k, step)| {
                let unknown = || D::Error::custom(format!("step {k} is no operation: {}", step.op));
                let operands = step.of.iter().map(|operand| NodeId(*operand)).collect();
                Ok(Node { op: op(step).ok_or_else(unknown)?, operands, shape: step.shape })
            })
            .collect();
        let listing = Listing { nodes: nodes?, places, parameters, context, input, output: NodeId(output) };
        match listing.fault() {
            Some(fault) => Err(D::Error::custom(fault)),
            None => Ok(listing),
        }
    }
}

impl Listing {
    /// Returns what is wrong with a list that was read, if anything: nodes that do not fit their operands.
    fn fault(&self) -> Option<String> {
        for (k, node) in self.nodes.iter().enumerate() {
            let told = |what: &str| Some(format!("step {k} ({}) {what}", node.op.name()));
            if !is_possible(node.shape) {
                return told("has too many elements");
            }
            if node.operands.iter().any(|operand| operand.index() >= k) {
                return told("uses a later step");
            }
            let declared = match &node.op {
                Op::Input(0) => node.shape == self.input,
                Op::Parameter(number) => {
                    self.parameters.get(*number as usize).is_some_and(|own| own.shape == node.shape)
                }
                Op::Constant(data) => data.values().iter().all(|value| value.is_finite()),
                _ => true,
            };
            let shapes: Vec<Shape> =
                node.operands.iter().map(|operand| self.nodes[operand.index()].shape).collect();
            if !declared || !node.op.gives(&shapes, node.shape) {
                return told(&format!("does not give {}", node.shape));
            }
            if node.op == Op::Choice(Choice::Select)
                && !is_condition(node.operands[0], |id| self.nodes[id.index()].clone())
            {
                return told("chooses by a number that is no condition");
            }
        }
        let context = self.context.map(|number| self.parameters.get(number as usize));
        if context.is_some_and(|own| !own.is_some_and(|own| matches!(own.shape, Shape::Vector(_)))) {
            return Some("its context is no vector among its parameters".to_string());
        }
        (self.output.index() >= self.nodes.len()).then(|| "its result is none of its steps".to_string())
    }
}
