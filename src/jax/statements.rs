//! Recorded nodes as Python statements: what is used once stands in the formula that uses it, the rest gets a name.

use std::collections::HashMap;

use super::branches::{Branches, Conditions, in_order};
use super::error::JaxError;
use super::expression::{Binding, Expression};
use super::operation;
use super::package::Constants;
use super::parts::{Parts, read_in_parts};
use crate::tape::{Data, Equation, Function, Method, NodeId, Op, Shape, Solution, Subgraph, Tape};

/// Longer expressions get a name.
const LONGEST: usize = 52;
/// Constants of more numbers are tensors of a file.
const MOST_WRITTEN: usize = 12;

/// The names that are taken in a Python function.
#[derive(Default)]
pub(super) struct Taken {
    numbers: usize,
}

/// The body of a Python function.
pub(super) struct Statements<'a> {
    tape: &'a Tape,
    /// What it is the function of, for messages.
    of: &'a str,
    constants: &'a mut Constants,
    taken: &'a mut Taken,
    indent: String,
    lines: Vec<String>,
    known: HashMap<NodeId, Expression>,
    uses: HashMap<NodeId, usize>,
    /// Conditions that hold together, as one truth value.
    together: HashMap<Conditions, Expression>,
    /// Values with derivatives under some conditions only.
    taken_values: HashMap<(NodeId, Conditions), Expression>,
    /// Vectors that are read in parts.
    in_parts: HashMap<NodeId, Parts>,
}

