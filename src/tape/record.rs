//! The tape: nodes, declarations and recording errors.

use std::cell::RefCell;
use std::panic::Location;

use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashMap};
use smallvec::smallvec;

use super::pass::Frame;
use super::thresholds::Thresholds;
use super::{
    Data, Declaration, Init, Node, NodeId, Op, Operands, Place, RecordError, RecordErrors, Shape, Unary, Var,
};

/// An append-only list of hash-consed nodes, with the source line that first recorded each of them.
#[derive(Debug)]
pub struct Tape {
    created: &'static Location<'static>,
    pub(super) state: RefCell<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    nodes: IndexSet<Node, FxBuildHasher>,
    places: Vec<Place>,
    /// Where nodes are said to come from, if not from the source line that records them.
    given_place: Option<Place>,
    declarations: Vec<Declaration>,
    /// The numbers of declarations, by name.
    numbers: FxHashMap<String, usize>,
    scopes: Vec<String>,
    /// The calls being recorded, outermost first, and whether parameters may be shared in them.
    pub(super) frames: Vec<Frame>,
    pub(super) sharing: usize,
    /// Thresholds that were noted, while somebody asks for them.
    pub(super) thresholds: Option<Vec<Thresholds>>,
    inputs: u32,
    context: Context,
    errors: Vec<RecordError>,
}

/// The context of the layers: a vector of numbers, the same for all layers.
#[derive(Clone, Copy, Debug, Default)]
struct Context {
    /// Whether it is an input with one value for each row; otherwise it is a parameter, so that proofs hold
    /// for every context.
    by_row: bool,
    node: Option<NodeId>,
}

impl Default for Tape {
    #[track_caller]
    fn default() -> Self {
        Tape::new()
    }
}

impl Tape {
    /// Builds an empty tape.
    #[track_caller]
    pub fn new() -> Tape {
        Tape { created: Location::caller(), state: RefCell::default() }
    }

    /// The source line that created this tape.
    pub fn created(&self) -> &'static Location<'static> {
        self.created
    }

