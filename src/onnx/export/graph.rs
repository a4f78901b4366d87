//! A graph under construction: nodes with names, constants, functions of the file's own, and loops.
//!
//! A [`Value`] is the handle of a result, as a [`Var`](crate::tape::Var) is that of a node of a tape: formulas of the
//! specification's operators are written with `+`, `*` and methods. Each value knows its type, so that a number beside it
//! becomes a constant of that type.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::attribute;
use super::value::Value;
use crate::onnx::schema::{
    Attribute, DataType, Dimension, Function, Graph as Message, Node, OperatorSet, Size, Tensor, TensorShape,
    TensorType, Type, ValueInfo,
};

/// ONNX's operator set that graphs use: the first with the axes of all reductions as inputs, which runtimes have had
/// since 2022.
pub(super) const OPSET: i64 = 18;
/// The domain of the file's own functions.
pub(super) const OWN: &str = "pushforward";

/// A graph under construction.
pub(super) struct Graph {
    /// The type of all numbers that are not said to be of another.
    float: DataType,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    names: Vec<Rc<str>>,
    /// The graph, and inside of it the bodies of loops; or the body of a function.
    scopes: Vec<Scope>,
    initialisers: Vec<Tensor>,
    inputs: Vec<ValueInfo>,
    outputs: Vec<ValueInfo>,
    functions: Vec<Function>,
    defined: HashSet<String>,
}

#[derive(Default)]
struct Scope {
    nodes: Vec<Node>,
    /// Constants by type, shape and bytes.
    constants: HashMap<(DataType, Vec<i64>, Vec<u8>), u32>,
    /// A function has no initialisers: its constants are nodes.
    of_function: bool,
}

/// A finished graph with the functions that it calls.
pub(super) struct Finished {
    pub graph: Message,
    pub functions: Vec<Function>,
}

/// The size of an axis of an input or an output.
#[derive(Clone, Copy)]
pub(super) enum Axis {
    /// The rows of the batch.
    Batch,
    /// A fixed number.
    Of(usize),
}

impl Graph {
    /// An empty graph whose numbers are of this type.
    pub fn new(float: DataType) -> Graph {
        let state = State { scopes: vec![Scope::default()], ..State::default() };
        Graph { float, state: RefCell::new(state) }
    }

    /// The type of its numbers.
    pub fn float(&self) -> DataType {
        self.float
    }

    /// The spacing of numbers at 1.
    pub fn epsilon(&self) -> f64 {
        if self.float == DataType::Float { f64::from(f32::EPSILON) } else { f64::EPSILON }
    }

    /// The largest number.
    pub fn largest(&self) -> f64 {
        if self.float == DataType::Float { f64::from(f32::MAX) } else { f64::MAX }
    }

    /// The smallest normal number above 0.
    pub fn smallest(&self) -> f64 {
        if self.float == DataType::Float { f64::from(f32::MIN_POSITIVE) } else { f64::MIN_POSITIVE }
    }

