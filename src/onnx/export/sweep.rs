//! The sweep from a recorded program to operators: each node of a subgraph becomes a few nodes of the graph.
//!
//! A tape is recorded for one sample. A node that depends on an input is *batched*: its value has a leading axis for the
//! rows. A node of parameters and constants alone is *shared* and has none, so that the two broadcast against one another
//! as they should. A number that a tape repeats over a shape stays one number, with axes of size 1, until an operation
//! needs its elements.

use std::collections::HashMap;

use super::equation::{self, Unknown};
use super::error::ExportError;
use super::function;
use super::graph::Graph;
use super::initial_value;
use super::matrix;
use super::value::Value;
use crate::sweep::reach::Layout;
use crate::sweep::tangent;
use crate::sweep::zeros::structural_zeros;
use crate::tape::{
    Binary, Choice, Equation, Function, Node, NodeId, Op, Parameters, Shape, Solution, Subgraph, Tape,
};

/// The value of a node.
#[derive(Clone, Copy)]
pub(super) struct Known<'g> {
    pub value: Value<'g>,
    /// Whether it has an axis for the rows.
    pub batched: bool,
    /// Whether it is one number for all elements: its axes, without that of the rows, have size 1 or are not there.
    uniform: bool,
    /// Of a comparison: the truth values.
    truth: Option<Value<'g>>,
}

impl<'g> Known<'g> {
    /// A value with all of its elements.
    pub fn new(value: Value<'g>, batched: bool) -> Known<'g> {
        Known { value, batched, uniform: false, truth: None }
    }
}

/// What all nodes of a graph have in common.
#[derive(Clone, Copy)]
pub(super) struct Sweep<'g, 'p> {
    pub graph: &'g Graph,
    /// The number of rows of batched values, as a list of one number.
    pub rows: Value<'g>,
    /// The values of parameters.
    pub parameters: &'p Parameters,
    /// What stands before the names of parameters.
    pub prefix: &'p str,
}

/// The sizes of the axes of a shape.
pub(super) fn sizes(shape: Shape) -> Vec<i64> {
    match shape {
        Shape::Scalar => vec![],
        Shape::Vector(n) => vec![n as i64],
        Shape::Matrix(rows, columns) => vec![rows as i64, columns as i64],
    }
}

impl<'g> Sweep<'g, '_> {
    /// Writes the nodes of a subgraph and returns the values of its outputs; `given` are those of its inputs.
    ///
    /// # Errors
    /// [`ExportError`] names the first operation that ONNX does not have.
    pub fn outputs(
        &self,
        tape: &Tape,
        subgraph: &Subgraph,
        given: &[Known<'g>],
    ) -> Result<Vec<Known<'g>>, ExportError> {
        let mut known: HashMap<NodeId, Known<'g>> =
            subgraph.inputs().iter().copied().zip(given.iter().copied()).collect();
        let layout = Layout::new(tape, subgraph);
        let zeros = structural_zeros(tape, subgraph, &layout);
        for id in subgraph.nodes() {
            if known.contains_key(id) {
                continue;
            }
            let node = tape.node(*id);
            let operands: Vec<Known<'g>> = node.operands.iter().map(|operand| known[operand]).collect();
            let shapes: Vec<Shape> = node.operands.iter().map(|operand| tape.shape(*operand)).collect();
            let value = match &node.op {
                Op::Input(_) => unreachable!("the inputs of a subgraph are given"),
                Op::Parameter(number) => {
                    let declared = tape.declaration(*number);
                    let tensor = self.parameters.resolve(&declared)?;
                    let name = format!("{}{}", self.prefix, declared.name);
                    Known::new(self.graph.initialiser(&name, &sizes(node.shape), &tensor.values), false)
                }
                _ => self
                    .node(&node, &operands, &shapes)?
                    .ok_or_else(|| ExportError::operation(&node.op, tape.place(*id)))?,
            };
            let value = self.cleared(value, &node, &zeros[layout.elements(*id)]);
            known.insert(*id, value);
        }
        Ok(subgraph.outputs().iter().map(|output| known[output]).collect())
    }

