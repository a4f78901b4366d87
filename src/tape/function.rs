//! Functions held by nodes, for inverses that are solutions of equations.
//!
//! An inverse that is not a formula is still a node: the z that solves an equation. The equation is a
//! function of z and of other nodes, stored as a list of nodes with their own numbering.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::{Data, Indices, Node, NodeId, Op, Place, Shape, Tape, Var};

/// A recorded function: input 0 is its variable, the other inputs are captured nodes.
#[derive(Clone, Debug)]
pub struct Function {
    nodes: Vec<Node>,
    places: Vec<Place>,
    output: NodeId,
}

/// The solution of z = G(z), where element i of G depends only on the elements of z before i: solved element
/// by element.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Substitution {
    /// G.
    pub function: Arc<Function>,
    /// The place of each element in the order of solving.
    pub order: Indices,
}

/// The solution of h(z) = 0, where element e of h is strictly increasing in element e of z and independent of
/// the others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Root {
    /// h.
    pub function: Arc<Function>,
    /// The two ends between which each element of z lies.
    pub ends: Data,
}

/// The solution of z = G(z), where G brings points nearer: |G(z) - G(z′)| ≤ L·|z - z′| in ‖·‖₂ with L < 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Contraction {
    /// G.
    pub function: Arc<Function>,
    /// L.
    pub lipschitz: Data,
}

impl Contraction {
    /// L.
    pub fn constant(&self) -> f64 {
        self.lipschitz.values()[0]
    }
}

/// A solution of h(c) = 0 for several unknowns together, sought by Newton's method from c = 0. That there is one, and only
/// one, is not known: where none is found the solution is NaN.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct System {
    /// h.
    pub function: Arc<Function>,
}

/// An equation that a node's z satisfies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Equation {
    /// z = G(z) for a strictly triangular G.
    Substitution(Arc<Substitution>),
    /// h(z) = 0 for an h that is strictly increasing in each element.
    Root(Arc<Root>),
    /// z = G(z) for a contraction G.
    Contraction(Arc<Contraction>),
    /// h(c) = 0 for several unknowns together.
    System(Arc<System>),
}

impl Equation {
    /// The name in messages and printed programs.
    pub fn name(&self) -> &'static str {
        match self {
            Equation::Substitution(_) => "substitution",
            Equation::Root(_) => "root",
            Equation::Contraction(_) => "contraction",
            Equation::System(_) => "system of equations",
        }
    }

    /// G or h.
    pub fn function(&self) -> &Arc<Function> {
        match self {
            Equation::Substitution(substitution) => &substitution.function,
            Equation::Root(root) => &root.function,
            Equation::Contraction(contraction) => &contraction.function,
            Equation::System(system) => &system.function,
        }
    }
}

impl Function {
    /// Builds a function from nodes that refer to one another by position in the list; inputs come first.
    pub(crate) fn new(nodes: Vec<Node>, places: Vec<Place>, output: NodeId) -> Function {
        assert!(nodes.len() == places.len() && output.index() < nodes.len(), "an output among the nodes");
        Function { nodes, places, output }
    }

    /// The nodes, operands before users.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node of its result.
    pub fn output(&self) -> NodeId {
        self.output
    }

    /// Where a node was recorded.
    pub fn place(&self, node: NodeId) -> Place {
        self.places[node.index()]
    }

    /// Number of inputs, its variable included.
    pub fn inputs(&self) -> usize {
        self.nodes.iter().take_while(|node| matches!(node.op, Op::Input(_))).count()
    }

    /// The shape of its variable.
    pub fn variable(&self) -> Shape {
        self.nodes[0].shape
    }

    /// Records it on a tape, for a given variable and captured nodes.
    pub(crate) fn apply<'t>(&self, tape: &'t Tape, arguments: &[NodeId]) -> Var<'t> {
        let mut known: Vec<NodeId> = arguments.to_vec();
        assert_eq!(known.len(), self.inputs(), "an argument for each input");
        for (node, place) in self.nodes.iter().zip(&self.places).skip(arguments.len()) {
            let operands = node.operands.iter().map(|operand| known[operand.index()]).collect();
            known.push(tape.push_at(Node { op: node.op.clone(), operands, shape: node.shape }, *place));
        }
        tape.var(known[self.output.index()])
    }

    /// Records it on a new tape; returns the tape, the inputs and the result.
    pub(crate) fn tape(&self) -> (Tape, Vec<NodeId>, NodeId) {
        let tape = Tape::new();
        let inputs: Vec<NodeId> =
            self.nodes[..self.inputs()].iter().map(|node| tape.input(node.shape).id()).collect();
        let output = self.apply(&tape, &inputs).id();
        (tape, inputs, output)
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Function) -> bool {
        self.output == other.output && self.nodes == other.nodes
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.nodes.hash(state);
        self.output.hash(state);
    }
}