    fn value(&self, id: u32, kind: DataType) -> Value<'_> {
        Value { graph: self, id, kind }
    }

    fn fresh(&self, name: impl FnOnce(usize) -> String) -> u32 {
        let names = &mut self.state.borrow_mut().names;
        let id = names.len();
        names.push(name(id).into());
        id as u32
    }

    fn name(&self, id: u32) -> String {
        self.state.borrow().names[id as usize].to_string()
    }

    /// An input of the graph.
    pub fn input(&self, name: &str, axes: &[Axis], meaning: &str) -> Value<'_> {
        let id = self.fresh(|_| name.to_string());
        let input = described(name, self.float, Some(axes), meaning);
        self.state.borrow_mut().inputs.push(input);
        self.value(id, self.float)
    }

    /// Makes a value an output of the graph.
    pub fn output(&self, name: &str, value: Value<'_>, axes: &[Axis], meaning: &str) {
        let node = Node {
            input: vec![self.name(value.id)],
            output: vec![name.to_string()],
            name: name.to_string(),
            op_type: "Identity".to_string(),
            ..Node::default()
        };
        let mut state = self.state.borrow_mut();
        state.scopes.last_mut().expect("a graph").nodes.push(node);
        state.outputs.push(described(name, value.kind, Some(axes), meaning));
    }

    /// Numbers with a name: those of a parameter.
    pub fn initialiser(&self, name: &str, dims: &[i64], values: &[f64]) -> Value<'_> {
        let id = self.fresh(|_| name.to_string());
        let tensor = tensor(name, self.float, dims, bytes(self.float, values));
        self.state.borrow_mut().initialisers.push(tensor);
        self.value(id, self.float)
    }

    /// Constant numbers.
    pub fn numbers(&self, dims: &[i64], values: &[f64]) -> Value<'_> {
        self.constant(self.float, dims, bytes(self.float, values))
    }

    /// One constant number of this type.
    pub fn number_of(&self, kind: DataType, value: f64) -> Value<'_> {
        self.constant(kind, &[], bytes(kind, &[value]))
    }

    /// A list of whole numbers: a shape, axes, positions.
    pub fn integers(&self, values: &[i64]) -> Value<'_> {
        self.integers_shaped(&[values.len() as i64], values)
    }

    /// Whole numbers of a shape.
    pub fn integers_shaped(&self, dims: &[i64], values: &[i64]) -> Value<'_> {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(DataType::Int64, dims, bytes)
    }

    /// Truth values of a shape.
    pub fn truths(&self, dims: &[i64], values: &[bool]) -> Value<'_> {
        self.constant(DataType::Bool, dims, values.iter().map(|value| u8::from(*value)).collect())
    }

    fn constant(&self, kind: DataType, dims: &[i64], bytes: Vec<u8>) -> Value<'_> {
        let key = (kind, dims.to_vec(), bytes);
        let mut state = self.state.borrow_mut();
        let root = state.scopes.iter().rposition(|scope| scope.of_function).unwrap_or(0);
        if let Some(id) = state.scopes[root].constants.get(&key) {
            return self.value(*id, kind);
        }
        let id = state.names.len() as u32;
        let name = format!("constant_{id}");
        state.names.push(name.as_str().into());
        let tensor = tensor(&name, kind, dims, key.2.clone());
        match state.scopes[root].of_function {
            true => state.scopes[root].nodes.push(Node {
                output: vec![name.clone()],
                name,
                op_type: "Constant".to_string(),
                attribute: vec![attribute::tensor("value", Tensor { name: String::new(), ..tensor })],
                ..Node::default()
            }),
            false => state.initialisers.push(tensor),
        }
        state.scopes[root].constants.insert(key, id);
        self.value(id, kind)
    }

    /// One use of an operator with one result.
    pub fn node<'g>(
        &'g self,
        operator: &str,
        operands: &[Value<'g>],
        attributes: Vec<Attribute>,
        kind: DataType,
    ) -> Value<'g> {
        self.push("", operator, operands.iter().map(|operand| operand.id), attributes, kind)
    }

    fn push(
        &self,
        domain: &str,
        operator: &str,
        operands: impl Iterator<Item = u32>,
        attributes: Vec<Attribute>,
        kind: DataType,
    ) -> Value<'_> {
        let id = self.fresh(|id| format!("{}_{id}", operator.to_lowercase()));
        let name = self.name(id);
        let node = Node {
            input: operands.map(|operand| self.name(operand)).collect(),
            output: vec![name.clone()],
            name,
            op_type: operator.to_string(),
            domain: domain.to_string(),
            attribute: attributes,
            ..Node::default()
        };
        self.state.borrow_mut().scopes.last_mut().expect("a graph").nodes.push(node);
        self.value(id, kind)
    }

    /// Calls a function of the file's own, which is written where it is first called.
    pub fn call<'g, const N: usize>(
        &'g self,
        name: &str,
        operands: [Value<'g>; N],
        body: impl FnOnce([Value<'g>; N]) -> Value<'g>,
    ) -> Value<'g> {
        if self.state.borrow_mut().defined.insert(name.to_string()) {
            let scope = Scope { of_function: true, ..Scope::default() };
            self.state.borrow_mut().scopes.push(scope);
            let arguments =
                operands.map(|operand| self.value(self.fresh(|id| format!("argument_{id}")), operand.kind));
            let result = body(arguments);
            let scope = self.state.borrow_mut().scopes.pop().expect("the scope of the function");
            let opset = |domain: &str, version| OperatorSet { domain: domain.to_string(), version };
            let function = Function {
                name: name.to_string(),
                input: arguments.iter().map(|argument| self.name(argument.id)).collect(),
                output: vec![self.name(result.id)],
                node: scope.nodes,
                domain: OWN.to_string(),
                opset_import: vec![opset("", OPSET), opset(OWN, 1)],
                ..Function::default()
            };
            // After those that it calls itself.
            self.state.borrow_mut().functions.push(function);
        }
        let kind = operands[0].kind;
        self.push(OWN, name, operands.iter().map(|operand| operand.id), vec![], kind)
    }

    /// A loop that carries values: the body takes the number of the step and them, and returns whether to go on, and the
    /// next ones. It ends after `most` steps.
    ///
    /// # Errors
    /// Those of the body.
    pub fn repeat<'g, E>(
        &'g self,
        most: usize,
        carried: &[Value<'g>],
        body: impl FnOnce(Value<'g>, &[Value<'g>]) -> Result<(Option<Value<'g>>, Vec<Value<'g>>), E>,
    ) -> Result<Vec<Value<'g>>, E> {
        let most = self.integers_shaped(&[], &[most as i64]);
        let begin = self.truths(&[], &[true]);
        self.state.borrow_mut().scopes.push(Scope::default());
        let step = self.value(self.fresh(|id| format!("step_{id}")), DataType::Int64);
        let goes_on = self.value(self.fresh(|id| format!("goes_on_{id}")), DataType::Bool);
        let own: Vec<Value<'g>> = carried
            .iter()
            .map(|value| self.value(self.fresh(|id| format!("carried_{id}")), value.kind))
            .collect();
        let (condition, next) = match body(step, &own) {
            Ok(next) => next,
            Err(error) => {
                self.state.borrow_mut().scopes.pop();
                return Err(error);
            }
        };
        // What a body hands on is made in the body, and each by a node of its own.
        let outputs: Vec<Value<'g>> =
            [condition.unwrap_or(goes_on)].into_iter().chain(next).map(Value::identity).collect();
        let scope = self.state.borrow_mut().scopes.pop().expect("the scope of the loop");
        // Runtimes ask for the shape of the first two.
        let single = |value: &Value<'_>| described(&self.name(value.id), value.kind, Some(&[]), "");
        let described = |value: &Value<'_>| described(&self.name(value.id), value.kind, None, "");
        let graph = Message {
            node: scope.nodes,
            name: "body".to_string(),
            input: [step, goes_on].iter().map(single).chain(own.iter().map(described)).collect(),
            output: outputs.iter().map(described).collect(),
            ..Message::default()
        };
        let results: Vec<Value<'g>> = carried
            .iter()
            .map(|value| self.value(self.fresh(|id| format!("loop_{id}")), value.kind))
            .collect();
        let node = Node {
            input: [most, begin].iter().chain(carried).map(|operand| self.name(operand.id)).collect(),
            output: results.iter().map(|result| self.name(result.id)).collect(),
            name: format!("loop_{}", results[0].id),
            op_type: "Loop".to_string(),
            attribute: vec![attribute::graph("body", graph)],
            ..Node::default()
        };
        self.state.borrow_mut().scopes.last_mut().expect("a graph").nodes.push(node);
        Ok(results)
    }

    /// The graph with its functions.
    pub fn finish(self, name: &str, meaning: &str) -> Finished {
        let mut state = self.state.into_inner();
        let graph = Message {
            node: state.scopes.pop().expect("the graph").nodes,
            name: name.to_string(),
            initializer: state.initialisers,
            doc_string: meaning.to_string(),
            input: state.inputs,
            output: state.outputs,
            ..Message::default()
        };
        Finished { graph, functions: state.functions }
    }
}

