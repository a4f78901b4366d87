//! The tape itself: where nodes are kept and errors noted.

use std::cell::RefCell;
use std::panic::Location;

use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashMap};
use smallvec::smallvec;

use super::pass::Frame;
use super::{
    Data, Declaration, Init, Node, NodeId, Op, Operands, RecordError, RecordErrors, Shape, Unary, Var,
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
    places: Vec<&'static Location<'static>>,
    declarations: Vec<Declaration>,
    /// The numbers of declarations, by name.
    numbers: FxHashMap<String, usize>,
    scopes: Vec<String>,
    /// What is being recorded, outermost first, and whether parameters may be shared in it.
    pub(super) frames: Vec<Frame>,
    pub(super) sharing: usize,
    inputs: u32,
    context: Context,
    errors: Vec<RecordError>,
}

/// What a layer sees beside its variables: a vector of numbers, the same for all layers.
#[derive(Clone, Copy, Debug, Default)]
struct Context {
    /// Whether it comes with every row; else it is a parameter, and what is proven holds for every context.
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
    /// An empty tape.
    #[track_caller]
    pub fn new() -> Tape {
        Tape { created: Location::caller(), state: RefCell::default() }
    }

    /// The source line that made this tape.
    pub fn created(&self) -> &'static Location<'static> {
        self.created
    }

