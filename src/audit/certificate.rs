//! Certificates: what the checker needs to accept a claim.
//!
//! A certificate holds the program in a canonical text, the sets of its variables, the claim, and hints for
//! the check: the place of each variable in the order of a structure, an equal formula of the diagonal, an
//! inverse, or points. The text does not depend on other nodes of the tape: nodes are numbered in the order
//! in which the program needs them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use crate::bijection::Domain;
use crate::checker::Checker;
use crate::sweep::reach::Step;
use crate::sweep::written_out;
use crate::tape::{Equation, Function, Node, NodeId, Op, Shape, Subgraph, Tape};

/// More steps of a solver than this are not written out.
const MOST_STEPS: usize = 256;

/// A certificate under construction, as lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Certificate {
    head: String,
    functions: Vec<Arc<Function>>,
    programs: String,
}

/// What the checker said in one audit: several claims about a layer rest on the same certificates.
#[derive(Default)]
pub(super) struct Decided {
    checker: RefCell<Checker>,
    /// By certificate, with its parameters numbered: nothing if it was accepted, otherwise the message.
    known: RefCell<HashMap<String, Option<String>>>,
}

impl Decided {
    /// Returns why the checker does not accept a certificate; nothing if it does.
    pub fn rejection(&self, certificate: &Certificate) -> Option<String> {
        let text = certificate.text();
        let (key, names) = numbered(&text);
        if let Some(known) = self.known.borrow().get(&key) {
            return known.clone();
        }
        let found = self.checker.borrow_mut().verify(&text).err().map(|rejection| rejection.to_string());
        // What is said of a parameter by its name is said of no other.
        if !found.iter().any(|told| names.iter().any(|name| told.contains(name))) {
            self.known.borrow_mut().insert(key, found.clone());
        }
        found
    }
}

/// A certificate with its parameters numbered in the order in which they are named, and their names.
///
/// What is proven of a program is proven of it by any other names of its parameters, so that layers that differ in these alone
/// are decided once: flows repeat their layers.
fn numbered(text: &str) -> (String, Vec<&str>) {
    let mut names: Vec<&str> = Vec::new();
    let mut key = String::with_capacity(text.len());
    for line in text.lines() {
        let parts = match line.strip_prefix("value ").and_then(|rest| rest.split_once(' ')) {
            Some((name, values)) => Some(("value ", name, values)),
            None if line.split(' ').nth(1) == Some("parameter") => {
                line.rsplit_once(' ').map(|(before, name)| (before, name, ""))
            }
            None => None,
        };
        let Some((before, name, after)) = parts else {
            key.push_str(line);
            key.push('\n');
            continue;
        };
        let number = names.iter().position(|known| *known == name).unwrap_or(names.len());
        if number == names.len() {
            names.push(name);
        }
        let _ = writeln!(key, "{before} {number} {after}");
    }
    (key, names)
}

impl Certificate {
    /// Begins the certificate of a claim.
    pub fn new(claim: &str) -> Certificate {
        Certificate { head: format!("claim {claim}\n"), ..Certificate::default() }
    }

    /// Adds the sets that each variable of z, and each of x, lies in.
    pub fn sets(mut self, domain: &Domain, codomain: &Domain, d: usize) -> Certificate {
        for (name, set) in [("domain", domain), ("codomain", codomain)] {
            for i in 0..d {
                let of = set.of(i);
                let (low, high) = of.ends();
                // -π is one of the angles.
                let how = if of == Domain::Circle { "closed" } else { "open" };
                let _ = writeln!(self.head, "{name} {low:?} {how} {high:?} open");
            }
        }
        self
    }

    /// Adds a named point.
    pub fn point(mut self, name: &str, values: &[f64]) -> Certificate {
        let _ = writeln!(self.head, "point {name}{}", listed(values));
        self
    }

    /// Adds the values of a parameter.
    pub fn value(mut self, name: &str, values: &[f64]) -> Certificate {
        let _ = writeln!(self.head, "value {}{}", word(name), listed(values));
        self
    }

    /// Adds `output` as a function of `input`.
    pub fn program(self, name: &str, tape: &Tape, input: NodeId, output: NodeId) -> Certificate {
        self.program_with(name, (tape, input, output), &[])
    }

    /// As [`Certificate::program`]; names elements of the program by the numbers of their nodes there.
    pub fn program_with(
        mut self,
        name: &str,
        (tape, input, output): (&Tape, NodeId, NodeId),
        elements: &[Step],
    ) -> Certificate {
        // The steps of a solver are no operation that the checker knows; it is told them one by one.
        let steps = if elements.is_empty() { written_out(tape, input, output, MOST_STEPS) } else { None };
        let (tape, input, output) =
            steps.as_ref().map_or((tape, input, output), |(tape, input, output)| (tape, *input, *output));
        let subgraph = Subgraph::new(tape, &[input], &[output]);
        // Nodes in the order of a traversal from the output, so that the text does not depend on what was
        // recorded before.
        let mut order: Vec<NodeId> = Vec::new();
        let mut numbers: HashMap<NodeId, usize> = HashMap::new();
        let mut stack = vec![(output, false), (input, true)];
        while let Some((id, ready)) = stack.pop() {
            if numbers.contains_key(&id) {
                continue;
            }
            if ready || subgraph.is_input(id) {
                numbers.insert(id, order.len());
                order.push(id);
                continue;
            }
            stack.push((id, true));
            stack.extend(tape.node(id).operands.iter().rev().map(|operand| (*operand, false)));
        }
        if !elements.is_empty() {
            let named = elements.iter().flat_map(|step| [numbers[&step.node] as f64, step.element as f64]);
            self = self.point("elements", &named.collect::<Vec<f64>>());
        }
        let mut text = format!("program {name}\n");
        for (number, id) in order.iter().enumerate() {
            let node = match *id == input {
                true => Node { op: Op::Input(0), operands: Default::default(), shape: tape.shape(*id) },
                false => match tape.node(*id) {
                    // An input other than the one in question, which the checker does not have.
                    Node { op: Op::Input(_), shape, .. } => {
                        Node { op: Op::Input(u32::MAX), operands: Default::default(), shape }
                    }
                    node => node,
                },
            };
            let operands: Vec<usize> = node.operands.iter().map(|operand| numbers[operand]).collect();
            let parameter = |k: u32| tape.declarations()[k as usize].name.clone();
            self.node(&mut text, number, &node, &operands, &parameter);
        }
        let _ = writeln!(text, "result n{}", numbers[&output]);
        self.programs.push_str(&text);
        self
    }

