//! The handle with which formulas are written.

use std::fmt;
use std::panic::Location;

use rustc_hash::FxHashSet;
use smallvec::smallvec;

use super::{Binary, Choice, Node, NodeId, Op, Operands, Shape, Tape};

/// A node of a tape: a scalar, a vector or a matrix whose values are not known while recording.
///
/// `Var` is `Copy` and has the usual operators and functions; a scalar combined with a vector or a matrix is
/// broadcast. It can be neither read as a number nor compared in an `if`: a choice that depends on data is a
/// [`select`], so that both branches are on the tape.
#[derive(Clone, Copy)]
#[must_use = "recording an operation has no effect unless its result is used"]
pub struct Var<'t> {
    tape: &'t Tape,
    id: NodeId,
}

/// An elementwise condition, for use in [`select`].
#[derive(Clone, Copy)]
pub struct Condition<'t>(pub(super) Var<'t>);

/// An operand beside a [`Var`]: another `Var`, or a number.
pub trait Operand<'t> {
    /// Returns the operand as a node of this tape.
    fn on(self, tape: &'t Tape) -> Var<'t>;
}

impl<'t> Operand<'t> for Var<'t> {
    fn on(self, _: &'t Tape) -> Var<'t> {
        self
    }
}

impl<'t> Operand<'t> for f64 {
    #[track_caller]
    fn on(self, tape: &'t Tape) -> Var<'t> {
        tape.constant(self)
    }
}

impl<'t> Var<'t> {
    pub(super) fn new(tape: &'t Tape, id: NodeId) -> Var<'t> {
        Var { tape, id }
    }

    /// The tape on which it is recorded.
    pub fn tape(self) -> &'t Tape {
        self.tape
    }

    /// Its position on the tape.
    pub fn id(self) -> NodeId {
        self.id
    }

    /// Its shape.
    pub fn shape(self) -> Shape {
        self.tape.shape(self.id)
    }

    /// Number of elements.
    pub fn len(self) -> usize {
        self.shape().len()
    }

    /// Returns whether it has no elements.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Returns whether all operands are on one tape; if not, notes an error.
    pub(super) fn same_tape(
        self,
        others: &[Var<'t>],
        operation: &'static str,
        place: &'static Location<'static>,
    ) -> bool {
        let Some(foreign) = others.iter().find(|other| !std::ptr::eq(self.tape, other.tape)) else {
            return true;
        };
        let (mine, theirs) = (self.tape.created(), foreign.tape.created());
        let message = format!(
            "operands of two tapes: one was made at {}:{}, the other at {}:{}; record both on the same tape",
            mine.file(),
            mine.line(),
            theirs.file(),
            theirs.line()
        );
        self.tape.note(operation, message.clone(), &[], place);
        foreign.tape.note(operation, message, &[], place);
        false
    }
}

impl fmt::Debug for Var<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {} {} {}", self.id.index(), self.tape.node(self.id).op.name(), self.shape())
    }
}