    /// Adds an input to the program.
    #[track_caller]
    pub fn input(&self, shape: Shape) -> Var<'_> {
        let number = {
            let mut state = self.state.borrow_mut();
            state.inputs += 1;
            state.inputs - 1
        };
        self.push(Op::Input(number), Operands::new(), shape)
    }

    /// The context of a conditional density: a vector of `width` numbers, one node for all layers.
    ///
    /// It is a parameter named `context`, whatever scope is open, so that what is proven for all parameters
    /// is proven for all contexts; a flow makes it an input with one value for each row
    /// ([`Tape::context_by_row`]). Two different widths are a recording error.
    #[track_caller]
    pub fn context(&self, width: usize) -> Var<'_> {
        let shape = Shape::Vector(width);
        let Context { by_row, node } = self.state.borrow().context;
        if let Some(id) = node {
            let known = self.shape(id);
            if known != shape {
                let message = "all layers of a flow share one context; give them the same width";
                self.note("context", message.to_string(), &[known, shape], Location::caller());
                return self.placeholder(shape);
            }
            return self.var(id);
        }
        let context = if by_row {
            self.input(shape)
        } else {
            let scopes = std::mem::take(&mut self.state.borrow_mut().scopes);
            let context = self.parameter("context", shape, Init::Uniform(1.0));
            self.state.borrow_mut().scopes = scopes;
            context
        };
        self.state.borrow_mut().context.node = Some(context.id());
        context
    }

    /// Makes the context an input from now on: every row has its own.
    pub fn context_by_row(&self) {
        self.state.borrow_mut().context.by_row = true;
    }

    /// The context, if a layer uses it.
    pub fn declared_context(&self) -> Option<Var<'_>> {
        let node = self.state.borrow().context.node;
        node.map(|id| self.var(id))
    }

    /// Records a constant.
    ///
    /// A number that is not finite is a recording error.
    #[track_caller]
    pub fn constant(&self, value: f64) -> Var<'_> {
        self.constants(Shape::Scalar, &[value])
    }

    /// Records a constant vector.
    #[track_caller]
    pub fn vector(&self, values: &[f64]) -> Var<'_> {
        self.constants(Shape::Vector(values.len()), values)
    }

    /// Records a constant matrix from its values by rows.
    #[track_caller]
    pub fn matrix(&self, rows: usize, columns: usize, values: &[f64]) -> Var<'_> {
        let shape = Shape::Matrix(rows, columns);
        if values.len() != shape.len() {
            let message = format!("{} values were given for {rows} rows of {columns}", values.len());
            self.note("matrix", message, &[shape], Location::caller());
            return self.constants(shape, &vec![0.0; shape.len()]);
        }
        self.constants(shape, values)
    }

    #[track_caller]
    pub(crate) fn constants(&self, shape: Shape, values: &[f64]) -> Var<'_> {
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            let message = format!("{value} cannot be a constant; write finite numbers");
            self.note("constant", message, &[], Location::caller());
            return self.placeholder(shape);
        }
        self.push(Op::Constant(Data::new(values)), Operands::new(), shape)
    }

    /// Records a placeholder for a result that could not be recorded; its error is noted already.
    #[track_caller]
    pub(crate) fn placeholder(&self, shape: Shape) -> Var<'_> {
        // A broadcast number, because the shape may be too large for the memory.
        let zero = self.push(Op::Constant(Data::new(&[0.0])), Operands::new(), Shape::Scalar);
        if shape == Shape::Scalar { zero } else { self.push(Op::Broadcast, smallvec![zero.id()], shape) }
    }

    /// Declares a parameter of this name within the open scopes.
    ///
    /// Declared again with the same shape and initialisation it is the same parameter, so that `forward` and
    /// `inverse` of a layer share it; with another it is a recording error. It is also an error if one call
    /// of `forward` declares a name twice, unless that is [intended](Tape::shared): two layers in it would
    /// share their weights.
    #[track_caller]
    pub fn parameter(&self, name: &str, shape: Shape, init: Init) -> Var<'_> {
        let place = Location::caller();
        let name = self.scoped_name(name);
        if !is_possible(shape) {
            let message = format!("`{name}` would have more than 2³¹ numbers; choose smaller layers");
            self.note("parameter", message, &[shape], place);
            return self.placeholder(Shape::Scalar);
        }
        if let Init::Values(values) = &init
            && values.len() != shape.len()
        {
            let message =
                format!("`{name}` starts with {} values, which do not fill its shape", values.len());
            self.note("parameter", message, &[shape], place);
            return self.placeholder(shape);
        }
        let declaration = Declaration { name, shape, init };
        self.declared(declaration.name.clone(), place);
        let known = {
            let mut state = self.state.borrow_mut();
            let known = state.numbers.get(&declaration.name).copied();
            if known.is_none() {
                let number = state.declarations.len();
                state.numbers.insert(declaration.name.clone(), number);
                state.declarations.push(declaration.clone());
            }
            known
        };
        let Some(number) = known else {
            let number = self.state.borrow().declarations.len() - 1;
            return self.push(Op::Parameter(number as u32), Operands::new(), shape);
        };
        let first = self.state.borrow().declarations[number].clone();
        if first != declaration {
            let message = format!(
                "`{}` is declared twice, with different shapes or initial values; use different names, or \
                 record each layer in its own scope: z.tape().scope(\"first\", || layer.forward(z))",
                declaration.name
            );
            self.note("parameter", message, &[first.shape, shape], place);
            return self.placeholder(shape);
        }
        self.push(Op::Parameter(number as u32), Operands::new(), shape)
    }

    /// Records with this name as a prefix of parameter names.
    pub fn scope<T>(&self, name: &str, record: impl FnOnce() -> T) -> T {
        self.state.borrow_mut().scopes.push(name.to_string());
        let result = record();
        self.state.borrow_mut().scopes.pop();
        result
    }

    fn scoped_name(&self, name: &str) -> String {
        let state = self.state.borrow();
        let mut path = state.scopes.join(".");
        if !path.is_empty() {
            path.push('.');
        }
        path + name
    }

    /// The declared parameters, in order.
    pub fn declarations(&self) -> Vec<Declaration> {
        self.state.borrow().declarations.clone()
    }

    /// Returns one declared parameter.
    pub(crate) fn declaration(&self, number: u32) -> Declaration {
        self.state.borrow().declarations[number as usize].clone()
    }

    /// The nodes of the parameters, in the order of declaration.
    pub fn parameters(&self) -> Vec<NodeId> {
        let state = self.state.borrow();
        let node = |(number, declaration): (usize, &Declaration)| {
            let node = Node {
                op: Op::Parameter(number as u32),
                operands: Operands::new(),
                shape: declaration.shape,
            };
            NodeId(state.nodes.get_index_of(&node).expect("a declared parameter has a node") as u32)
        };
        state.declarations.iter().enumerate().map(node).collect()
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.state.borrow().nodes.len()
    }

    /// Returns whether nothing has been recorded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns a node by its id.
    ///
    /// # Panics
    /// When the id does not belong to this tape.
    pub fn node(&self, id: NodeId) -> Node {
        self.state.borrow().nodes[id.index()].clone()
    }

    /// Calls `look` with a node, without copying it.
    pub(crate) fn with_node<T>(&self, id: NodeId, look: impl FnOnce(&Node) -> T) -> T {
        look(&self.state.borrow().nodes[id.index()])
    }

    /// Returns a, where the node is this function of a.
    pub(crate) fn argument(&self, id: NodeId, function: Unary) -> Option<NodeId> {
        self.with_node(id, |node| (node.op == Op::Unary(function)).then(|| node.operands[0]))
    }

    /// Returns the node with this operation and these operands, if it was recorded.
    pub(crate) fn find(&self, op: Op, operands: &[NodeId], shape: Shape) -> Option<NodeId> {
        let node = Node { op, operands: operands.iter().copied().collect(), shape };
        self.state.borrow().nodes.get_index_of(&node).map(|index| NodeId(index as u32))
    }

    /// Returns the shape of a node.
    pub fn shape(&self, id: NodeId) -> Shape {
        self.state.borrow().nodes[id.index()].shape
    }

    /// Returns the shape of the node at a position.
    pub(crate) fn shape_at(&self, index: usize) -> Shape {
        self.state.borrow().nodes[index].shape
    }

    /// Returns where a node was recorded first.
    pub fn place(&self, id: NodeId) -> Place {
        self.state.borrow().places[id.index()]
    }

    /// Returns the handle of a node.
    pub fn var(&self, id: NodeId) -> Var<'_> {
        assert!(id.index() < self.len(), "node {} is not of this tape", id.index());
        Var::new(self, id)
    }

    /// Returns the recording errors so far.
    ///
    /// # Errors
    /// All of them, in order.
    pub fn check(&self) -> Result<(), RecordErrors> {
        let errors = &self.state.borrow().errors;
        if errors.is_empty() { Ok(()) } else { Err(RecordErrors(errors.clone())) }
    }

    /// Notes a recording error.
    pub(crate) fn note(
        &self,
        operation: &'static str,
        message: String,
        shapes: &[Shape],
        place: &'static Location<'static>,
    ) {
        let error = RecordError { message, operation, shapes: shapes.to_vec(), place };
        let mut state = self.state.borrow_mut();
        // `forward` is recorded twice to check that it is pure; report the same error once.
        if !state.errors.contains(&error) {
            state.errors.push(error);
        }
    }

    /// Appends a node, or returns the equal one that exists.
    #[track_caller]
    pub(crate) fn push(&self, op: Op, operands: Operands, shape: Shape) -> Var<'_> {
        let caller = Location::caller().into();
        let place = self.state.borrow().given_place.unwrap_or(caller);
        Var::new(self, self.push_at(Node { op, operands, shape }, place))
    }

    /// Records what a node of a graph means: its name is the place of all nodes recorded.
    #[cfg(feature = "onnx")]
    pub(crate) fn graph_node<T>(&self, name: &str, record: impl FnOnce() -> T) -> T {
        self.placed(Place::graph(name), record)
    }

    /// Records nodes that come from this place, for tools that record what was written elsewhere.
    pub fn placed<T>(&self, place: Place, record: impl FnOnce() -> T) -> T {
        let outer = self.state.borrow_mut().given_place.replace(place);
        let result = record();
        self.state.borrow_mut().given_place = outer;
        result
    }

    /// Appends a copy of a node of another tape, or finds the equal one that is there: for tools that move programs from
    /// tape to tape. `node.operands` are ids of this tape; `place` is where it is said to come from.
    ///
    /// # Panics
    /// When an operand is not of this tape, when the operation on operands of these shapes does not give the node's
    /// shape, or when this tape has not declared the input or the parameter.
    pub fn append(&self, node: Node, place: Place) -> NodeId {
        assert!(node.operands.iter().all(|id| id.index() < self.len()), "an operand is not of this tape");
        let shapes: Vec<Shape> = node.operands.iter().map(|id| self.shape(*id)).collect();
        let declared = match node.op {
            Op::Input(_) => self.state.borrow().nodes.contains(&node),
            Op::Parameter(number) => {
                let state = self.state.borrow();
                state.declarations.get(number as usize).is_some_and(|known| known.shape == node.shape)
            }
            _ => true,
        };
        assert!(
            declared && node.op.gives(&shapes, node.shape),
            "{} of {shapes:?} does not give {}",
            node.op.name(),
            node.shape
        );
        self.push_at(node, place)
    }

    /// Appends a node that was written elsewhere, or finds the equal one that is there.
    pub(crate) fn push_at(&self, node: Node, place: Place) -> NodeId {
        let mut state = self.state.borrow_mut();
        let (index, new) = state.nodes.insert_full(node);
        if new {
            state.places.push(place);
        }
        NodeId(u32::try_from(index).expect("a tape holds at most 2³² nodes"))
    }

    /// Returns an empty tape with the same parameters, on which inputs keep their numbers.
    pub(crate) fn sibling(&self) -> Tape {
        let state = self.state.borrow();
        let own = State {
            declarations: state.declarations.clone(),
            numbers: state.numbers.clone(),
            inputs: state.inputs,
            ..State::default()
        };
        Tape { created: self.created, state: RefCell::new(own) }
    }
}

/// Returns whether the number of elements of this shape can be represented and stored.
pub(crate) fn is_possible(shape: Shape) -> bool {
    let count = match shape {
        Shape::Scalar => Some(1),
        Shape::Vector(n) => Some(n),
        Shape::Matrix(rows, columns) => rows.checked_mul(columns),
    };
    count.is_some_and(|count| count <= 1 << 31)
}
