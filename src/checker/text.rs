//! Parsing of certificates: programs, sets and a claim, written as lines of words.
//!
//! A program has one node a line, `n7 add n2 n5 vector 3`: its number, its operation, its operands, its
//! shape, and after a colon the numbers that belong to the operation. Operands precede the nodes that use
//! them. Shapes are checked where nodes are written out (`scalar.rs`): an index beyond an operand is a
//! rejection, never a panic.

use std::collections::HashMap;
use std::rc::Rc;

use super::rejection::Rejection;
use super::scalar::Function;

/// Maximum number of elements of a node.
const MOST_ELEMENTS: usize = 1 << 24;

/// The operation of a node.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Op {
    Input(usize),
    Parameter(Rc<str>),
    Constant(Vec<f64>),
    Elementwise(Function),
    Broadcast,
    Sum,
    Gather(Vec<usize>),
    Scatter(Vec<usize>),
    Concat,
    Transpose,
    Product,
    Outer,
    LogAbsDet,
    Inverse,
    MatrixExp,
    Substitution(Rc<Program>, Vec<usize>),
    Root(Rc<Program>, f64, f64),
    /// z = G(z), which is not solved: no claim about such a program is accepted.
    Contraction(Rc<Program>),
}

/// A node; rows and columns are 1 for a scalar, and columns are 1 for a vector.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub op: Op,
    pub operands: Vec<usize>,
    pub rows: usize,
    pub columns: usize,
}

impl Node {
    pub fn len(&self) -> usize {
        self.rows * self.columns
    }
}

/// Nodes in order, and the result node.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Program {
    pub nodes: Vec<Node>,
    pub result: usize,
}

/// The interval of a variable.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Side {
    pub low: (f64, bool),
    pub high: (f64, bool),
}

/// A parsed certificate: the words of the claim, and what it is about.
#[derive(Clone, Debug, Default)]
pub(super) struct Certificate {
    pub claim: Vec<String>,
    pub domain: Vec<Side>,
    pub codomain: Vec<Side>,
    pub programs: HashMap<String, Rc<Program>>,
    /// The values of parameters, by name, where a claim is about one choice of them.
    pub values: HashMap<String, Vec<f64>>,
    /// Further lines of numbers, by their first word.
    pub points: HashMap<String, Vec<f64>>,
    /// The certificates of the layers of a composition.
    pub layers: Vec<Certificate>,
}

impl Certificate {
    pub fn program(&self, name: &str) -> Result<&Rc<Program>, Rejection> {
        self.programs.get(name).ok_or_else(|| Rejection::new(format!("there is no program `{name}`")))
    }

    pub fn point(&self, name: &str) -> Result<&[f64], Rejection> {
        let found = self.points.get(name).map(Vec::as_slice);
        found.ok_or_else(|| Rejection::new(format!("there is no line `{name}`")))
    }
}

/// Reads all certificates of a text.
pub(super) fn read(text: &str) -> Result<Vec<Certificate>, Rejection> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let mut found = Vec::new();
    while let Some((number, line)) = lines.next() {
        if line.trim() != "certificate 1" {
            return Err(at(number, "expected `certificate 1`"));
        }
        found.push(certificate(&mut lines)?);
    }
    if found.is_empty() { Err(Rejection::new("the text holds no certificate")) } else { Ok(found) }
}

fn at(line: usize, message: &str) -> Rejection {
    Rejection::new(format!("line {}: {message}", line + 1))
}

fn certificate<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>) -> Result<Certificate, Rejection> {
    let mut read = Certificate::default();
    let mut functions: HashMap<String, Rc<Program>> = HashMap::new();
    while let Some((number, line)) = lines.next() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["end"] => return Ok(read),
            ["claim", claim @ ..] if !claim.is_empty() => {
                read.claim = claim.iter().map(|word| word.to_string()).collect();
            }
            ["domain", rest @ ..] => {
                read.domain.push(side(rest).ok_or_else(|| at(number, "not an interval"))?)
            }
            ["codomain", rest @ ..] => {
                read.codomain.push(side(rest).ok_or_else(|| at(number, "not an interval"))?)
            }
            ["value", name, rest @ ..] => {
                let values = numbers(rest).ok_or_else(|| at(number, "not finite numbers"))?;
                read.values.insert(name.to_string(), values);
            }
            ["point", name, rest @ ..] => {
                let values = numbers(rest).ok_or_else(|| at(number, "not finite numbers"))?;
                read.points.insert(name.to_string(), values);
            }
            ["function", name] => {
                let program = program(lines, &functions)?;
                functions.insert(name.to_string(), Rc::new(program));
            }
            ["program", name] => {
                let program = program(lines, &functions)?;
                read.programs.insert(name.to_string(), Rc::new(program));
            }
            ["layer"] => read.layers.push(certificate(lines)?),
            _ => return Err(at(number, "not a line of a certificate")),
        }
    }
    Err(Rejection::new("a certificate has no `end`"))
}

