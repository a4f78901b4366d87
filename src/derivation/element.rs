//! Elements of vectors and matrices as scalar formulas: element 1 of tanh(W·z) is tanh(w₁,₁·z₁ + …), and the
//! diagonal of W⊙M + diag(v) is v if the mask M has a zero diagonal.
//!
//! Derivations of few variables are written entry by entry. The elements are nodes too, so that they can be
//! simplified and tested like all others.

use std::collections::HashMap;

use crate::sweep::function::at_zero;
use crate::tape::{Binary, Node, NodeId, Op, Operands, Shape, Tape, Var};

/// Up to this number of terms, a row of a matrix product is written out.
const TERMS: usize = 3;
/// Up to this number of columns, non-zero terms are searched for.
const COLUMNS: usize = 64;

/// Elements of a node, numbered by rows.
type Wanted = (NodeId, Vec<usize>);

/// Elements worked out so far: one at a time as scalars, or several as vectors.
pub(super) struct Elements<'t> {
    tape: &'t Tape,
    single: bool,
    known: HashMap<Wanted, NodeId>,
}

impl<'t> Elements<'t> {
    /// Works out one element at a time.
    pub(super) fn scalars(tape: &'t Tape) -> Elements<'t> {
        Elements { tape, single: true, known: HashMap::new() }
    }

    /// Works out several elements as a vector.
    pub(super) fn vectors(tape: &'t Tape) -> Elements<'t> {
        Elements { tape, single: false, known: HashMap::new() }
    }

    /// Returns these elements of a node.
    pub(super) fn of(&mut self, id: NodeId, elements: &[usize]) -> Var<'t> {
        let wanted = (id, elements.to_vec());
        let mut stack = vec![wanted.clone()];
        while let Some(top) = stack.last().cloned() {
            let node = self.tape.node(top.0);
            let needs = self.needs(&node, &top.1);
            let missing: Vec<Wanted> =
                needs.into_iter().flatten().filter(|needed| !self.known.contains_key(needed)).collect();
            if missing.is_empty() {
                let value = self.value(&top, &node);
                self.known.insert(top, value.id());
                stack.pop();
            } else {
                stack.extend(missing);
            }
        }
        self.tape.var(self.known[&wanted])
    }

    fn shape(&self, elements: &[usize]) -> Shape {
        if self.single { Shape::Scalar } else { Shape::Vector(elements.len()) }
    }

    /// Returns what these elements are computed from; `None` where they are read from the node itself.
    fn needs(&self, node: &Node, elements: &[usize]) -> Option<Vec<Wanted>> {
        let operand = |k: usize| node.operands[k];
        let mapped = |to: &dyn Fn(usize) -> usize| elements.iter().map(|e| to(*e)).collect::<Vec<_>>();
        match &node.op {
            Op::Unary(_) | Op::Binary(_) | Op::Choice(_) => {
                Some(node.operands.iter().map(|operand| (*operand, elements.to_vec())).collect())
            }
            Op::Broadcast if self.single => Some(vec![(operand(0), vec![0])]),
            Op::Broadcast | Op::Constant(_) => Some(Vec::new()),
            Op::Gather(indices) => Some(vec![(operand(0), mapped(&|e| indices[e] as usize))]),
            Op::Transpose => {
                let (rows, columns) = node.shape.matrix_dims();
                Some(vec![(operand(0), mapped(&|e| (e % columns) * rows + e / columns))])
            }
            Op::Concat => {
                let mut start = 0;
                node.operands.iter().find_map(|part| {
                    let first = start;
                    start += self.tape.shape(*part).len();
                    let inside = elements.iter().all(|e| (first..start).contains(e));
                    inside.then(|| vec![(*part, mapped(&|e| e - first))])
                })
            }
            Op::Scatter(places) => {
                let sources: Vec<Vec<usize>> = elements
                    .iter()
                    .map(|e| (0..places.len()).filter(|k| places[*k] as usize == *e).collect())
                    .collect();
                match () {
                    () if sources.iter().all(Vec::is_empty) => Some(Vec::new()),
                    () if sources.iter().all(|of| of.len() == 1) => {
                        Some(vec![(operand(0), sources.concat())])
                    }
                    () => None,
                }
            }
            Op::MatVec if self.single => self.row(node, elements[0]),
            _ => None,
        }
    }

    /// Returns the entries of a matrix row, then the elements of the vector that meet a non-zero entry, then
    /// of both only those with a non-zero product, if there are few.
    fn row(&self, node: &Node, row: usize) -> Option<Vec<Wanted>> {
        let (matrix, vector) = (node.operands[0], node.operands[1]);
        let (_, columns) = self.tape.shape(matrix).matrix_dims();
        if columns > COLUMNS {
            return None;
        }
        let entry = |k: usize| (matrix, vec![row * columns + k]);
        if (0..columns).any(|k| !self.known.contains_key(&entry(k))) {
            return Some((0..columns).map(entry).collect());
        }
        let kept: Vec<usize> = (0..columns).filter(|k| !self.is(self.known[&entry(*k)], 0.0)).collect();
        let met = |k: usize| (vector, vec![k]);
        if kept.iter().any(|k| !self.known.contains_key(&met(*k))) {
            return Some(kept.into_iter().map(met).collect());
        }
        let kept: Vec<usize> = kept.into_iter().filter(|k| !self.is(self.known[&met(*k)], 0.0)).collect();
        (kept.len() <= TERMS).then(|| kept.into_iter().flat_map(|k| [entry(k), met(k)]).collect())
    }

    fn value(&self, (id, elements): &Wanted, node: &Node) -> Var<'t> {
        let shape = self.shape(elements);
        let number = |value: f64| self.tape.constant(value).broadcast(shape);
        let as_it_is = || match node.shape == shape && node.shape == Shape::Scalar {
            true => self.tape.var(*id),
            false => self.tape.var(*id).pick("at", elements, shape),
        };
        let Some(needs) = self.needs(node, elements) else { return as_it_is() };
        let needed: Vec<NodeId> = needs.iter().map(|needed| self.known[needed]).collect();
        let var = |k: usize| self.tape.var(needed[k]);
        match &node.op {
            Op::Constant(data) => {
                let values: Vec<f64> = elements.iter().map(|e| data.values()[*e]).collect();
                self.tape.constants(shape, &values)
            }
            Op::Binary(Binary::Mul) if needed.iter().any(|factor| self.is(*factor, 0.0)) => number(0.0),
            Op::Binary(Binary::Mul) if self.is(needed[0], 1.0) => var(1),
            Op::Binary(Binary::Mul) if self.is(needed[1], 1.0) => var(0),
            Op::Binary(Binary::Mul) if self.is(needed[0], -1.0) => -var(1),
            Op::Binary(Binary::Mul) if self.is(needed[1], -1.0) => -var(0),
            Op::Binary(Binary::Add) if self.is(needed[0], 0.0) => var(1),
            Op::Binary(Binary::Add | Binary::Sub) if self.is(needed[1], 0.0) => var(0),
            Op::Unary(function) if self.is(needed[0], 0.0) && at_zero(*function).is_some() => {
                number(at_zero(*function).expect("just seen"))
            }
            op @ (Op::Unary(_) | Op::Binary(_) | Op::Choice(_)) => {
                self.tape.push(op.clone(), needed.iter().copied().collect::<Operands>(), shape)
            }
            Op::Broadcast if self.single => var(0),
            Op::Broadcast => self.tape.var(node.operands[0]).broadcast(shape),
            Op::Gather(_) | Op::Transpose | Op::Concat => var(0),
            Op::Scatter(_) => needed.first().map_or_else(|| number(0.0), |id| self.tape.var(*id)),
            Op::MatVec => {
                let pairs = needed.chunks(2).map(|pair| (pair[0], self.tape.var(pair[1])));
                let terms = pairs.map(|(weight, value)| match self.is(weight, 1.0) {
                    true => value,
                    false => self.tape.var(weight) * value,
                });
                terms.reduce(|sum, next| sum + next).unwrap_or_else(|| number(0.0))
            }
            Op::Input(_) | Op::Parameter(_) | Op::Sum | Op::MatMul | Op::Outer => as_it_is(),
            Op::LogAbsDet | Op::Inverse | Op::MatrixExp | Op::Equation(_) | Op::Solution(_) => as_it_is(),
        }
    }

    fn is(&self, id: NodeId, number: f64) -> bool {
        let node = self.tape.node(id);
        match &node.op {
            Op::Constant(data) => data.values().iter().all(|value| *value == number),
            Op::Broadcast => self.tape.with_node(
                node.operands[0],
                |node| matches!(&node.op, Op::Constant(data) if data.values() == [number]),
            ),
            _ => false,
        }
    }
}