    /// Adds the certificate of a layer of a composition.
    pub fn layer(mut self, layer: &Certificate) -> Certificate {
        let text = layer.text();
        self.programs.push_str(&text.replacen("certificate 1", "layer", 1));
        self
    }

    /// The claim, in the words of the certificate.
    pub fn claim(&self) -> &str {
        self.head.lines().next().and_then(|line| line.strip_prefix("claim ")).unwrap_or("")
    }

    /// The whole certificate as text.
    pub fn text(&self) -> String {
        let mut text = format!("certificate 1\n{}", self.head);
        for (k, function) in self.functions.iter().enumerate() {
            let _ = writeln!(text, "function f{k}");
            let mut inner = self.clone();
            for (number, node) in function.nodes().iter().enumerate() {
                let operands: Vec<usize> = node.operands.iter().map(|operand| operand.index()).collect();
                inner.node(&mut text, number, node, &operands, &|_| "captured".to_string());
            }
            let _ = writeln!(text, "result n{}", function.output().index());
        }
        text + &self.programs + "end\n"
    }

    /// Returns the number of a function; functions that it holds itself get their numbers first.
    fn function(&mut self, function: &Arc<Function>) -> usize {
        if let Some(known) = self.functions.iter().position(|known| known == function) {
            return known;
        }
        for node in function.nodes() {
            if let Op::Equation(equation) = &node.op {
                self.function(equation.function());
            }
        }
        self.functions.push(function.clone());
        self.functions.len() - 1
    }

    fn node(
        &mut self,
        text: &mut String,
        number: usize,
        node: &Node,
        operands: &[usize],
        parameter: &dyn Fn(u32) -> String,
    ) {
        let whole = |values: &[u32]| values.iter().map(|value| format!(" {value}")).collect::<String>();
        let (name, extra) = match &node.op {
            Op::Input(k) => ("input", format!(" {k}")),
            Op::Parameter(k) => ("parameter", format!(" {}", word(&parameter(*k)))),
            Op::Constant(data) => ("constant", listed(data.values())),
            Op::Unary(op) => (op.name(), op.number().map_or(String::new(), |number| format!(" {number}"))),
            Op::Gather(indices) => ("gather", whole(indices)),
            Op::Scatter(indices) => ("scatter", whole(indices)),
            Op::MatVec | Op::MatMul => ("product", String::new()),
            Op::Equation(Equation::Substitution(equation)) => {
                let function = self.function(&equation.function);
                ("substitution", format!(" f{function}{}", whole(&equation.order)))
            }
            Op::Equation(Equation::Root(equation)) => {
                let function = self.function(&equation.function);
                ("root", format!(" f{function}{}", listed(equation.ends.values())))
            }
            Op::Equation(Equation::Contraction(equation)) => {
                let function = self.function(&equation.function);
                ("contraction", format!(" f{function}"))
            }
            // The checker has no such operation, and says so.
            Op::Solution(_) => ("solution", String::new()),
            Op::Equation(Equation::System(_)) => ("system", String::new()),
            op => (op.name(), String::new()),
        };
        let _ = write!(text, "n{number} {name}");
        for operand in operands {
            let _ = write!(text, " n{operand}");
        }
        let _ = match node.shape {
            Shape::Scalar => write!(text, " scalar"),
            Shape::Vector(n) => write!(text, " vector {n}"),
            Shape::Matrix(n, m) => write!(text, " matrix {n} {m}"),
        };
        if !extra.is_empty() {
            let _ = write!(text, " :{extra}");
        }
        text.push('\n');
    }
}

/// Writes numbers so that they are read back exactly.
fn listed(values: &[f64]) -> String {
    values.iter().map(|value| format!(" {value:?}")).collect()
}

/// Writes a name as one word.
fn word(name: &str) -> String {
    let letter = |c: char| match c {
        '%' | ':' => format!("%{:x}.", c as u32),
        c if c.is_whitespace() => format!("%{:x}.", c as u32),
        c => c.to_string(),
    };
    name.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn a_certificate_is_known_again_by_other_names_of_its_parameters_and_by_no_other_ones() {
        let program = |a: &str, b: &str| {
            format!(
                "value {a} 1.0\nprogram forward\nn0 input vector 2 : 0\nn1 parameter scalar : {a}\nn2 parameter scalar : {b}\n"
            )
        };
        let (key, names) = (numbered(&program("0.a", "0.b")).0, ["0.a", "0.b"]);
        assert_eq!(numbered(&program("0.a", "0.b")).1, names);
        assert_eq!(key, numbered(&program("7.w", "7.a")).0);
        // One parameter is not two, and a number is no name.
        assert_ne!(key, numbered(&program("0.a", "0.a")).0);
        assert_ne!(key, numbered(&program("0.a", "0.b").replace("1.0", "2.0")).0);
        assert_ne!(key, numbered(&program("0.a", "0.b").replace("n2 parameter", "n3 parameter")).0);
    }
}
