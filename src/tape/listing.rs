//! Recordings as data: what a function of one node recorded, to be recorded again on other tapes.
//!
//! A bijection that is written in another language runs once, on a tape of its own; the library records a layer many times.
//! So what it recorded is kept as a list of nodes, which is recorded again wherever the layer is. A list has no code in it: it
//! can be written to a file and read where that language is not (`listing_text.rs`).

use std::panic::Location;

use super::{Declaration, Node, NodeId, Op, Place, Shape, Subgraph, Tape, Var};

/// What a function of one node recorded: its operations in order, with the parameters that it declared.
///
/// ```
/// use pushforward::prelude::*;
/// use pushforward::tape::Listing;
///
/// let tape = Tape::new();
/// let z = tape.input(Shape::Vector(2));
/// let scale = tape.parameter("scale", Shape::Scalar, Init::Constant(2.0));
/// let x = scale * z.tanh();
/// let listing = Listing::of(&tape, z.id(), x.id());
///
/// let other = Tape::new();
/// let y = other.scope("layers.0", || listing.record(other.input(Shape::Vector(2))));
/// assert_eq!(y.shape(), Shape::Vector(2));
/// assert_eq!(other.declarations()[0].name, "layers.0.scale");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    /// Operands are positions in the list. Input 0 is the argument; parameters are numbered as in `parameters`.
    pub(super) nodes: Vec<Node>,
    pub(super) places: Vec<Place>,
    pub(super) parameters: Vec<Declaration>,
    /// The parameter that is the context of all layers.
    pub(super) context: Option<u32>,
    pub(super) input: Shape,
    pub(super) output: NodeId,
}

impl Listing {
    /// Lists what `output` needs of a tape, up to `input`.
    ///
    /// # Panics
    /// When the output depends on an input of the tape other than `input`.
    pub fn of(tape: &Tape, input: NodeId, output: NodeId) -> Listing {
        let subgraph = Subgraph::new(tape, &[input], &[output]);
        let context = tape.declared_context().map(Var::id);
        let mut listing = Listing {
            nodes: Vec::new(),
            places: Vec::new(),
            parameters: Vec::new(),
            context: None,
            input: tape.shape(input),
            output: NodeId(subgraph.position(output).expect("an output of the subgraph") as u32),
        };
        for id in subgraph.nodes() {
            let Node { op, operands, shape } = tape.node(*id);
            let op = match op {
                _ if *id == input => Op::Input(0),
                Op::Parameter(number) => {
                    let own = listing.parameters.len() as u32;
                    if context == Some(*id) {
                        listing.context = Some(own);
                    }
                    listing.parameters.push(tape.declaration(number));
                    Op::Parameter(own)
                }
                Op::Input(_) => panic!("a listing is a function of one input"),
                other => other,
            };
            let position =
                |id: &NodeId| NodeId(subgraph.position(*id).expect("a node of the subgraph") as u32);
            let operands = match op {
                Op::Input(_) => Default::default(),
                _ => operands.iter().map(position).collect(),
            };
            listing.nodes.push(Node { op, operands, shape });
            listing.places.push(tape.place(*id));
        }
        listing
    }

    /// The shape of its argument.
    pub fn input(&self) -> Shape {
        self.input
    }

    /// The shape of its result.
    pub fn output(&self) -> Shape {
        self.nodes[self.output.index()].shape
    }

    /// The parameters that it declares, in order; the context is one of them.
    pub fn parameters(&self) -> &[Declaration] {
        &self.parameters
    }

    /// Number of operations.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether it has no operation, which none that was recorded has.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Records it for this argument; parameters are declared within the open scopes.
    ///
    /// An argument of another shape is a recording error.
    #[track_caller]
    pub fn record<'t>(&self, argument: Var<'t>) -> Var<'t> {
        let tape = argument.tape();
        if argument.shape() != self.input {
            let message = "the argument has another shape than when the listing was made".to_string();
            tape.note("listing", message, &[argument.shape(), self.input], Location::caller());
            return tape.placeholder(self.output());
        }
        let mut known: Vec<NodeId> = Vec::with_capacity(self.nodes.len());
        for (node, place) in self.nodes.iter().zip(&self.places) {
            known.push(match &node.op {
                Op::Input(_) => argument.id(),
                Op::Parameter(number) => tape.placed(*place, || self.declare(tape, *number)).id(),
                op => {
                    let operands = node.operands.iter().map(|operand| known[operand.index()]).collect();
                    tape.push_at(Node { op: op.clone(), operands, shape: node.shape }, *place)
                }
            });
        }
        tape.var(known[self.output.index()])
    }

    #[track_caller]
    fn declare<'t>(&self, tape: &'t Tape, number: u32) -> Var<'t> {
        let Declaration { name, shape, init } = &self.parameters[number as usize];
        match self.context == Some(number) {
            true => tape.context(shape.len()),
            false => tape.parameter(name, *shape, init.clone()),
        }
    }
}