impl<'a> Statements<'a> {
    pub fn new(
        tape: &'a Tape,
        of: &'a str,
        constants: &'a mut Constants,
        taken: &'a mut Taken,
        indent: usize,
    ) -> Statements<'a> {
        let (known, uses) = (HashMap::new(), HashMap::new());
        Statements {
            tape,
            of,
            constants,
            taken,
            indent: "    ".repeat(indent),
            lines: Vec::new(),
            known,
            uses,
            together: HashMap::new(),
            taken_values: HashMap::new(),
            in_parts: HashMap::new(),
        }
    }

    /// Writes what computes the outputs from named inputs; returns the lines, and an expression for each output.
    pub fn write(
        mut self,
        inputs: &[(NodeId, Expression)],
        outputs: &[NodeId],
    ) -> Result<(Vec<String>, Vec<String>), JaxError> {
        self.known.extend(inputs.iter().cloned());
        let ids: Vec<NodeId> = inputs.iter().map(|(id, _)| *id).collect();
        let subgraph = Subgraph::new(self.tape, &ids, outputs);
        let computed: Vec<NodeId> =
            subgraph.nodes().iter().copied().filter(|id| !self.known.contains_key(id)).collect();
        for id in &computed {
            for operand in &self.tape.node(*id).operands {
                *self.uses.entry(*operand).or_default() += 1;
            }
        }
        self.in_parts = read_in_parts(self.tape, &computed);
        let branches = Branches::new(self.tape, &subgraph);
        for (id, conditions) in in_order(self.tape, &branches, &computed) {
            self.node(id, &conditions)?;
        }
        let results = outputs.iter().map(|id| number(&self.known[id]).text).collect();
        Ok((self.lines, results))
    }

    /// A value with derivatives only where all conditions hold.
    fn taken_under(&mut self, id: NodeId, conditions: &Conditions) -> Expression {
        let value = self.known[&id].clone();
        let is_fixed = self.tape.with_node(id, |node| matches!(node.op, Op::Constant(_)));
        if conditions.is_empty() || is_fixed {
            return value;
        }
        let key = (id, conditions.clone());
        if let Some(known) = self.taken_values.get(&key) {
            return known.clone();
        }
        let condition = self.together(conditions);
        let value = value.scalar.as_deref().unwrap_or(&value).clone();
        let taken = self.named(Expression::call("_taken", &[&condition, &value]));
        self.taken_values.insert(key, taken.clone());
        taken
    }

    fn together(&mut self, conditions: &Conditions) -> Expression {
        if let Some(known) = self.together.get(conditions) {
            return known.clone();
        }
        let parts: Vec<String> = conditions
            .iter()
            .map(|(id, holds)| {
                let one = operation::truth(&self.known[id]);
                if *holds { one.within(Binding::Atom) } else { format!("~{}", one.within(Binding::Atom)) }
            })
            .collect();
        let binding = if parts.len() == 1 { Binding::Sign } else { Binding::Comparison };
        let all = self.named(Expression { truth: true, ..Expression::new(parts.join(" & "), binding) });
        self.together.insert(conditions.clone(), all.clone());
        all
    }

    fn line(&mut self, text: &str) {
        self.lines.push(format!("{}{text}", self.indent));
    }

    fn name(&mut self) -> String {
        self.taken.numbers += 1;
        format!("h{}", self.taken.numbers)
    }

    /// Writes a node; each operand has derivatives under its conditions only.
    fn node(&mut self, id: NodeId, conditions: &[Conditions]) -> Result<(), JaxError> {
        if self.known.contains_key(&id) {
            return Ok(());
        }
        let node = self.tape.node(id);
        let given = node.operands.iter().zip(conditions);
        let operands: Vec<Expression> =
            given.map(|(operand, under)| self.taken_under(*operand, under)).collect();
        let shapes: Vec<Shape> = node.operands.iter().map(|operand| self.tape.shape(*operand)).collect();
        let expression = self.expression(&node.op, node.shape, &operands, &shapes)?;
        let uses = self.uses.get(&id).copied().unwrap_or(0);
        let is_short = expression.text.len() <= LONGEST && (uses <= 1 || expression.text.len() <= 8);
        let is_given =
            matches!(node.op, Op::Parameter(_) | Op::Constant(_)) && expression.binding == Binding::Atom;
        let expression =
            match is_short || is_given || expression.scalar.is_some() && expression.text.len() <= LONGEST {
                true => expression,
                false => self.named(expression),
            };
        self.known.insert(id, expression);
        if let Some(parts) = self.in_parts.remove(&id) {
            self.split(id, &parts);
        }
        Ok(())
    }

    /// Splits a vector into its parts, which are then what their readers are.
    fn split(&mut self, id: NodeId, parts: &Parts) {
        let whole = number(&self.known[&id]);
        if whole.scalar.is_some() {
            return;
        }
        let cuts = parts.cuts(self.tape.shape(id).len());
        let name = self.named(Expression::atom(format!("_parts({}, {cuts})", whole.text))).text;
        for (reader, part) in &parts.readers {
            self.known.insert(*reader, Expression::atom(format!("{name}[{part}]")));
        }
    }

    /// Gives an expression a name.
    fn named(&mut self, expression: Expression) -> Expression {
        let (name, truth) = (self.name(), expression.truth);
        match expression.scalar {
            // The number, and not as many copies of it, is what is computed once.
            Some(scalar) => {
                let text = expression.text.replace(&scalar.text, &name);
                self.line(&format!("{name} = {}", scalar.text));
                let named = Expression { truth, ..Expression::atom(name) };
                Expression { truth, ..Expression::atom(text) }.with_scalar(named)
            }
            None => {
                self.line(&format!("{name} = {}", expression.text));
                Expression { truth, ..Expression::atom(name) }
            }
        }
    }

    fn expression(
        &mut self,
        op: &Op,
        shape: Shape,
        operands: &[Expression],
        shapes: &[Shape],
    ) -> Result<Expression, JaxError> {
        let whole = |k: usize| number(&operands[k]);
        let flat = |k: usize| flattened(&number(&operands[k]), shapes[k]);
        Ok(match op {
            Op::Input(_) => {
                return Err(self.refused("an input that is not given", "give a context of this width"));
            }
            Op::Parameter(number) => {
                let name = self.tape.declarations().swap_remove(*number as usize).name;
                Expression::atom(format!("params[{name:?}]"))
            }
            Op::Constant(data) => self.constant(data, shape),
            Op::Unary(function) => elementwise(shape, operands, |of| operation::unary(*function, of[0])),
            Op::Binary(function) => {
                elementwise(shape, operands, |of| operation::binary(*function, of[0], of[1]))
            }
            Op::Choice(choice) => elementwise(shape, operands, |of| operation::choice(*choice, of)),
            Op::Broadcast => spread(whole(0), shape),
            Op::Sum => Expression::call("jnp.sum", &[&whole(0)]),
            Op::Gather(indices) => match &operands[0].scalar {
                Some(scalar) => spread(number(scalar), shape),
                None if shapes[0] == Shape::Scalar => spread(whole(0), shape),
                None => self.gathered(&whole(0), shapes[0], indices, shape),
            },
            Op::Scatter(indices) => {
                let places = self.places(indices);
                let length = shape.len();
                let text = format!("jnp.zeros({length}).at[{places}].add({})", flat(0).text);
                shaped(Expression::atom(text), Shape::Vector(length), shape)
            }
            Op::Concat => {
                let parts: Vec<String> = (0..operands.len()).map(|k| flat(k).text).collect();
                let scalars = shapes.iter().all(|shape| *shape == Shape::Scalar);
                let text = match scalars {
                    true => {
                        let parts: Vec<String> = (0..operands.len()).map(|k| whole(k).text).collect();
                        format!("jnp.stack([{}])", parts.join(", "))
                    }
                    false => format!("jnp.concatenate([{}])", parts.join(", ")),
                };
                shaped(Expression::atom(text), Shape::Vector(shape.len()), shape)
            }
            Op::Transpose => Expression::atom(format!("{}.T", whole(0).within(Binding::Atom))),
            Op::MatVec | Op::MatMul => {
                let text =
                    format!("{} @ {}", whole(0).within(Binding::Product), whole(1).within(Binding::Sign));
                Expression::new(text, Binding::Product)
            }
            Op::Outer => Expression::call("jnp.outer", &[&whole(0), &whole(1)]),
            Op::LogAbsDet => Expression::atom(format!("jnp.linalg.slogdet({})[1]", whole(0).text)),
            Op::Inverse => Expression::call("jnp.linalg.inv", &[&whole(0)]),
            Op::MatrixExp => Expression::call("jax.scipy.linalg.expm", &[&whole(0)]),
            Op::Equation(equation) => self.solved(equation, shape, operands)?,
            Op::Solution(solution) => self.integrated(solution, operands)?,
        })
    }

    fn refused(&self, operation: impl Into<String>, advice: &'static str) -> JaxError {
        JaxError::Operation { of: self.of.to_string(), operation: operation.into(), advice }
    }

    fn constant(&mut self, data: &Data, shape: Shape) -> Expression {
        let values = data.values();
        let first = values.first().copied().unwrap_or(0.0);
        if shape == Shape::Scalar {
            return Expression::number(first);
        }
        if values.iter().all(|value| value.to_bits() == first.to_bits()) {
            return spread(Expression::number(first), shape);
        }
        if values.len() > MOST_WRITTEN {
            return Expression::atom(format!("CONSTANTS[{:?}]", self.constants.numbers(values, shape)));
        }
        let numbers: Vec<String> = values.iter().map(|value| Expression::number(*value).text).collect();
        let text = format!("jnp.array([{}])", numbers.join(", "));
        shaped(Expression::atom(text), Shape::Vector(values.len()), shape)
    }

    /// What stands between the brackets of an index.
    fn places(&mut self, indices: &[u32]) -> String {
        let (first, step) = match indices {
            [] => return "0:0".to_string(),
            [only] => return format!("{only}:{}", only + 1),
            [first, second, ..] => (*first, i64::from(*second) - i64::from(*first)),
        };
        let even = indices.windows(2).all(|pair| i64::from(pair[1]) - i64::from(pair[0]) == step);
        let last = indices[indices.len() - 1];
        if even && step == 1 {
            return format!("{first}:{}", last + 1);
        }
        if even && step > 1 {
            return format!("{first}:{}:{step}", last + 1);
        }
        if indices.len() > MOST_WRITTEN {
            return format!("CONSTANTS[{:?}]", self.constants.indices(indices));
        }
        let numbers: Vec<String> = indices.iter().map(u32::to_string).collect();
        format!("jnp.array([{}])", numbers.join(", "))
    }

    fn gathered(&mut self, a: &Expression, of: Shape, indices: &[u32], shape: Shape) -> Expression {
        let all =
            indices.len() == of.len() && indices.iter().enumerate().all(|(k, index)| k == *index as usize);
        if all {
            return shaped(a.clone(), of, shape);
        }
        let atom = a.within(Binding::Atom);
        if let Shape::Matrix(_, columns) = of
            && let [only] = indices
        {
            let (i, j) = (*only as usize / columns, *only as usize % columns);
            return shaped(Expression::atom(format!("{atom}[{i}, {j}]")), Shape::Scalar, shape);
        }
        if let ([only], Shape::Vector(_)) = (indices, of)
            && shape == Shape::Scalar
        {
            return Expression::atom(format!("{atom}[{only}]"));
        }
        if let (Shape::Matrix(rows, columns), Some(first)) = (of, indices.first().map(|i| *i as usize)) {
            let every = |step: usize, count: usize| {
                indices.len() == count
                    && indices.iter().enumerate().all(|(k, i)| *i as usize == first + k * step)
            };
            let line = match () {
                () if columns > 1 && first % columns == 0 && every(1, columns) => {
                    Some(format!("{atom}[{}]", first / columns))
                }
                () if first < columns && every(columns, rows) => Some(format!("{atom}[:, {first}]")),
                () if first == 0 && rows == columns && every(columns + 1, rows) => {
                    Some(format!("jnp.diagonal({})", a.text))
                }
                () => None,
            };
            if let Some(line) = line {
                return shaped(Expression::atom(line), Shape::Vector(indices.len()), shape);
            }
        }
        let flat = flattened(a, of).within(Binding::Atom);
        let places = self.places(indices);
        shaped(Expression::atom(format!("{flat}[{places}]")), Shape::Vector(indices.len()), shape)
    }

    /// Writes a Python function of the variables of a function that a node holds; returns its name.
    fn nested(
        &mut self,
        function: &Function,
        variables: usize,
        captured: &[Expression],
    ) -> Result<String, JaxError> {
        self.taken.numbers += 1;
        let number = self.taken.numbers;
        let (tape, inputs, output) = function.tape();
        let letters = ["z", "t"];
        let variable = |k: usize| Expression::atom(format!("{}{number}", letters[k]));
        let mut given: Vec<(NodeId, Expression)> = (0..variables).map(|k| (inputs[k], variable(k))).collect();
        given.extend(inputs[variables..].iter().copied().zip(captured.iter().cloned()));
        let depth = self.indent.len() / 4 + 1;
        let inner = Statements::new(&tape, self.of, self.constants, self.taken, depth);
        let (lines, results) = inner.write(&given, &[output])?;
        let names: Vec<String> = (0..variables).map(|k| variable(k).text).collect();
        let name = format!("g{number}");
        self.lines.push(String::new());
        self.line(&format!("def {name}({}):", names.join(", ")));
        self.lines.extend(lines);
        self.line(&format!("    return {}", results[0]));
        self.lines.push(String::new());
        Ok(name)
    }

    /// Captured operands are names, so that nothing is computed anew at each step.
    fn captured(&mut self, operands: &[Expression]) -> Vec<Expression> {
        let is_name = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == '_');
        operands
            .iter()
            .map(|operand| match is_name(&operand.text) || operand.text.starts_with("params[") {
                true => operand.clone(),
                false => self.named(operand.clone()),
            })
            .collect()
    }

    fn solved(
        &mut self,
        equation: &Equation,
        shape: Shape,
        operands: &[Expression],
    ) -> Result<Expression, JaxError> {
        let captured = self.captured(operands);
        let g = self.nested(equation.function(), 1, &captured)?;
        let of = extents(shape);
        let text = match equation {
            Equation::Root(root) => {
                let [low, high] = [0, 1].map(|k| Expression::number(root.ends.values()[k]).text);
                format!("_increasing_root({g}, {of}, {low}, {high})")
            }
            Equation::Substitution(solved) => {
                let count = solved.order.iter().max().map_or(0, |last| last + 1);
                format!("_in_order({g}, {of}, {count})")
            }
            Equation::System(_) => format!("_system({g}, {of})"),
            Equation::Contraction(solved) => format!("_fixed_point({g}, {of}, {:?})", solved.constant()),
        };
        Ok(self.named(Expression::atom(text)))
    }

    fn integrated(&mut self, solution: &Solution, operands: &[Expression]) -> Result<Expression, JaxError> {
        let Solution::End(problem) = solution else {
            return Err(
                self.refused("an adjoint of an initial-value problem", "export the flow, not its gradient")
            );
        };
        let how = problem.integration;
        let (method, steps) = match how.method {
            Method::Euler { steps } => ("_euler", steps),
            Method::RungeKutta4 { steps } => ("_runge_kutta", steps),
            Method::DormandPrince { .. } => {
                return Err(self.refused(
                    "Dormand and Prince's method, whose number of steps depends on the row,",
                    "use Solver::RungeKutta4, whose steps JAX differentiates",
                ));
            }
        };
        let captured = self.captured(&operands[1..]);
        let g = self.nested(&problem.function, 2, &captured)?;
        let [from, to] = [how.from, how.to].map(|time| Expression::number(time).text);
        let text = format!("{method}({g}, {}, {from}, {to}, {steps})", number(&operands[0]).text);
        Ok(self.named(Expression::atom(text)))
    }
}

