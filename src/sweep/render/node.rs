//! Each node as a term: one match over the operations, once for the node and once for its element i.

use super::movement::{Run, Shown, Source, positions};
use super::walk::{Entry, Sheet, Walk};
use super::{Names, mask};
use crate::sweep::function::notation;
use crate::tape::{self, Binary, Choice, Equation, Node, NodeId, Op, Shape, Unary};
use crate::typeset;
use crate::typeset::Function;
use crate::typeset::{Positions, Product, Term, Written};

impl Walk<'_> {
    pub(super) fn entry(&mut self, id: NodeId) -> Entry {
        if let Some(name) = self.names.given.get(&id) {
            return self.called(id, name.clone());
        }
        let node = self.tape.node(id);
        let of = |k: usize| self.spelled_out(node.operands[k]);
        let plain = match &node.op {
            Op::Input(number) => {
                return self.called(
                    id,
                    Written::name(&format!("input{}", typeset::subscript(*number as usize + 1))),
                );
            }
            Op::Parameter(number) => {
                return self.called(id, Written::name(&self.parameters[*number as usize]));
            }
            Op::Constant(data) => return self.constant(id, data.values(), node.shape),
            Op::Broadcast | Op::Gather(_) | Op::Scatter(_) | Op::Concat | Op::Transpose => {
                let shown = self.movement.shown(id).clone();
                return self.moved(id, &shown);
            }
            Op::Unary(function) => {
                let entry = self.elementwise(&node, |parts, _| notation(*function, parts[0]));
                return match (function, node.shape) {
                    // A² of a matrix would mean A·A.
                    (Unary::Powi(exponent), Shape::Matrix(..)) => {
                        let (a, k) =
                            (&self.known(node.operands[0]).plain, Written::number(f64::from(*exponent)));
                        let plain = Written::of(&Term::Call(&Function::named("power"), vec![a, &k]));
                        Entry { plain, ..entry }
                    }
                    _ => entry,
                };
            }
            Op::Binary(function) => {
                let same = node.operands[0] == node.operands[1];
                let entry = self
                    .elementwise(&node, |parts, kind| binary(*function, [parts[0], parts[1]], kind, same));
                return match (function, node.shape) {
                    // Likewise a² for the elementwise product of a matrix with itself.
                    (Binary::Mul, Shape::Matrix(..)) if same => {
                        let a = &self.known(node.operands[0]).plain;
                        Entry { plain: Written::of(&Term::Times(Product::Elementwise, a, a)), ..entry }
                    }
                    _ => entry,
                };
            }
            Op::Choice(op) => return self.elementwise(&node, |parts, _| choice(*op, parts)),
            Op::Sum => self.total(node.operands[0]),
            Op::MatVec | Op::MatMul => Written::of(&Term::Times(Product::Matrix, &of(0), &of(1))),
            Op::Outer => {
                let turned = Written::of(&Term::Transposed(&of(1)));
                Written::of(&Term::Times(Product::Matrix, &of(0), &turned))
            }
            Op::LogAbsDet => Written::of(&Term::Determinant(&of(0))).log_abs(),
            Op::Inverse => Written::of(&Term::Inverse(&of(0))),
            Op::MatrixExp => Written::of(&Term::Call(&Function::named("expm"), vec![&of(0)])),
            Op::Solution(solution) => self.solution(solution, &node),
            Op::Equation(equation) => {
                let variable = Written::typed("ζ");
                let captured = node.operands.iter().map(|operand| self.known(*operand).plain.clone());
                let arguments = [variable.clone()].into_iter().chain(captured).collect();
                let function = self.function(equation.function(), arguments);
                let holds = match equation {
                    Equation::Substitution(_) | Equation::Contraction(_) => {
                        Term::Relation(&variable, '=', &function)
                    }
                    Equation::Root(_) | Equation::System(_) => {
                        Term::Relation(&function, '=', &Written::number(0.0))
                    }
                };
                Written::of(&Term::Call(&Function::named("solve"), vec![&Written::of(&holds)]))
            }
        };
        self.with_index(plain, node.shape)
    }

    /// Writes an initial-value problem: the equation, and the value that it begins at; of an adjoint also the weight.
    fn solution(&mut self, solution: &tape::Solution, node: &Node) -> Written {
        let problem = solution.problem();
        let mut operands: Vec<Written> =
            node.operands.iter().map(|operand| self.known(*operand).plain.clone()).collect();
        let weight = match solution {
            tape::Solution::End(_) => None,
            tape::Solution::Adjoint(..) => Some(operands.remove(0)),
        };
        let start = operands.remove(0);
        let arguments = [Written::typed("ζ"), Written::typed("t")].into_iter().chain(operands).collect();
        let velocity = self.function(&problem.function, arguments);
        let tape::Integration { from, to, .. } = problem.integration;
        let equation = Written::of(&Term::Relation(&Written::typed("dζ/dt"), '=', &velocity));
        let begins = Written::of(&Term::Relation(&Written::typed(&format!("ζ({from})")), '=', &start));
        let ends = Written::typed(&format!("ζ({to})"));
        let (name, parts) = match &weight {
            None => ("solve", vec![&ends, &equation, &begins]),
            Some(weight) => ("adjoint", vec![weight, &ends, &equation, &begins]),
        };
        Written::of(&Term::Call(&Function::named(name), parts))
    }

    /// Writes a function of these arguments.
    fn function(&mut self, function: &tape::Function, arguments: Vec<Written>) -> Written {
        let (tape, inputs, output) = function.tape();
        let arguments = inputs.iter().zip(arguments);
        let names = Names { letters: Some(self.letters), ..Names::new() };
        let names = arguments.fold(names, |names, (input, written)| names.with_written(*input, written));
        let sheet = Sheet::written_out(&tape, output, &names);
        self.letters = sheet.names().letters.unwrap_or(self.letters);
        self.lines.extend_from_slice(sheet.lines());
        sheet.of(output).clone()
    }

    fn known(&self, id: NodeId) -> &Entry {
        &self.entries[&self.movement.target(id)]
    }

    /// Writes an elementwise operation, on the parts of the nodes and on the parts of their elements i.
    fn elementwise(&self, node: &Node, write: impl Fn(&[&Written], Product) -> Written) -> Entry {
        let parts: Vec<&Written> = node.operands.iter().map(|o| &self.known(*o).plain).collect();
        let plain = write(&parts, self.product_of(node));
        if node.shape == Shape::Scalar {
            return Entry { plain, indexed: None };
        }
        let element = |id: &NodeId| match self.tape.shape(self.movement.target(*id)) {
            Shape::Scalar => Some(&self.known(*id).plain),
            _ => self.known(*id).indexed.as_ref(),
        };
        let parts: Option<Vec<&Written>> = node.operands.iter().map(element).collect();
        Entry { plain, indexed: parts.map(|parts| write(&parts, Product::Scalar)) }
    }

    /// Writes a name, and its element of index i.
    pub(super) fn called(&self, id: NodeId, name: Written) -> Entry {
        self.with_index(name, self.tape.shape(id))
    }

    fn with_index(&self, plain: Written, shape: Shape) -> Entry {
        let indexed = match shape {
            Shape::Scalar => None,
            shape if shape.len() == 1 => Some(plain.clone()),
            Shape::Vector(_) => Some(Written::of(&Term::Index(&plain, "i"))),
            Shape::Matrix(..) => Some(Written::of(&Term::Index(&plain, "ij"))),
        };
        Entry { plain, indexed }
    }

    /// Whether a product is of two vectors or matrices, neither of them a repeated scalar.
    fn product_of(&self, node: &Node) -> Product {
        let repeated = |id: &NodeId| match self.tape.node(*id).op {
            Op::Constant(data) => node.shape != Shape::Scalar && all_equal(data.values()),
            op => op == Op::Broadcast,
        };
        match node.shape {
            shape if shape.len() == 1 => Product::Scalar,
            _ if node.operands.iter().any(repeated) => Product::Scalar,
            _ => Product::Elementwise,
        }
    }

    /// Writes the sum of all elements of a node.
    fn total(&self, id: NodeId) -> Written {
        match self.known(id) {
            Entry { plain, .. } if self.tape.shape(id).len() == 1 => plain.clone(),
            Entry { indexed: Some(body), .. } if !body.sums() => {
                let matrix = matches!(self.tape.shape(id), Shape::Matrix(..));
                Written::of(&Term::Total { sign: 'Σ', over: if matrix { "ij" } else { "i" }, body })
            }
            Entry { plain, .. } => Written::of(&Term::Total { sign: 'Σ', over: "", body: plain }),
        }
    }

    /// Writes a vector of equal numbers, elsewhere written as one number, as a vector.
    fn spelled_out(&self, id: NodeId) -> Written {
        let target = self.movement.target(id);
        let equal = self.tape.with_node(target, |node| match &node.op {
            Op::Constant(data) => all_equal(data.values()),
            _ => node.shape == Shape::Scalar,
        });
        let written = self.known(id).plain.clone();
        match self.tape.shape(id) {
            Shape::Vector(n) if equal && n > 1 => {
                Written::of(&Term::List(repeated(written, n).iter().collect()))
            }
            _ => written,
        }
    }

    fn constant(&mut self, id: NodeId, values: &[f64], shape: Shape) -> Entry {
        if all_equal(values) {
            let number = Written::number(values[0]);
            let indexed = (shape != Shape::Scalar).then(|| number.clone());
            return Entry { plain: number, indexed };
        }
        let numbers: Vec<Written> = values.iter().take(16).map(|value| Written::number(*value)).collect();
        let parts: Vec<&Written> = numbers.iter().collect();
        let mask = values.iter().all(|value| *value == 0.0 || *value == 1.0);
        let short = match shape {
            Shape::Vector(n) if n <= 6 => Some(Written::of(&Term::List(parts))),
            Shape::Matrix(_, columns) if values.len() <= 16 => {
                Some(Written::of(&Term::Table(columns, parts)))
            }
            _ => None,
        };
        match short {
            Some(written) if !(mask && matches!(shape, Shape::Matrix(..))) => self.with_index(written, shape),
            short => {
                let name = self.next_name(if mask { 1 } else { 2 });
                let line = match short {
                    Some(written) => name.equals(&written),
                    None => mask::described(&name, values, shape),
                };
                self.lines.push(line);
                self.define(id, &name, name.clone());
                self.called(id, name)
            }
        }
    }

    fn moved(&self, id: NodeId, shown: &Shown) -> Entry {
        let shape = self.tape.shape(id);
        let plain = match shown {
            Shown::As(other) => return self.known(*other).clone(),
            Shown::Element(base, element) => self.element(*base, *element),
            Shown::Part(base, indices) => self.part(*base, indices, shape),
            Shown::List(runs) => {
                let parts = self.listed(runs);
                let list = Written::of(&Term::List(parts.iter().collect()));
                // An element of a list of different things is no formula of i.
                return Entry { plain: list, indexed: None };
            }
            Shown::Diagonal(runs) => {
                let parts = self.listed(runs);
                let (single, all) =
                    (parts.len() == 1, matches!(runs.as_slice(), [Run::Numbers(..) | Run::Scalars(..)]));
                let inside = match single && !all {
                    true => parts[0].clone(),
                    false => Written::of(&Term::List(parts.iter().collect())),
                };
                let fenced = if single && !all { vec![&inside] } else { parts.iter().collect() };
                Written::of(&Term::Call(&Function::named("diag"), fenced))
            }
            Shown::Identity => Written::typed("I"),
            Shown::Table(sources) => {
                let (_, columns) = shape.matrix_dims();
                let cells: Vec<Written> = sources
                    .iter()
                    .map(|source| match source {
                        Source::Number(value) => Written::number(*value),
                        Source::Element(base, element) => self.element(*base, *element),
                    })
                    .collect();
                Written::of(&Term::Table(columns, cells.iter().collect()))
            }
            Shown::Transposed(base) => Written::of(&Term::Transposed(&self.known(*base).plain)),
            Shown::Scattered(base, places) => {
                let places = Written::typed(&typeset::picked(
                    &positions(places, shape, Shape::Vector(places.len())),
                    "‥",
                ));
                Written::of(&Term::Call(&Function::named("scatter"), vec![&self.known(*base).plain, &places]))
            }
        };
        self.with_index(plain, shape)
    }

    fn element(&self, base: NodeId, element: u32) -> Written {
        let written = &self.known(base).plain;
        let element = element as usize;
        match self.tape.shape(self.movement.target(base)) {
            shape if shape.len() == 1 => written.clone(),
            Shape::Scalar => unreachable!("one element"),
            Shape::Vector(_) => written.element(element),
            Shape::Matrix(_, columns) => {
                Written::of(&Term::Element(written, vec![element / columns, element % columns]))
            }
        }
    }

    fn part(&self, base: NodeId, indices: &[u32], shape: Shape) -> Written {
        let of = self.tape.shape(self.movement.target(base));
        let written = &self.known(base).plain;
        let positions = positions(indices, of, shape);
        let all =
            indices.len() == of.len() && indices.iter().enumerate().all(|(k, index)| k == *index as usize);
        if let (Shape::Matrix(..), Shape::Vector(_), true) = (of, shape, all) {
            return Written::of(&Term::Call(&Function::named("vec"), vec![written]));
        }
        let Positions::Diagonal(places) = &positions else {
            let part = Written::of(&Term::Part(written, &positions));
            return match (shape, &positions) {
                (Shape::Matrix(rows, columns), Positions::Items(_) | Positions::Pairs(_)) => {
                    let [rows, columns] = [rows, columns].map(|n| Written::number(n as f64));
                    Written::of(&Term::Call(&Function::named("reshape"), vec![&part, &rows, &columns]))
                }
                _ => part,
            };
        };
        let diagonal = Written::of(&Term::Call(&Function::named("diag"), vec![written]));
        match places {
            None => diagonal,
            Some(_) => Written::of(&Term::Part(&diagonal, &positions)),
        }
    }

    /// Returns the parts of a list.
    fn listed(&self, runs: &[Run]) -> Vec<Written> {
        runs.iter()
            .flat_map(|run| match run {
                Run::Numbers(value, n) => repeated(Written::number(*value), *n),
                Run::Scalars(id, n) => repeated(self.known(*id).plain.clone(), *n),
                Run::Whole(id) => vec![self.known(*id).plain.clone()],
                Run::Element(id, element) => vec![self.element(*id, *element)],
                Run::Part(id, indices) => vec![self.part(*id, indices, Shape::Vector(indices.len()))],
            })
            .collect()
    }
}

