//! Writes a program out as scalars: data movement, sums and matrix products are expanded, and equations are
//! solved element by element.

use std::rc::Rc;

use super::rejection::Rejection;
use super::scalar::{Function, Id, Scalar, Scalars};
use super::text::{Node, Op, Program};

/// Maximum number of scalars of a certificate.
const MOST: usize = 8_000_000;

impl Scalars {
    /// Returns the elements of a program's result for these inputs.
    pub fn results(&mut self, program: &Program, inputs: &[Vec<Id>]) -> Result<Vec<Id>, Rejection> {
        let mut values = self.filled(program, inputs)?;
        let result = values.swap_remove(program.result);
        result.into_iter().collect::<Option<_>>().ok_or_else(|| Rejection::new("a result needs itself"))
    }

    /// Returns the elements of every node of a program for these inputs.
    pub fn elements(&mut self, program: &Program, inputs: &[Vec<Id>]) -> Result<Vec<Vec<Id>>, Rejection> {
        let values = self.filled(program, inputs)?.into_iter();
        let all = values.map(|node| node.into_iter().collect::<Option<Vec<Id>>>());
        all.collect::<Option<_>>().ok_or_else(|| Rejection::new("a result needs itself"))
    }

    fn filled(&mut self, program: &Program, inputs: &[Vec<Id>]) -> Result<Vec<Vec<Option<Id>>>, Rejection> {
        let given: Vec<Vec<Option<Id>>> =
            inputs.iter().map(|input| input.iter().copied().map(Some).collect()).collect();
        let mut values = program.nodes.iter().map(|node| vec![None; node.len()]).collect::<Vec<_>>();
        self.fill(program, &given, &mut values)?;
        Ok(values)
    }

    /// Writes out every element whose operands are known.
    fn fill(
        &mut self,
        program: &Program,
        inputs: &[Vec<Option<Id>>],
        values: &mut [Vec<Option<Id>>],
    ) -> Result<(), Rejection> {
        for (index, node) in program.nodes.iter().enumerate() {
            let (known, rest) = values.split_at_mut(index);
            let own = &mut rest[0];
            if own.iter().all(Option::is_some) {
                continue;
            }
            if self.len() > MOST {
                return Err(Rejection::new(format!(
                    "written out, the programs have more than {MOST} elements"
                )));
            }
            let operands: Vec<(&Node, &[Option<Id>])> =
                node.operands.iter().map(|k| (&program.nodes[*k], known[*k].as_slice())).collect();
            // A⁻¹·b is kept as the solution of a system of equations.
            let solves = match (&node.op, node.operands.first()) {
                (Op::Product, Some(first)) => match &program.nodes[*first].op {
                    Op::Inverse if node.columns == 1 => {
                        Some(known[program.nodes[*first].operands[0]].clone())
                    }
                    _ => None,
                },
                _ => None,
            };
            self.node(node, &operands, inputs, solves, own).ok_or_else(|| {
                Rejection::new(format!("node n{index}: its shapes or numbers do not fit"))
            })??;
        }
        Ok(())
    }