impl<'t> Condition<'t> {
    /// The condition that holds where a node is 1: elements of conditions that were moved. Elsewhere the node must be 0.
    #[cfg(feature = "onnx")]
    pub(crate) fn of(var: Var<'t>) -> Condition<'t> {
        Condition(var)
    }

    /// The condition that is this node, if the node is one: a comparison, several of them joined by `and`, `or` and `negate`, or
    /// elements of these. For tools that keep nodes and not handles.
    pub fn from_var(var: Var<'t>) -> Option<Condition<'t>> {
        is_condition(var.id, |id| var.tape.node(id)).then_some(Condition(var))
    }

    /// The condition as a node: 1 where it holds, 0 elsewhere.
    pub fn var(self) -> Var<'t> {
        self.0
    }

    /// Holds where both hold.
    #[track_caller]
    pub fn and(self, other: Condition<'t>) -> Condition<'t> {
        Condition(self.0.min(other.0))
    }

    /// Holds where at least one holds.
    #[track_caller]
    pub fn or(self, other: Condition<'t>) -> Condition<'t> {
        Condition(self.0.max(other.0))
    }

    /// Holds where this condition does not.
    #[track_caller]
    pub fn negate(self) -> Condition<'t> {
        Condition(1.0 - self.0)
    }
}

/// Returns whether a node is 0 or 1 everywhere because it is made of comparisons.
pub(super) fn is_condition(node: NodeId, of: impl Fn(NodeId) -> Node) -> bool {
    let (mut open, mut met) = (vec![node], FxHashSet::default());
    while let Some(id) = open.pop() {
        if !met.insert(id) {
            continue;
        }
        let Node { op, operands, .. } = of(id);
        match op {
            Op::Binary(Binary::Less | Binary::LessEq) => {}
            Op::Constant(data) if data.values().iter().all(|value| [0.0, 1.0].contains(value)) => {}
            Op::Choice(Choice::Min | Choice::Max)
            | Op::Broadcast
            | Op::Gather(_)
            | Op::Concat
            | Op::Transpose => {
                open.extend(operands);
            }
            // 1 - c
            Op::Binary(Binary::Sub) if is_one(operands[0], &of) => open.push(operands[1]),
            _ => return false,
        }
    }
    true
}

/// Returns whether a node is the constant 1, or copies of it.
fn is_one(node: NodeId, of: &impl Fn(NodeId) -> Node) -> bool {
    let Node { op, operands, .. } = of(node);
    let op = if op == Op::Broadcast { of(operands[0]).op } else { op };
    matches!(op, Op::Constant(data) if data.values().iter().all(|value| *value == 1.0))
}

/// Returns `then` where the condition holds and `otherwise` elsewhere, element by element.
///
/// The branch not taken has no effect: a NaN in it reaches neither the value nor a derivative.
#[track_caller]
pub fn select<'t>(condition: Condition<'t>, then: impl Operand<'t>, otherwise: impl Operand<'t>) -> Var<'t> {
    let tape = condition.0.tape();
    super::elementwise::elementwise(
        Op::Choice(Choice::Select),
        &[condition.0, then.on(tape), otherwise.on(tape)],
    )
}

/// Returns the vector of these scalars.
///
/// # Panics
/// When there are none, because the tape is unknown.
#[track_caller]
pub fn stack<'t>(scalars: impl IntoIterator<Item = Var<'t>>) -> Var<'t> {
    concat(scalars)
}

/// Concatenates the elements of these scalars and vectors to one vector.
///
/// # Panics
/// When there are none, because the tape is unknown.
#[track_caller]
pub fn concat<'t>(parts: impl IntoIterator<Item = Var<'t>>) -> Var<'t> {
    let place = Location::caller();
    let parts: Vec<Var<'t>> = parts.into_iter().collect();
    let first = *parts.first().expect("concat and stack need at least one part");
    if !first.same_tape(&parts, "concat", place) {
        return first;
    }
    if let Some(matrix) = parts.iter().find(|part| matches!(part.shape(), Shape::Matrix(..))) {
        let message = "a matrix cannot be concatenated; take its rows first".to_string();
        first.tape.note("concat", message, &[matrix.shape()], place);
    }
    let length = parts.iter().map(|part| part.len()).sum();
    let operands: Operands = parts.iter().map(|part| part.id).collect();
    first.tape.push(Op::Concat, operands, Shape::Vector(length))
}

/// Concatenates the elements of these parts, of any shapes, by rows: used by the sweeps.
#[track_caller]
pub(crate) fn joined<'t>(parts: impl IntoIterator<Item = Var<'t>>) -> Var<'t> {
    let flat = |part: Var<'t>| match part.shape() {
        Shape::Matrix(..) => part.reshape(Shape::Vector(part.len())),
        _ => part,
    };
    concat(parts.into_iter().map(flat))
}

/// Records a node with one operand.
#[track_caller]
pub(super) fn unary<'t>(op: Op, a: Var<'t>, shape: Shape) -> Var<'t> {
    a.tape().push(op, smallvec![a.id()], shape)
}