    /// All elements of a value.
    pub fn full(&self, known: Known<'g>, shape: Shape) -> Value<'g> {
        if !known.uniform || shape == Shape::Scalar {
            return known.value;
        }
        let sizes = sizes(shape);
        // A batched one keeps its rows: expanding takes the larger of 1 and what is there.
        let sizes = if known.batched { [&[1], &sizes[..]].concat() } else { sizes };
        known.value.expand(self.graph.integers(&sizes))
    }

    /// All elements of a value as a list, [rows, elements] if it is batched.
    fn flat(&self, known: Known<'g>, shape: Shape) -> Value<'g> {
        let value = self.full(known, shape);
        match shape {
            Shape::Vector(_) => value,
            _ => self.shaped(value, known.batched, &[shape.len() as i64]),
        }
    }

    /// A value with these axes after that of the rows.
    fn shaped(&self, value: Value<'g>, batched: bool, sizes: &[i64]) -> Value<'g> {
        if !batched {
            return value.reshape(sizes);
        }
        if sizes.iter().all(|size| *size > 0) {
            return value.reshape(&[&[-1], sizes].concat());
        }
        // Of no elements the number of rows cannot be told.
        value.reshape_to(self.graph.concat(0, &[self.rows, self.graph.integers(sizes)]))
    }

    /// A value with an axis for the rows.
    pub fn batched(&self, known: Known<'g>, shape: Shape) -> Value<'g> {
        let value = self.full(known, shape);
        if known.batched {
            return value;
        }
        let sizes = sizes(shape);
        let shape = match sizes.is_empty() {
            true => self.rows,
            false => self.graph.concat(0, &[self.rows, self.graph.integers(&sizes)]),
        };
        value.expand(shape)
    }

    /// Structural zeros are 0, also where the other factor of a product is infinite.
    fn cleared(&self, known: Known<'g>, node: &Node, zeros: &[bool]) -> Known<'g> {
        let product = matches!(node.op, Op::Binary(Binary::Mul) | Op::Outer);
        if !product || !known.batched || !zeros.contains(&true) {
            return known;
        }
        let zero = self.graph.number_of(self.graph.float(), 0.0);
        let mask = self.graph.truths(&sizes(node.shape), zeros);
        Known::new(mask.select(zero, self.full(known, node.shape)), true)
    }

    /// The value of a node by those of its operands; `None` where there is no graph for its operation.
    fn node(
        &self,
        node: &Node,
        operands: &[Known<'g>],
        shapes: &[Shape],
    ) -> Result<Option<Known<'g>>, ExportError> {
        let graph = self.graph;
        let batched = operands.iter().any(|operand| operand.batched);
        let full = |k: usize| self.full(operands[k], shapes[k]);
        let flat = |k: usize| self.flat(operands[k], shapes[k]);
        let value = match &node.op {
            Op::Input(_) | Op::Parameter(_) => unreachable!("their values are given"),
            Op::Constant(data) => {
                let (first, rest) = match data.values() {
                    [first, rest @ ..] => (*first, rest),
                    [] => return Ok(Some(Known::new(graph.numbers(&sizes(node.shape), &[]), false))),
                };
                if rest.iter().all(|other| other.to_bits() == first.to_bits()) {
                    let value = graph.number_of(graph.float(), first);
                    return Ok(Some(Known { value, batched: false, uniform: true, truth: None }));
                }
                graph.numbers(&sizes(node.shape), data.values())
            }
            Op::Unary(function) => {
                let Some(value) = function::unary(*function, operands[0].value) else { return Ok(None) };
                return Ok(Some(Known { value, truth: None, ..operands[0] }));
            }
            Op::Binary(function) => return Ok(Some(self.binary(*function, operands))),
            Op::Choice(choice) => return Ok(Some(self.choice(*choice, operands))),
            Op::Broadcast => {
                let axes: Vec<i64> = (1..=sizes(node.shape).len() as i64).collect();
                let number = operands[0];
                let spread = |value: Value<'g>| if number.batched { value.unsqueeze(&axes) } else { value };
                let (value, truth) = (spread(number.value), number.truth.map(spread));
                return Ok(Some(Known { value, batched, uniform: true, truth }));
            }
            Op::Sum if shapes[0] == Shape::Scalar => full(0),
            Op::Sum => {
                let axes: Vec<i64> = (1..=sizes(shapes[0]).len() as i64).map(|axis| -axis).collect();
                full(0).sum(&axes)
            }
            Op::Gather(indices) => {
                let positions: Vec<i64> = indices.iter().map(|index| i64::from(*index)).collect();
                let axis = i64::from(batched);
                let is_all =
                    positions.len() == shapes[0].len() && (0..).zip(&positions).all(|(k, p)| k == *p);
                if operands[0].uniform && node.shape != Shape::Scalar && !positions.is_empty() {
                    let of_row = self.shaped(operands[0].value, batched, &vec![1; sizes(node.shape).len()]);
                    let value = if batched { of_row } else { operands[0].value };
                    return Ok(Some(Known { value, truth: None, ..operands[0] }));
                }
                if is_all {
                    self.shaped(full(0), batched, &sizes(node.shape))
                } else {
                    match node.shape {
                        Shape::Scalar => flat(0).gather(axis, graph.integers_shaped(&[], &positions)),
                        Shape::Vector(_) => flat(0).gather(axis, graph.integers(&positions)),
                        Shape::Matrix(..) => {
                            flat(0).gather(axis, graph.integers_shaped(&sizes(node.shape), &positions))
                        }
                    }
                }
            }
            Op::Scatter(indices) => self.scatter(indices, flat(0), batched, node.shape),
            Op::Concat => {
                let parts = operands.iter().zip(shapes).filter(|(_, shape)| !shape.is_empty());
                let parts: Vec<Value<'g>> = parts
                    .map(|(operand, shape)| match batched && !operand.batched {
                        true => {
                            let own = Known::new(self.batched(*operand, *shape), true);
                            self.flat(own, *shape)
                        }
                        false => self.flat(*operand, *shape),
                    })
                    .collect();
                match parts[..] {
                    [] => return Ok(Some(Known::new(graph.numbers(&sizes(node.shape), &[]), false))),
                    [only] => self.shaped(only, batched, &sizes(node.shape)),
                    _ => {
                        let list = graph.concat(i64::from(batched), &parts);
                        let is_list = matches!(node.shape, Shape::Vector(_));
                        if is_list { list } else { self.shaped(list, batched, &sizes(node.shape)) }
                    }
                }
            }
            Op::Transpose => full(0).transpose(if batched { &[0, 2, 1] } else { &[1, 0] }),
            Op::MatVec => match (operands[0].batched, operands[1].batched) {
                (false, true) => full(1).matmul(full(0).transpose(&[1, 0])),
                // Never a list as an operand: onnxruntime 1.32 multiplies a transposed batch by one wrongly.
                (_, _) => full(0).matmul(full(1).unsqueeze(&[-1])).squeeze(&[-1]),
            },
            Op::MatMul => full(0).matmul(full(1)),
            Op::Outer => full(0).unsqueeze(&[-1]) * full(1).unsqueeze(&[-2]),
            Op::LogAbsDet => self.of_matrices(full(0), batched, shapes[0], matrix::log_abs_det),
            Op::Inverse => self.of_matrices(full(0), batched, shapes[0], matrix::inverse),
            Op::MatrixExp => self.of_matrices(full(0), batched, shapes[0], matrix::exponential),
            Op::Solution(Solution::Adjoint(..)) | Op::Equation(Equation::System(_)) => return Ok(None),
            Op::Equation(equation) => return Ok(Some(self.equation(equation, node.shape, operands)?)),
            Op::Solution(Solution::End(problem)) => {
                let start = operands[0];
                let (own, one) = self.with_rows(batched);
                let begin = own.batched(start, shapes[0]);
                let velocity = |z: Value<'g>, t: Value<'g>, by_row: bool| {
                    let arguments = [Known::new(z, true), Known::new(t, by_row)];
                    own.applied(&problem.function, &arguments, &operands[1..], false)
                        .map(|values| own.batched(values[0], node.shape))
                };
                let end =
                    initial_value::end(&problem.integration, begin, own.rows, shapes[0].len(), velocity)?;
                return Ok(Some(one(end)));
            }
        };
        Ok(Some(Known::new(value, batched)))
    }

    fn binary(&self, function: Binary, operands: &[Known<'g>]) -> Known<'g> {
        let (a, b) = (operands[0].value, operands[1].value);
        let compared = |truth: Value<'g>| (truth.cast(self.graph.float()), Some(truth));
        let (value, truth) = match function {
            Binary::Add => (a + b, None),
            Binary::Sub => (a - b, None),
            Binary::Mul => (a * b, None),
            Binary::Div => (a / b, None),
            Binary::Pow => (a.pow(b), None),
            Binary::LogAddExp => (function::log_add_exp(a, b), None),
            Binary::Less => compared(a.lt(b)),
            Binary::LessEq => compared(a.le(b)),
        };
        Known { value, truth, ..elementwise(operands) }
    }

    fn choice(&self, choice: Choice, operands: &[Known<'g>]) -> Known<'g> {
        let value = |k: usize| operands[k].value;
        let value = match choice {
            Choice::Min => value(0).min(value(1)),
            Choice::Max => value(0).max(value(1)),
            Choice::Select => {
                let truth = operands[0].truth.unwrap_or_else(|| value(0).eq(0.0).not());
                truth.select(value(1), value(2))
            }
        };
        Known { value, truth: None, ..elementwise(operands) }
    }

    /// Element k of a list added at position `indices[k]` of zeros.
    fn scatter(&self, indices: &[u32], list: Value<'g>, batched: bool, shape: Shape) -> Value<'g> {
        let (graph, count) = (self.graph, shape.len());
        let mut sources = vec![indices.len() as i64; count];
        let mut meets = false;
        for (k, index) in indices.iter().enumerate() {
            let source = &mut sources[*index as usize];
            meets |= *source != indices.len() as i64;
            *source = k as i64;
        }
        let of_rows = |sizes: &[i64]| match batched {
            true => graph.concat(0, &[self.rows, graph.integers(sizes)]),
            false => graph.integers(sizes),
        };
        let zero = graph.number_of(graph.float(), 0.0);
        let axis = i64::from(batched);
        let sums = match meets {
            true => {
                let at: Vec<i64> = indices.iter().map(|index| i64::from(*index)).collect();
                let at = graph.integers(&at).expand(of_rows(&[indices.len() as i64]));
                graph.filled(zero, of_rows(&[count as i64])).scatter_add(axis, at, list)
            }
            // Each place has one source at most: the others read a zero that follows the list.
            false => {
                let zero = graph.filled(zero, of_rows(&[1]));
                graph.concat(axis, &[list, zero]).gather(axis, graph.integers(&sources))
            }
        };
        match shape {
            Shape::Vector(_) => sums,
            _ => self.shaped(sums, batched, &sizes(shape)),
        }
    }

    /// A function of matrices, one for each row or one alone.
    fn of_matrices(
        &self,
        a: Value<'g>,
        batched: bool,
        shape: Shape,
        function: impl FnOnce(Value<'g>, usize) -> Value<'g>,
    ) -> Value<'g> {
        let n = shape.rows();
        match batched {
            true => function(a, n),
            false => function(a.unsqueeze(&[0]), n).squeeze(&[0]),
        }
    }

    /// For a loop, whose values always have rows: this sweep, or one of a single row where nothing depends on the
    /// inputs; and what makes the result a value of this sweep again.
    fn with_rows(&self, batched: bool) -> (Sweep<'g, '_>, impl Fn(Value<'g>) -> Known<'g> + use<'g>) {
        let rows = if batched { self.rows } else { self.graph.integers(&[1]) };
        let one =
            move |value: Value<'g>| Known::new(if batched { value } else { value.squeeze(&[0]) }, batched);
        (Sweep { rows, ..*self }, one)
    }

    /// The result of a function that a node holds, and, if asked for, its slope in its own variable.
    fn applied(
        &self,
        function: &Function,
        variables: &[Known<'g>],
        captured: &[Known<'g>],
        with_slope: bool,
    ) -> Result<Vec<Known<'g>>, ExportError> {
        let (tape, inputs, output) = function.tape();
        let mut outputs = vec![output];
        if with_slope {
            // Each element depends on its own element of the variable alone.
            let one = tape.constants(function.variable(), &vec![1.0; function.variable().len()]);
            let subgraph = Subgraph::new(&tape, &inputs, &[output]);
            outputs.extend(tangent(&tape, &subgraph, &[(inputs[0], one)])[0].map(|slope| slope.id()));
        }
        let given: Vec<Known<'g>> = variables.iter().chain(captured).copied().collect();
        self.outputs(&tape, &Subgraph::new(&tape, &inputs, &outputs), &given)
    }

    fn equation(
        &self,
        equation: &Equation,
        shape: Shape,
        operands: &[Known<'g>],
    ) -> Result<Known<'g>, ExportError> {
        let batched = operands.iter().any(|operand| operand.batched);
        let (own, one) = self.with_rows(batched);
        let function = equation.function();
        let values = |z: Value<'g>, with_slope: bool| {
            let values = own.applied(function, &[Known::new(z, true)], operands, with_slope)?;
            Ok(values.into_iter().map(|value| own.batched(value, shape)).collect::<Vec<_>>())
        };
        let sizes = sizes(shape);
        let unknown = Unknown {
            rows: own.rows,
            sizes: &sizes,
            evaluate: &|z: Value<'g>| values(z, false).map(|values| values[0]),
        };
        let solution = match equation {
            Equation::Substitution(own) => equation::substitution(&own.order, &unknown)?,
            Equation::Contraction(own) => equation::contraction(own.constant(), &unknown)?,
            Equation::Root(root) => {
                let ends = (root.ends.values()[0], root.ends.values()[1]);
                equation::root(ends, &unknown, |z| values(z, true).map(|values| (values[0], values[1])))?
            }
            Equation::System(_) => unreachable!("it has no graph"),
        };
        Ok(one(solution))
    }
}

/// What an elementwise operation makes of the axes of its operands.
fn elementwise<'g>(operands: &[Known<'g>]) -> Known<'g> {
    Known {
        batched: operands.iter().any(|operand| operand.batched),
        uniform: operands.iter().all(|operand| operand.uniform),
        ..operands[0]
    }
}