    /// Returns the elements of one node; `None` where shapes or indices do not fit.
    fn node(
        &mut self,
        node: &Node,
        operands: &[(&Node, &[Option<Id>])],
        inputs: &[Vec<Option<Id>>],
        solves: Option<Vec<Option<Id>>>,
        own: &mut [Option<Id>],
    ) -> Option<Result<(), Rejection>> {
        let len = own.len();
        let of = |k: usize| operands.get(k).map(|(_, elements)| *elements);
        let whole = |elements: &[Option<Id>]| elements.iter().copied().collect::<Option<Vec<Id>>>();
        match &node.op {
            Op::Input(k) => own.copy_from_slice(inputs.get(*k).filter(|input| input.len() == len)?),
            Op::Parameter(name) => {
                for (e, own) in own.iter_mut().enumerate() {
                    *own = Some(self.push(Scalar::Parameter(name.clone(), e)));
                }
            }
            Op::Constant(data) if data.len() == len => {
                for (own, value) in own.iter_mut().zip(data) {
                    *own = Some(self.number(*value));
                }
            }
            Op::Constant(_) => return None,
            Op::Elementwise(function) => {
                if operands.len() != function.arity() || operands.iter().any(|(_, e)| e.len() != len) {
                    return None;
                }
                for (e, own) in own.iter_mut().enumerate().filter(|(_, own)| own.is_none()) {
                    *own = self.element(*function, operands, e);
                }
            }
            Op::Broadcast => {
                let [one] = of(0)? else { return None };
                own.fill(*one);
            }
            Op::Sum => {
                let [own] = own else { return None };
                *own = whole(of(0)?).map(|terms| self.sum(terms));
            }
            Op::Gather(indices) if indices.len() == len => {
                for (own, index) in own.iter_mut().zip(indices) {
                    *own = *of(0)?.get(*index)?;
                }
            }
            Op::Scatter(indices) if indices.len() == of(0)?.len() => {
                let mut terms: Vec<Vec<Option<Id>>> = vec![Vec::new(); len];
                for (index, element) in indices.iter().zip(of(0)?) {
                    terms.get_mut(*index)?.push(*element);
                }
                for (own, terms) in own.iter_mut().zip(terms) {
                    *own = whole(&terms).map(|terms| self.sum(terms));
                }
            }
            Op::Gather(_) | Op::Scatter(_) => return None,
            Op::Concat => {
                let all: Vec<Option<Id>> = operands.iter().flat_map(|(_, e)| e.iter().copied()).collect();
                if all.len() != len {
                    return None;
                }
                own.copy_from_slice(&all);
            }
            Op::Transpose => {
                let (from, elements) = operands.first()?;
                if (from.rows, from.columns) != (node.columns, node.rows) {
                    return None;
                }
                for (e, own) in own.iter_mut().enumerate() {
                    *own = elements[(e % node.columns) * from.columns + e / node.columns];
                }
            }
            Op::Product => {
                let [(left, a), (right, b)] = operands else { return None };
                if left.columns != right.rows || (node.rows, node.columns) != (left.rows, right.columns) {
                    return None;
                }
                if let Some(matrix) = solves {
                    if let (Some(matrix), Some(right)) = (whole(&matrix), whole(b)) {
                        let (matrix, right): (Rc<[Id]>, Rc<[Id]>) = (matrix.into(), right.into());
                        for (i, own) in own.iter_mut().enumerate() {
                            *own = Some(self.push(Scalar::Solve(matrix.clone(), right.clone(), i)));
                        }
                    }
                    return Some(Ok(()));
                }
                for (e, own) in own.iter_mut().enumerate().filter(|(_, own)| own.is_none()) {
                    let (row, column) = (e / node.columns, e % node.columns);
                    let pair = |k: usize| [a[row * left.columns + k], b[k * right.columns + column]];
                    // Inside of an equation this is asked once for each place; no product is recorded until all are
                    // known.
                    let known = |[a, b]: [Option<Id>; 2]| {
                        a.is_some() && b.is_some() || self.is_zero(a) || self.is_zero(b)
                    };
                    if !(0..left.columns).all(|k| known(pair(k))) {
                        continue;
                    }
                    let terms = (0..left.columns).map(|k| {
                        let [a, b] = pair(k);
                        self.product(a, b)
                    });
                    let terms: Option<Vec<Id>> = terms.collect();
                    *own = terms.map(|terms| self.sum(terms));
                }
            }
            Op::Outer => {
                let (a, b) = (of(0)?, of(1)?);
                if a.len() != node.rows || b.len() != node.columns {
                    return None;
                }
                for (e, own) in own.iter_mut().enumerate() {
                    *own = self.product(a[e / node.columns], b[e % node.columns]);
                }
            }
            Op::LogAbsDet | Op::Inverse | Op::MatrixExp => {
                let (from, elements) = operands.first()?;
                let wanted = if node.op == Op::LogAbsDet { 1 } else { from.rows };
                if from.rows != from.columns || (node.rows, node.columns) != (wanted, wanted) {
                    return None;
                }
                let Some(matrix) = whole(elements) else { return Some(Ok(())) };
                let matrix: Rc<[Id]> = matrix.into();
                for (e, own) in own.iter_mut().enumerate() {
                    *own = Some(match node.op {
                        Op::Inverse => self.push(Scalar::Inverse(matrix.clone(), e)),
                        Op::MatrixExp => self.push(Scalar::MatrixExp(matrix.clone(), e)),
                        _ => self.push(Scalar::LogAbsDet(matrix.clone())),
                    });
                }
            }
            Op::Substitution(function, order) if order.len() == len => {
                let captured: Vec<Vec<Option<Id>>> = operands.iter().map(|(_, e)| e.to_vec()).collect();
                return Some(self.substitution(function, order, captured, own));
            }
            Op::Substitution(..) => return None,
            Op::Contraction(_) => {
                return Some(Err(Rejection::new("the solution of a contraction is no formula")));
            }
            Op::Root(function, low, high) => {
                let ends = [low.to_bits(), high.to_bits()];
                let letters: Vec<Id> = (0..len).map(|_| self.letter_between(ends)).collect();
                let mut inputs = vec![letters.iter().copied().map(Some).collect::<Vec<_>>()];
                inputs.extend(operands.iter().map(|(_, e)| e.to_vec()));
                let mut values: Vec<Vec<Option<Id>>> =
                    function.nodes.iter().map(|node| vec![None; node.len()]).collect();
                if let Err(rejection) = self.fill(function, &inputs, &mut values) {
                    return Some(Err(rejection));
                }
                let bodies = &values[function.result];
                if bodies.len() != len {
                    return None;
                }
                for ((own, body), letter) in own.iter_mut().zip(bodies).zip(letters) {
                    *own = body.map(|body| self.push(Scalar::Root { body, letter, ends }));
                }
            }
        }
        Some(Ok(()))
    }

