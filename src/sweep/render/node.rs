//! What each node is as a term: one match over the operations, once for the node and once for its element i.

use super::function::Function;
use super::movement::{Run, Shown, Source, positions};
use super::term::{Positions, Product, Term, Written};
use super::walk::{Entry, Sheet, Walk};
use super::{Names, mask, text};
use crate::tape::{self, Node, NodeId, Op, Shape};

impl Walk<'_> {
    pub(super) fn entry(&mut self, id: NodeId) -> Entry {
        if let Some(name) = self.names.given.get(&id) {
            return self.called(id, name.clone());
        }
        if let Some(shown) = self.movement.of(id) {
            return self.moved(id, &shown.clone());
        }
        let node = self.tape.node(id);
        match &node.op {
            Op::Input(number) => {
                self.called(id, Written::name(&format!("input{}", text::subscript(*number as usize + 1))))
            }
            Op::Parameter(number) => self.called(id, Written::name(&self.parameters[*number as usize])),
            Op::Constant(data) => self.constant(id, data.values(), node.shape),
            op if op.is_elementwise() => {
                let kind = self.product_of(&node);
                let parts: Vec<&Written> = node.operands.iter().map(|o| &self.known(*o).plain).collect();
                let same = node.operands.first() == node.operands.get(1);
                let plain = match (op, node.shape) {
                    // A² of a matrix would be A·A.
                    (Op::Mul, Shape::Matrix(..)) if same => {
                        Written::of(&Term::Times(Product::Elementwise, parts[0], parts[0]))
                    }
                    (Op::Powi(exponent), Shape::Matrix(..)) => {
                        let exponent = Written::number(f64::from(*exponent));
                        Written::of(&Term::Call(&Function::named("power"), vec![parts[0], &exponent]))
                    }
                    _ => elementwise(op, &parts, kind, same),
                };
                let indexed = self.indexed(&node, op);
                Entry { plain, indexed }
            }
            Op::Substitution(equation) => {
                let variable = Written::typed("ζ");
                let function = self.function(&equation.function, &node, &variable);
                let solved = Written::of(&Term::Call(
                    &Function::named("solve"),
                    vec![&Written::of(&Term::Relation(&variable, '=', &function))],
                ));
                self.with_index(solved, node.shape)
            }
            Op::Root(equation) => {
                let function = self.function(&equation.function, &node, &Written::typed("ζ"));
                let zero = Written::number(0.0);
                let solved = Written::of(&Term::Call(
                    &Function::named("solve"),
                    vec![&Written::of(&Term::Relation(&function, '=', &zero))],
                ));
                self.with_index(solved, node.shape)
            }
            _ => {
                let plain = self.structural(&node);
                self.with_index(plain, node.shape)
            }
        }
    }

    /// What an equation says of its unknown; what it captures stands as it is written here.
    fn function(&mut self, function: &tape::Function, node: &Node, variable: &Written) -> Written {
        let (tape, inputs, output) = function.tape();
        let captured = node.operands.iter().map(|operand| self.known(*operand).plain.clone());
        let arguments = inputs.iter().zip([variable.clone()].into_iter().chain(captured));
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

    /// Element i of an elementwise operation: the operation of the elements.
    fn indexed(&self, node: &Node, op: &Op) -> Option<Written> {
        if node.shape == Shape::Scalar {
            return None;
        }
        let element = |id: &NodeId| match self.tape.shape(self.movement.target(*id)) {
            Shape::Scalar => Some(&self.known(*id).plain),
            _ => self.known(*id).indexed.as_ref(),
        };
        let parts: Vec<&Written> = node.operands.iter().map(element).collect::<Option<_>>()?;
        let same = node.operands.first() == node.operands.get(1);
        Some(elementwise(op, &parts, Product::Scalar, same))
    }

    /// A name as it stands, and as its element of index i.
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

    /// Whether a product is of two vectors or matrices, and not with a number repeated.
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

    fn structural(&self, node: &Node) -> Written {
        let of = |k: usize| self.spelled_out(node.operands[k]);
        match &node.op {
            Op::Sum => match self.known(node.operands[0]) {
                Entry { plain, .. } if self.tape.shape(node.operands[0]).len() == 1 => plain.clone(),
                Entry { indexed: Some(body), .. } if !body.sums() => {
                    let matrix = matches!(self.tape.shape(node.operands[0]), Shape::Matrix(..));
                    Written::of(&Term::Total { sign: 'Σ', over: if matrix { "ij" } else { "i" }, body })
                }
                Entry { plain, .. } => Written::of(&Term::Total { sign: 'Σ', over: "", body: plain }),
            },
            Op::MatVec | Op::MatMul => Written::of(&Term::Times(Product::Matrix, &of(0), &of(1))),
            Op::Outer => {
                let turned = Written::of(&Term::Transposed(&of(1)));
                Written::of(&Term::Times(Product::Matrix, &of(0), &turned))
            }
            Op::LogAbsDet => Written::of(&Term::Determinant(&of(0))).log_abs(),
            Op::Inverse => Written::of(&Term::Inverse(&of(0))),
            op => unreachable!("{} is written elsewhere", op.name()),
        }
    }

    /// A vector of equal numbers, which stands as one number elsewhere, as a vector.
    fn spelled_out(&self, id: NodeId) -> Written {
        let target = self.movement.target(id);
        let equal = self.tape.look(target, |node| match &node.op {
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
                // An element of a list that mixes several things is no formula of i.
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
                let Shape::Matrix(_, columns) = shape else { unreachable!("a table is a matrix") };
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
                let places = Written::typed(&text::picked(
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

    /// The parts of a list.
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

/// Something several times; what is repeated often is not repeated on paper.
fn repeated(written: Written, times: usize) -> Vec<Written> {
    match times {
        0..=4 => vec![written; times],
        _ => vec![written.clone(), Written::typed("…"), written],
    }
}

fn all_equal(values: &[f64]) -> bool {
    !values.is_empty() && values.iter().all(|value| value.to_bits() == values[0].to_bits())
}

/// An elementwise operation on parts that are written; `same` says that both are one node.
fn elementwise(op: &Op, parts: &[&Written], kind: Product, same: bool) -> Written {
    let a = parts[0];
    let b = || parts[1];
    let call = |name: &str| Written::of(&Term::Call(&Function::named(name), parts.to_vec()));
    let lettered = |before: &str, letter: char, command: &str| {
        Written::of(&Term::Call(&Function::lettered(before, letter, command), parts.to_vec()))
    };
    let relation = |sign: char| Written::of(&Term::Relation(a, sign, b()));
    let conditions = parts.len() == 2 && parts.iter().all(|part| part.is_condition());
    match op {
        Op::Neg => a.negative(),
        Op::Recip => a.reciprocal(),
        Op::Exp => Written::of(&Term::Exponential(a)),
        Op::Ln => call("ln"),
        Op::ExpM1 => a.exponential_less_one(),
        Op::Ln1p => a.log_one_plus(),
        Op::Tanh => call("tanh"),
        Op::SechSquared => Written::of(&Term::Power(&call("sech"), 2)),
        Op::Sigmoid => lettered("", 'σ', "\\sigma"),
        Op::Softplus => call("softplus"),
        Op::Sin => call("sin"),
        Op::Cos => call("cos"),
        Op::Sqrt => Written::of(&Term::Root(a)),
        Op::Abs => Written::of(&Term::Bars(a)),
        Op::Sign => call("sign"),
        Op::Erf => call("erf"),
        Op::Sinh => call("sinh"),
        Op::Cosh => call("cosh"),
        Op::Asinh => call("asinh"),
        Op::LnNormalCdf => lettered("ln", 'Φ', "\\Phi"),
        Op::LnGamma => lettered("ln", 'Γ', "\\Gamma"),
        Op::Polygamma(order) => Written::of(&Term::Call(&Function::polygamma(*order), parts.to_vec())),
        Op::Powi(exponent) => Written::of(&Term::Power(a, *exponent)),
        Op::Add => a.plus(b()),
        Op::Sub => a.minus(b()),
        Op::Mul if same => Written::of(&Term::Power(a, 2)),
        Op::Mul => a.times(kind, b()),
        Op::Div => a.over(b()),
        // z^2 is z², whichever way it was recorded.
        Op::Pow => match b().text.string.parse::<i32>() {
            Ok(1) => a.clone(),
            Ok(exponent) => Written::of(&Term::Power(a, exponent)),
            Err(_) => Written::of(&Term::PowerOf(a, b())),
        },
        Op::Min if conditions => relation('∧'),
        Op::Max if conditions => relation('∨'),
        Op::Min => call("min"),
        Op::Max => call("max"),
        Op::Less => relation('<'),
        Op::LessEq => relation('≤'),
        Op::Select => parts[1].choice(a, parts[2]),
        Op::Input(_) | Op::Parameter(_) | Op::Constant(_) => unreachable!("it has no operands"),
        Op::Broadcast | Op::Sum | Op::Gather(_) | Op::Scatter(_) | Op::Concat | Op::Transpose => {
            unreachable!("it is not elementwise")
        }
        Op::MatVec | Op::MatMul | Op::Outer | Op::LogAbsDet | Op::Inverse => {
            unreachable!("it is not elementwise")
        }
        Op::Substitution(_) | Op::Root(_) => unreachable!("it is not elementwise"),
    }
}
