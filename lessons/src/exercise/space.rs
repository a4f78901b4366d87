//! The variables of formulas, their domains, and the values of formulas there.
//!
//! Values come with an estimate of their rounding error: Σ |v·∂y/∂v| over all intermediate values v, in units
//! of the last place. Where that is as large as the difference to be detected, or where something overflows,
//! a point gives no information; where the argument of a logarithm or a root is invalid, the formula is
//! undefined there.

use pushforward::bijection::Domain;
use pushforward::program::{Output, Program};
use pushforward::sweep::adjoint;
use pushforward::sweep::bound::{Bound, Bounds};
use pushforward::sweep::is_total;
use pushforward::tape::{
    Binary, Choice, Equation, NodeId, Op, Parameters, Shape, Subgraph, Tape, Unary, Var,
};

/// Maximum error of one operation in units in the last place.
const ULPS: f64 = 16.0;

/// Inputs of formulas, and the domain of each of their elements.
#[derive(Clone, Debug)]
pub struct Space<'t> {
    tape: &'t Tape,
    inputs: Vec<Var<'t>>,
    domains: Vec<Domain>,
    within: Vec<(NodeId, Bound)>,
    /// The values of the parameters; `None` for the initial values.
    parameters: Option<Parameters>,
}

impl<'t> Space<'t> {
    /// Builds a space with the domain ℝᵈ.
    pub fn reals(input: Var<'t>) -> Space<'t> {
        Space::of(input, Domain::Reals)
    }

    /// Builds a space with one input, all elements of which have the same domain.
    pub fn of(input: Var<'t>, domain: Domain) -> Space<'t> {
        Space::each(input, &vec![domain; input.len()])
    }

    /// Builds a space with one input, each element of which has its own domain.
    ///
    /// # Panics
    /// When the number of domains differs from the number of elements.
    pub fn each(input: Var<'t>, domains: &[Domain]) -> Space<'t> {
        assert_eq!(input.len(), domains.len(), "a domain for each element");
        let tape = input.tape();
        let within = match domains.iter().all(|domain| domain == &domains[0]) {
            true => vec![(input.id(), domains[0].clone().into())],
            false => domains
                .iter()
                .enumerate()
                .map(|(k, domain)| (input.at(k).id(), domain.clone().into()))
                .collect(),
        };
        Space { tape, inputs: vec![input], domains: domains.to_vec(), within, parameters: None }
    }

    /// Adds another input, with the domain ℝᵈ.
    pub fn and(mut self, input: Var<'t>) -> Space<'t> {
        self.domains.extend(vec![Domain::Reals; input.len()]);
        self.inputs.push(input);
        self
    }

    /// Sets the values of the parameters.
    pub fn with(mut self, parameters: Parameters) -> Space<'t> {
        self.parameters = Some(parameters);
        self
    }

    /// The tape of the inputs.
    pub fn tape(&self) -> &'t Tape {
        self.tape
    }

    /// Number of variables.
    pub fn width(&self) -> usize {
        self.domains.len()
    }

    /// The domain of each variable.
    pub fn domains(&self) -> &[Domain] {
        &self.domains
    }

    /// The bounds of the input nodes.
    pub fn within(&self) -> &[(NodeId, Bound)] {
        &self.within
    }

    /// Returns the input, if there is only one and there are no parameters.
    pub(super) fn only_input(&self) -> Option<Var<'t>> {
        let alone = self.tape.declarations().is_empty() && self.tape.declared_context().is_none();
        match self.inputs.as_slice() {
            [input] if alone => Some(*input),
            _ => None,
        }
    }

    /// The inputs as nodes.
    pub(super) fn ids(&self) -> Vec<NodeId> {
        self.inputs.iter().map(|input| input.id()).collect()
    }

    /// Returns the subgraph of these formulas.
    pub(super) fn subgraph(&self, outputs: &[Var<'_>]) -> Subgraph {
        Subgraph::new(self.tape, &self.ids(), &outputs.iter().map(|output| output.id()).collect::<Vec<_>>())
    }

    /// Computes some nodes at rows of all variables, one vector a node.
    ///
    /// # Panics
    /// When the last row is incomplete.
    pub fn numbers(&self, outputs: &[Var<'_>], rows: &[f64]) -> Vec<Vec<f64>> {
        let width = self.width();
        assert!(
            rows.len().is_multiple_of(width),
            "{} values cannot be split into rows of {width}",
            rows.len()
        );
        let wanted: Vec<Output> = outputs.iter().map(|output| Output::Each(output.id())).collect();
        let mut program = Program::<f64>::compile(self.tape, &self.ids(), &wanted);
        let start = || Parameters::initialise(self.tape, 0);
        let parameters = self.parameters.clone().unwrap_or_else(start);
        program.load(&parameters).expect("the parameters are the tape's own");
        let mut start = 0;
        let parts: Vec<Vec<f64>> = self
            .inputs
            .iter()
            .map(|input| {
                let range = start..start + input.len();
                start = range.end;
                rows.chunks(width).flat_map(|row| row[range.clone()].iter().copied()).collect()
            })
            .collect();
        let parts: Vec<&[f64]> = parts.iter().map(Vec::as_slice).collect();
        program.run(&parts, rows.len() / width).expect("whole rows of all inputs")
    }

    /// Records a first-order bound of the rounding error of a scalar, over all intermediate values.
    pub fn rounding(&self, output: Var<'t>) -> Var<'t> {
        let subgraph = self.subgraph(&[output]);
        let computed: Vec<NodeId> = subgraph
            .nodes()
            .iter()
            .copied()
            .filter(|id| !subgraph.is_input(*id) && !moves(&self.tape.node(*id).op))
            .collect();
        let one = self.tape.constant(1.0);
        let weights = adjoint(self.tape, &subgraph, &[(output.id(), one)], &computed);
        let mut sum = self.tape.constant(0.0);
        for (id, weight) in computed.into_iter().zip(weights) {
            if let Some(weight) = weight {
                let moved = (self.tape.var(id) * weight).abs();
                sum = sum + if moved.shape() == Shape::Scalar { moved } else { moved.sum() };
            }
        }
        ULPS * f64::EPSILON * sum
    }

    /// Returns the operation that is undefined at a row, if there is one; rounding and overflow do not count.
    pub fn undefined(&self, output: Var<'_>, row: &[f64]) -> Option<&'static str> {
        let subgraph = self.subgraph(&[output]);
        let nodes: Vec<Var<'_>> = subgraph.nodes().iter().map(|id| self.tape.var(*id)).collect();
        let numbers = self.numbers(&nodes, row);
        let place = |id: NodeId| subgraph.nodes().binary_search(&id).expect("operands belong to the program");
        let finite = |id: NodeId| numbers[place(id)].iter().all(|value| value.is_finite());
        let bounds = Bounds::new(self.tape, &self.within);
        let mut open = vec![output.id()];
        let mut seen = Vec::new();
        while let Some(id) = open.pop() {
            if seen.contains(&id) || finite(id) || subgraph.is_input(id) {
                continue;
            }
            seen.push(id);
            let node = self.tape.node(id);
            let looked: Vec<NodeId> = match node.op {
                // The branch that is not taken is not looked at.
                Op::Choice(Choice::Select) if node.shape.len() == 1 => {
                    let taken = if numbers[place(node.operands[0])][0] != 0.0 { 1 } else { 2 };
                    vec![node.operands[0], node.operands[taken]]
                }
                _ => node.operands.to_vec(),
            };
            let before: Vec<NodeId> = looked.iter().copied().filter(|operand| !finite(*operand)).collect();
            if !before.is_empty() {
                open.extend(before);
                continue;
            }
            // Bounds that define it for all inputs leave only rounding: a factor that fell to 0.
            let partial = match node.op {
                Op::Unary(op) => !is_total(op),
                Op::Binary(Binary::Div | Binary::Pow) => true,
                Op::LogAbsDet | Op::Inverse | Op::Equation(Equation::Root(_) | Equation::System(_)) => true,
                _ => false,
            };
            let divisor = match node.op {
                Op::Binary(Binary::Div) => Some(node.operands[1]),
                Op::Unary(Unary::Recip | Unary::Powi(_)) => Some(node.operands[0]),
                _ => None,
            };
            let divided = divisor.is_none_or(|id| numbers[place(id)].contains(&0.0));
            if partial && divided && !bounds.of(id).defined {
                return Some(node.op.name());
            }
        }
        None
    }
}

/// Returns whether an operation only moves numbers, and so does not round.
fn moves(op: &Op) -> bool {
    matches!(
        op,
        Op::Gather(_)
            | Op::Scatter(_)
            | Op::Concat
            | Op::Broadcast
            | Op::Transpose
            | Op::Unary(Unary::Neg | Unary::Abs)
    ) || matches!(
        op,
        Op::Binary(Binary::Less | Binary::LessEq)
            | Op::Unary(Unary::Sign)
            | Op::Choice(Choice::Select | Choice::Min | Choice::Max)
    )
}