/// Repeats a term, abbreviated if it is repeated often.
fn repeated(written: Written, times: usize) -> Vec<Written> {
    match times {
        0..=4 => vec![written; times],
        _ => vec![written.clone(), Written::typed("…"), written],
    }
}

fn all_equal(values: &[f64]) -> bool {
    !values.is_empty() && values.iter().all(|value| value.to_bits() == values[0].to_bits())
}

/// Writes a function of two parts; `same` says that both are one node.
fn binary(function: Binary, [a, b]: [&Written; 2], kind: Product, same: bool) -> Written {
    let relation = |sign: char| Written::of(&Term::Relation(a, sign, b));
    match function {
        Binary::Add => a.plus(b),
        Binary::Sub => a.minus(b),
        Binary::Mul if same => Written::of(&Term::Power(a, 2)),
        Binary::Mul => a.times(kind, b),
        Binary::Div => a.over(b),
        // z^2 is z², whichever way it was recorded.
        Binary::Pow => match b.text().parse::<i32>() {
            Ok(1) => a.clone(),
            Ok(exponent) => Written::of(&Term::Power(a, exponent)),
            Err(_) => Written::of(&Term::PowerOf(a, b)),
        },
        Binary::LogAddExp => a.log_add_exp(b),
        Binary::Less => relation('<'),
        Binary::LessEq => relation('≤'),
    }
}

/// Writes a choice between two parts.
fn choice(choice: Choice, parts: &[&Written]) -> Written {
    let call = |name: &str| Written::of(&Term::Call(&Function::named(name), parts.to_vec()));
    let relation = |sign: char| Written::of(&Term::Relation(parts[0], sign, parts[1]));
    let conditions = parts.iter().all(|part| part.is_condition());
    match choice {
        Choice::Min if conditions => relation('∧'),
        Choice::Max if conditions => relation('∨'),
        Choice::Min => call("min"),
        Choice::Max => call("max"),
        Choice::Select => parts[1].choice(parts[0], parts[2]),
    }
}