    /// A new input of the program.
    #[track_caller]
    pub fn input(&self, shape: Shape) -> Var<'_> {
        let number = {
            let mut state = self.state.borrow_mut();
            state.inputs += 1;
            state.inputs - 1
        };
        self.push(Op::Input(number), Operands::new(), shape)
    }

    /// What the layers of a conditional density see beside their variables: a vector of so many numbers, one node for
    /// all layers.
    ///
    /// It is a parameter named `context`, whatever scope is open, so that what is proven of a layer for all parameters
    /// is proven for all contexts; a flow takes it as an input that changes from row to row
    /// ([`Tape::context_by_row`]). Asked for with two widths it is an error of the recording.
    #[track_caller]
    pub fn context(&self, width: usize) -> Var<'_> {
        let shape = Shape::Vector(width);
        let Context { by_row, node } = self.state.borrow().context;
        if let Some(id) = node {
            let known = self.shape(id);
            if known != shape {
                let message = "layers of one flow see one context; give all of them the same width";
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

    /// From now on the context is an input: every row has its own.
    pub fn context_by_row(&self) {
        self.state.borrow_mut().context.by_row = true;
    }

    /// The context, if any layer asked for it.
    pub fn known_context(&self) -> Option<Var<'_>> {
        let node = self.state.borrow().context.node;
        node.map(|id| self.var(id))
    }

    /// A number written into the program.
    ///
    /// A number that is not finite is an error of the recording.
    #[track_caller]
    pub fn constant(&self, value: f64) -> Var<'_> {
        self.constants(Shape::Scalar, &[value])
    }

    /// A constant vector.
    #[track_caller]
    pub fn vector(&self, values: &[f64]) -> Var<'_> {
        self.constants(Shape::Vector(values.len()), values)
    }

    /// A constant matrix, its values given row by row.
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

    /// Stands for a result that could not be recorded; the error that caused it is noted already.
    #[track_caller]
    pub(crate) fn placeholder(&self, shape: Shape) -> Var<'_> {
        // One number, repeated: a shape that does not fit into memory is a mistake too.
        let zero = self.push(Op::Constant(Data::new(&[0.0])), Operands::new(), Shape::Scalar);
        if shape == Shape::Scalar { zero } else { self.push(Op::Broadcast, smallvec![zero.id()], shape) }
    }

    /// A parameter of this name within the scopes that are open.
    ///
    /// Declared again with the same shape and start it is the same parameter, so that `forward` and `inverse`
    /// of a layer share it; declared again with another it is an error of the recording. So it is if one call of
    /// `forward` declares a name twice, unless that is [meant](Tape::shared): two layers in it would share their weights.
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
                "`{}` is declared twice, with different shapes or starting values; give each its own name, or \
                 record each layer in a scope: z.tape().scope(\"first\", || layer.forward(z))",
                declaration.name
            );
            self.note("parameter", message, &[first.shape, shape], place);
            return self.placeholder(shape);
        }
        self.push(Op::Parameter(number as u32), Operands::new(), shape)
    }

    /// Records what `record` records with this name before the names of its parameters.
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

    /// The parameters that were declared, in order.
    pub fn declarations(&self) -> Vec<Declaration> {
        self.state.borrow().declarations.clone()
    }

    /// One of the parameters that were declared.
    pub(crate) fn declaration(&self, number: u32) -> Declaration {
        self.state.borrow().declarations[number as usize].clone()
    }

    /// The nodes of the parameters, in the order of their declarations.
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

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.state.borrow().nodes.len()
    }

    /// Whether nothing was recorded yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A node, by its id.
    ///
    /// # Panics
    /// When the id is not of this tape.
    pub fn node(&self, id: NodeId) -> Node {
        self.state.borrow().nodes[id.index()].clone()
    }

    /// Calls `look` with a node without copying it.
    pub(crate) fn look<T>(&self, id: NodeId, look: impl FnOnce(&Node) -> T) -> T {
        look(&self.state.borrow().nodes[id.index()])
    }

    /// a, where the node is this function of a.
    pub(crate) fn argument(&self, id: NodeId, function: Unary) -> Option<NodeId> {
        self.look(id, |node| (node.op == Op::Unary(function)).then(|| node.operands[0]))
    }

    /// The node with this operation and these operands, if it has been recorded.
    pub(crate) fn find(&self, op: Op, operands: &[NodeId], shape: Shape) -> Option<NodeId> {
        let node = Node { op, operands: operands.iter().copied().collect(), shape };
        self.state.borrow().nodes.get_index_of(&node).map(|index| NodeId(index as u32))
    }

    /// The shape of a node.
    pub fn shape(&self, id: NodeId) -> Shape {
        self.state.borrow().nodes[id.index()].shape
    }

    /// The shape of the node at a place.
    pub(crate) fn shape_at(&self, index: usize) -> Shape {
        self.state.borrow().nodes[index].shape
    }

    /// The source line that first recorded a node.
    pub fn place(&self, id: NodeId) -> &'static Location<'static> {
        self.state.borrow().places[id.index()]
    }

    /// The handle of a node.
    pub fn var(&self, id: NodeId) -> Var<'_> {
        assert!(id.index() < self.len(), "node {} is not of this tape", id.index());
        Var::new(self, id)
    }

    /// The errors of the recording so far.
    ///
    /// # Errors
    /// All of them, in order.
    pub fn check(&self) -> Result<(), RecordErrors> {
        let errors = &self.state.borrow().errors;
        if errors.is_empty() { Ok(()) } else { Err(RecordErrors(errors.clone())) }
    }

    /// Notes an error of the recording.
    pub(crate) fn note(
        &self,
        operation: &'static str,
        message: String,
        shapes: &[Shape],
        place: &'static Location<'static>,
    ) {
        let error = RecordError { message, operation, shapes: shapes.to_vec(), place };
        let mut state = self.state.borrow_mut();
        // `forward` is recorded twice to see that it is pure: the same mistake is told once.
        if !state.errors.contains(&error) {
            state.errors.push(error);
        }
    }

    /// Appends a node, or finds the equal one that is there.
    #[track_caller]
    pub(crate) fn push(&self, op: Op, operands: Operands, shape: Shape) -> Var<'_> {
        Var::new(self, self.push_at(Node { op, operands, shape }, Location::caller()))
    }

    /// The same for a node that was written elsewhere.
    pub(crate) fn push_at(&self, node: Node, place: &'static Location<'static>) -> NodeId {
        let mut state = self.state.borrow_mut();
        let (index, new) = state.nodes.insert_full(node);
        if new {
            state.places.push(place);
        }
        NodeId(u32::try_from(index).expect("a tape holds at most 2³² nodes"))
    }

    /// An empty tape with the same parameters, on which inputs keep their numbers.
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

/// Whether a parameter of this shape has a number of elements that can be counted, and kept.
pub(crate) fn is_possible(shape: Shape) -> bool {
    let count = match shape {
        Shape::Scalar => Some(1),
        Shape::Vector(n) => Some(n),
        Shape::Matrix(rows, columns) => rows.checked_mul(columns),
    };
    count.is_some_and(|count| count <= 1 << 31)
}