fn bytes(kind: DataType, values: &[f64]) -> Vec<u8> {
    match kind {
        DataType::Float => values.iter().flat_map(|value| (*value as f32).to_le_bytes()).collect(),
        DataType::Double => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        DataType::Int64 => values.iter().flat_map(|value| (*value as i64).to_le_bytes()).collect(),
        other => unreachable!("numbers of type {other:?}"),
    }
}

fn tensor(name: &str, kind: DataType, dims: &[i64], raw_data: Vec<u8>) -> Tensor {
    Tensor {
        name: name.to_string(),
        data_type: kind as i32,
        dims: dims.to_vec(),
        raw_data,
        ..Tensor::default()
    }
}

fn described(name: &str, kind: DataType, axes: Option<&[Axis]>, meaning: &str) -> ValueInfo {
    let dimension = |axis: &Axis| Dimension {
        value: Some(match axis {
            Axis::Batch => Size::Name("batch".to_string()),
            Axis::Of(size) => Size::Number(*size as i64),
        }),
    };
    let shape = axes.map(|axes| TensorShape { dim: axes.iter().map(dimension).collect() });
    ValueInfo {
        name: name.to_string(),
        r#type: Some(Type { tensor_type: Some(TensorType { elem_type: kind as i32, shape }) }),
        doc_string: meaning.to_string(),
    }
}