    fn element(&mut self, function: Function, operands: &[(&Node, &[Option<Id>])], e: usize) -> Option<Id> {
        if function == Function::Mul {
            return self.product(operands[0].1[e], operands[1].1[e]);
        }
        let known: Option<Vec<Id>> = operands.iter().map(|(_, elements)| elements[e]).collect();
        known.map(|known| self.apply(function, &known))
    }

    /// Returns a product; it is known to be 0 as soon as one factor is.
    fn product(&mut self, a: Option<Id>, b: Option<Id>) -> Option<Id> {
        if self.is_zero(a) || self.is_zero(b) {
            return Some(self.number(0.0));
        }
        Some(self.apply(Function::Mul, &[a?, b?]))
    }

    /// Returns whether an element is known and the constant 0.
    fn is_zero(&self, id: Option<Id>) -> bool {
        id.is_some_and(|id| self.value(id) == Some(0.0))
    }

    fn sum(&mut self, mut terms: Vec<Id>) -> Id {
        terms.retain(|id| self.value(*id) != Some(0.0));
        match terms.as_slice() {
            [] => self.number(0.0),
            [one] => *one,
            _ => self.push(Scalar::Sum(terms)),
        }
    }

    /// Solves z = G(z), element by element in the order of solving.
    fn substitution(
        &mut self,
        function: &Program,
        order: &[usize],
        captured: Vec<Vec<Option<Id>>>,
        own: &mut [Option<Id>],
    ) -> Result<(), Rejection> {
        let mut inputs = vec![own.to_vec()];
        inputs.extend(captured);
        let mut values: Vec<Vec<Option<Id>>> =
            function.nodes.iter().map(|node| vec![None; node.len()]).collect();
        let mut places: Vec<usize> = order.to_vec();
        places.sort_unstable();
        places.dedup();
        for place in places {
            self.fill(function, &inputs, &mut values)?;
            let result = &values[function.result];
            if result.len() != own.len() {
                return Err(Rejection::new("an equation of another shape than its unknown"));
            }
            for (e, _) in order.iter().enumerate().filter(|(_, other)| **other == place) {
                inputs[0][e] = result[e];
            }
        }
        own.copy_from_slice(&inputs[0]);
        Ok(())
    }
}