/// Parses finite numbers.
fn numbers(words: &[&str]) -> Option<Vec<f64>> {
    words.iter().map(|word| word.parse().ok().filter(|value: &f64| value.is_finite())).collect()
}

/// Parses a set, for example `-inf open inf open`.
fn side(words: &[&str]) -> Option<Side> {
    let [low, low_open, high, high_open] = words else { return None };
    let open = |word: &str| match word {
        "open" => Some(true),
        "closed" => Some(false),
        _ => None,
    };
    let end = |at: &str, how: &str| {
        let (at, open) = (at.parse::<f64>().ok().filter(|at| !at.is_nan())?, open(how)?);
        // An infinite end is never attained.
        (open || at.is_finite()).then_some((at, open))
    };
    let side = Side { low: end(low, low_open)?, high: end(high, high_open)? };
    (side.low.0 < side.high.0).then_some(side)
}

fn program<'a>(
    lines: &mut impl Iterator<Item = (usize, &'a str)>,
    functions: &HashMap<String, Rc<Program>>,
) -> Result<Program, Rejection> {
    let mut nodes: Vec<Node> = Vec::new();
    for (number, line) in lines {
        let (left, right) = line.split_once(':').unwrap_or((line, ""));
        let words: Vec<&str> = left.split_whitespace().collect();
        if let ["result", node] = words.as_slice() {
            let result = reference(node, nodes.len()).ok_or_else(|| at(number, "no such node"))?;
            return Ok(Program { nodes, result });
        }
        let extra: Vec<&str> = right.split_whitespace().collect();
        nodes.push(node(&words, &extra, nodes.len(), functions).ok_or_else(|| at(number, "not a node"))?);
    }
    Err(Rejection::new("a program has no result"))
}

/// Parses a reference to an earlier node.
fn reference(word: &str, before: usize) -> Option<usize> {
    word.strip_prefix('n')?.parse().ok().filter(|node| *node < before)
}

fn node(
    words: &[&str],
    extra: &[&str],
    index: usize,
    functions: &HashMap<String, Rc<Program>>,
) -> Option<Node> {
    let [own, name, rest @ ..] = words else { return None };
    if *own != format!("n{index}") {
        return None;
    }
    let operands: Vec<usize> = rest.iter().map_while(|word| reference(word, index)).collect();
    let count = |word: &&str| word.parse::<usize>().ok();
    let (rows, columns) = match &rest[operands.len()..] {
        ["scalar"] => (1, 1),
        ["vector", n] => (count(n)?, 1),
        ["matrix", n, m] => (count(n)?, count(m)?),
        _ => return None,
    };
    rows.checked_mul(columns).filter(|len| *len <= MOST_ELEMENTS)?;
    let whole = || extra.iter().map(count).collect::<Option<Vec<usize>>>();
    let op = match *name {
        "input" => Op::Input(count(extra.first()?)?),
        "parameter" => Op::Parameter((*extra.first()?).into()),
        "constant" => Op::Constant(numbers(extra)?),
        "broadcast" => Op::Broadcast,
        "sum" => Op::Sum,
        "gather" => Op::Gather(whole()?),
        "scatter" => Op::Scatter(whole()?),
        "concat" => Op::Concat,
        "transpose" => Op::Transpose,
        "product" => Op::Product,
        "outer" => Op::Outer,
        "log_abs_det" => Op::LogAbsDet,
        "inverse" => Op::Inverse,
        "matrix_exp" => Op::MatrixExp,
        "substitution" => {
            let order = extra.get(1..)?.iter().map(count).collect::<Option<_>>()?;
            Op::Substitution(functions.get(*extra.first()?)?.clone(), order)
        }
        "root" => {
            let [function, low, high] = extra else { return None };
            let (low, high) = (low.parse::<f64>().ok()?, high.parse::<f64>().ok()?);
            // For ends without a number between them, every claim would hold vacuously.
            if low.partial_cmp(&high) != Some(std::cmp::Ordering::Less) {
                return None;
            }
            Op::Root(functions.get(*function)?.clone(), low, high)
        }
        "contraction" => Op::Contraction(functions.get(*extra.first()?)?.clone()),
        name => Op::Elementwise(Function::named(name, extra)?),
    };
    Some(Node { op, operands, rows, columns })
}