/// A truth value as 1 or 0.
fn number(expression: &Expression) -> Expression {
    if !expression.truth {
        return expression.clone();
    }
    let one = Expression::atom(format!("jnp.where({}, 1.0, 0.0)", expression.text));
    match &expression.scalar {
        Some(scalar) => one.with_scalar(number(scalar)),
        None => one,
    }
}

/// A number as all elements of a shape.
fn spread(scalar: Expression, shape: Shape) -> Expression {
    if shape == Shape::Scalar {
        return scalar;
    }
    let text = format!("jnp.broadcast_to({}, {})", scalar.text, extents(shape));
    Expression { truth: scalar.truth, ..Expression::atom(text) }.with_scalar(scalar)
}

/// A function of each element; of operands that are one number only that number is used.
fn elementwise(
    shape: Shape,
    operands: &[Expression],
    apply: impl Fn(&[&Expression]) -> Expression,
) -> Expression {
    let parts: Vec<Expression> = operands
        .iter()
        .enumerate()
        .map(|(k, operand)| {
            let part = operand.scalar.as_deref().unwrap_or(operand);
            // Only the condition of a choice is asked as a truth value.
            if k == 0 && operands.len() == 3 { part.clone() } else { number(part) }
        })
        .collect();
    let applied = apply(&parts.iter().collect::<Vec<_>>());
    let uniform = shape != Shape::Scalar && operands.iter().all(|operand| operand.scalar.is_some());
    if uniform { spread(applied, shape) } else { applied }
}

/// The elements one after another.
fn flattened(a: &Expression, of: Shape) -> Expression {
    match of {
        Shape::Vector(_) => a.clone(),
        Shape::Scalar => Expression::atom(format!("jnp.reshape({}, (1,))", a.text)),
        Shape::Matrix(..) => Expression::atom(format!("{}.reshape(-1)", a.within(Binding::Atom))),
    }
}

/// The same elements in another shape.
fn shaped(a: Expression, of: Shape, shape: Shape) -> Expression {
    if of == shape {
        return a;
    }
    Expression::atom(format!("jnp.reshape({}, {})", a.text, extents(shape)))
}

/// A shape as a tuple.
fn extents(shape: Shape) -> String {
    match shape {
        Shape::Scalar => "()".to_string(),
        Shape::Vector(n) => format!("({n},)"),
        Shape::Matrix(rows, columns) => format!("({rows}, {columns})"),
    }
}
