//! Affine maps whose matrices are formulas of parameters: x = W_k(… W₁(z) …) + b is a bijection of ℝᵈ if no matrix is
//! singular, whatever the parameters are.
//!
//! The program is read node by node, from its result to its input. On the way lie sums with what does not depend on z,
//! products with matrices that do not, and movements that lose no element. A matrix is shown to be nonsingular by what it
//! is made of (products, transposes, inverses), or by its elements, one rule after another (`Matrices::by_elements`).

use dashu_ratio::RBig;

use super::determinant::{exact_determinant, written_out};
use super::map::Map;
use super::normal::Forms;
use super::rejection::{Checked, Rejection, reject};
use super::scalar::{Function, Id};
use super::sign::sign;
use super::text::{Certificate, Op, Program, Side};
use super::triangular::parity;

/// A determinant of so many rows is written out as a formula.
const WRITTEN_OUT: usize = 4;

/// A node that is an invertible affine function of some elements of z, in this order, and the sign of its determinant.
struct Affine {
    from: Vec<usize>,
    sign: i32,
}

struct Matrices<'a> {
    program: &'a Program,
    map: Map,
    /// The elements of each node.
    elements: Vec<Vec<Id>>,
    /// Whether a node depends on z.
    moves: Vec<bool>,
}

/// Checks that x = W z + b with a matrix W that is nonsingular for all parameters, and the sign of its determinant.
pub(super) fn check(certificate: &Certificate, expected: &str) -> Checked<()> {
    let whole = |side: &Side| side.low.0 == f64::NEG_INFINITY && side.high.0 == f64::INFINITY;
    if !certificate.domain.iter().chain(&certificate.codomain).all(whole) {
        return reject("an affine map is onto only from all numbers to all numbers");
    }
    let program = certificate.program("forward")?;
    let d = certificate.domain.len();
    let mut map = Map::new(program, &certificate.domain)?;
    if map.outputs.len() != d {
        return reject(format!("{d} inputs, but {} outputs", map.outputs.len()));
    }
    let mut moves = vec![false; program.nodes.len()];
    for (k, node) in program.nodes.iter().enumerate() {
        moves[k] = matches!(node.op, Op::Input(_)) || node.operands.iter().any(|operand| moves[*operand]);
    }
    let elements = map.scalars.elements(program, std::slice::from_ref(&map.inputs))?;
    let mut matrices = Matrices { program, map, elements, moves };
    let Affine { from, sign } = matrices.affine()?;
    let covers = from.len() == d && (0..d).all(|i| from.contains(&i));
    if !covers {
        return reject("the outputs are not made of each input once");
    }
    let sign = sign * parity(from.into_iter().enumerate());
    match (sign > 0, expected) {
        (true, "positive") | (false, "negative") => Ok(()),
        _ => reject("the determinant has another sign"),
    }
}

impl Matrices<'_> {
    /// The result as an affine function of z: node by node in the order of the program, so that nothing recurses.
    fn affine(&mut self) -> Checked<Affine> {
        let mut known: Vec<Option<Affine>> = Vec::new();
        let needed = self.needed();
        for (k, needed) in needed.into_iter().enumerate().take(self.program.result + 1) {
            known.push(if needed { self.step(k, &known)? } else { None });
        }
        match known.pop().flatten() {
            Some(affine) => Ok(affine),
            None => reject("the result is not an affine function of the inputs by matrices of their size"),
        }
    }

    /// The nodes that the result needs and that depend on z.
    fn needed(&self) -> Vec<bool> {
        let mut needed = vec![false; self.program.nodes.len()];
        needed[self.program.result] = true;
        for k in (0..needed.len()).rev().filter(|k| self.moves[*k]) {
            if needed[k] {
                self.program.nodes[k].operands.iter().for_each(|operand| needed[*operand] = true);
            }
        }
        (0..needed.len()).map(|k| needed[k] && self.moves[k]).collect()
    }

    fn step(&mut self, k: usize, known: &[Option<Affine>]) -> Checked<Option<Affine>> {
        let node = &self.program.nodes[k];
        let of = |operand: usize| known[operand].as_ref();
        let moved =
            |affine: &Affine, sign: i32| Affine { from: affine.from.clone(), sign: affine.sign * sign };
        Ok(match (&node.op, node.operands.as_slice()) {
            (Op::Input(0), _) => Some(Affine { from: (0..node.len()).collect(), sign: 1 }),
            (Op::Gather(indices), [a]) => {
                let Some(affine) = of(*a) else { return Ok(None) };
                let distinct = {
                    let mut sorted = indices.clone();
                    sorted.sort_unstable();
                    sorted.windows(2).all(|pair| pair[0] != pair[1])
                };
                let is_input = matches!(self.program.nodes[*a].op, Op::Input(_));
                match (distinct, indices.len() == affine.from.len()) {
                    (true, true) => Some(moved(affine, parity(indices.iter().copied().enumerate()))),
                    // Some of the elements, where each is an input and nothing else.
                    (true, false) if is_input => Some(Affine { from: indices.clone(), sign: 1 }),
                    _ => None,
                }
            }
            (Op::Transpose, [a]) => {
                let from = &self.program.nodes[*a];
                let place = |e: usize| (e % node.columns) * from.columns + e / node.columns;
                let turned = parity((0..node.len()).map(|e| (e, place(e))));
                of(*a).map(|affine| moved(affine, turned))
            }
            (Op::Concat, parts) => {
                let Some(parts) = parts.iter().map(|part| of(*part)).collect::<Option<Vec<_>>>() else {
                    return Ok(None);
                };
                let sign = parts.iter().map(|part| part.sign).product();
                Some(Affine { from: parts.iter().flat_map(|part| part.from.clone()).collect(), sign })
            }
            (Op::Product, [matrix, argument]) if !self.moves[*matrix] => {
                let columns = node.columns;
                let Some(affine) = of(*argument) else { return Ok(None) };
                let power = self.nonsingular(*matrix)?.pow(columns as u32 % 2);
                Some(moved(affine, power))
            }
            (Op::Product, [argument, matrix]) if !self.moves[*matrix] => {
                let rows = node.rows;
                let Some(affine) = of(*argument) else { return Ok(None) };
                let power = self.nonsingular(*matrix)?.pow(rows as u32 % 2);
                Some(moved(affine, power))
            }
            (Op::Elementwise(Function::Neg), [a]) => {
                let turned = if node.len().is_multiple_of(2) { 1 } else { -1 };
                of(*a).map(|affine| moved(affine, turned))
            }
            (Op::Elementwise(function @ (Function::Add | Function::Sub)), [a, b]) => {
                let (affine, beside, turned) = match (self.moves[*a], self.moves[*b]) {
                    (true, false) => (of(*a), *b, 1),
                    (false, true) if *function == Function::Add => (of(*b), *a, 1),
                    (false, true) => (of(*b), *a, if node.len().is_multiple_of(2) { 1 } else { -1 }),
                    _ => return Ok(None),
                };
                self.defined(&self.elements[beside].clone())?;
                affine.map(|affine| moved(affine, turned))
            }
            (Op::Elementwise(Function::Mul | Function::Div), [a, b]) => {
                let is_product = node.op == Op::Elementwise(Function::Mul);
                let (affine, factors) = match (self.moves[*a], self.moves[*b]) {
                    (true, false) => (of(*a), *b),
                    (false, true) if is_product => (of(*b), *a),
                    _ => return Ok(None),
                };
                let mut product = 1;
                for factor in self.elements[factors].clone() {
                    self.defined(&[factor])?;
                    let sign = self.sign(factor);
                    product *=
                        sign.map_err(|_| Rejection::new("a factor cannot be shown to have one sign"))?;
                }
                affine.map(|affine| moved(affine, product))
            }
            _ => None,
        })
    }

    fn sign(&mut self, id: Id) -> Checked<i32> {
        let shown = sign(&mut self.map, id, None);
        shown.map_err(|_| Rejection::new("a matrix cannot be shown to be nonsingular for all parameters"))
    }

    fn defined(&mut self, elements: &[Id]) -> Checked<()> {
        self.map.sharpen(elements);
        match elements.iter().all(|id| self.map.ranges.of(&self.map.scalars, *id).defined) {
            true => Ok(()),
            false => reject("a matrix or an offset cannot be shown to be defined for all parameters"),
        }
    }

    /// The sign of the determinant of a square matrix that does not depend on z, is defined and is never singular.
    fn nonsingular(&mut self, k: usize) -> Checked<i32> {
        let (mut sign, mut stack) = (1, vec![k]);
        while let Some(k) = stack.pop() {
            let node = &self.program.nodes[k];
            if node.rows != node.columns {
                return reject("a matrix that is not square");
            }
            let square =
                |operand: &usize| self.program.nodes[*operand].rows == self.program.nodes[*operand].columns;
            match (&node.op, node.operands.as_slice()) {
                (Op::Transpose | Op::Inverse, [a]) => stack.push(*a),
                // det exp A = e^(tr A) > 0.
                (Op::MatrixExp, [a]) => self.defined(&self.elements[*a].clone())?,
                (Op::Product, operands) if operands.iter().all(square) => stack.extend(operands),
                _ => {
                    sign *= match self.by_elements(self.elements[k].clone(), node.rows) {
                        Ok(sign) => sign,
                        Err(rejection) => self.by_lemma(k).unwrap_or(Err(rejection))?,
                    }
                }
            }
        }
        Ok(sign)
    }

    /// The sign of a determinant by its elements: of numbers, of a triangular matrix, of a few rows written out, and of M with
    /// M + Mᵀ a diagonal of one sign, where zᵀ·M·z has that sign.
    fn by_elements(&mut self, elements: Vec<Id>, n: usize) -> Checked<i32> {
        self.defined(&elements)?;
        let at = |i: usize, j: usize| elements[i * n + j];
        let value = |matrices: &Self, id: Id| matrices.map.scalars.value(id);
        let zero = |matrices: &Self, id: Id| value(matrices, id) == Some(0.0);
        let pairs = || (0..n).flat_map(move |i| (0..i).map(move |j| (i, j)));
        if let Some(numbers) = elements.iter().map(|id| value(self, *id)).collect::<Option<Vec<f64>>>() {
            let exact: Option<Vec<RBig>> = numbers.into_iter().map(|v| RBig::try_from(v).ok()).collect();
            let Some(exact) = exact else { return reject("a number that is not finite") };
            let rows = exact.chunks(n).map(<[RBig]>::to_vec).collect();
            return match exact_determinant(rows).partial_cmp(&RBig::ZERO) {
                Some(std::cmp::Ordering::Greater) => Ok(1),
                Some(std::cmp::Ordering::Less) => Ok(-1),
                _ => reject("a matrix of numbers is singular"),
            };
        }
        if pairs().all(|(i, j)| zero(self, at(i, j))) || pairs().all(|(i, j)| zero(self, at(j, i))) {
            return (0..n).try_fold(1, |product, i| Ok(product * self.sign(at(i, i))?));
        }
        if n <= WRITTEN_OUT {
            let determinant = written_out(&mut self.map.scalars, &elements, n);
            self.defined(&[determinant])?;
            if let Ok(sign) = self.sign(determinant) {
                return Ok(sign);
            }
        }
        for (i, j) in pairs() {
            let scalars = &mut self.map.scalars;
            let sum = scalars.apply(Function::Add, &[at(i, j), at(j, i)]);
            let mut forms = Forms::new(self.map.ranges.clone(), Vec::new());
            let nothing = self.map.scalars.number(0.0);
            if !forms.equal(&mut self.map.scalars, sum, nothing)? {
                return reject("a matrix cannot be shown to be nonsingular for all parameters");
            }
        }
        let first = self.sign(at(0, 0))?;
        for i in 1..n {
            if self.sign(at(i, i))? != first {
                return reject("a matrix cannot be shown to be nonsingular for all parameters");
            }
        }
        Ok(if n.is_multiple_of(2) { 1 } else { first })
    }

    /// By the determinant lemma, det(D ± U·V) = det D · det(1 ± V·D⁻¹·U): for a diagonal D and U with fewer columns than
    /// rows, perhaps times a number. Nothing where the node is no such sum.
    fn by_lemma(&mut self, k: usize) -> Option<Checked<i32>> {
        let program = self.program;
        let node = &program.nodes[k];
        let n = node.rows;
        let (Op::Elementwise(function @ (Function::Add | Function::Sub)), [a, b]) =
            (&node.op, node.operands.as_slice())
        else {
            return None;
        };
        let diagonal = self.elements[*a].clone();
        let off = |e: usize| e / n != e % n;
        if (0..n * n).any(|e| off(e) && self.map.scalars.value(diagonal[e]) != Some(0.0)) {
            return None;
        }
        // Factors before the product.
        let (mut at, mut factors, mut negative) = (*b, Vec::new(), *function == Function::Sub);
        let (rows, columns, inner) = loop {
            let node = &program.nodes[at];
            match (&node.op, node.operands.as_slice()) {
                (Op::Elementwise(Function::Neg), [a]) => (at, negative) = (*a, !negative),
                (Op::Elementwise(Function::Mul), [a, b]) => {
                    let single = |k: usize| program.nodes[k].op == Op::Broadcast;
                    let (scale, rest) = match (single(*a), single(*b)) {
                        (true, _) => (*a, *b),
                        (_, true) => (*b, *a),
                        _ => return None,
                    };
                    factors.push(*self.elements[scale].first()?);
                    at = rest;
                }
                (Op::Outer, [a, b]) => break (self.elements[*a].clone(), self.elements[*b].clone(), 1),
                (Op::Product, [a, b]) if program.nodes[*a].columns < n => {
                    break (self.elements[*a].clone(), self.elements[*b].clone(), program.nodes[*a].columns);
                }
                _ => return None,
            }
        };
        Some(self.lemma(&diagonal, (&rows, &columns, inner), &factors, negative))
    }

    fn lemma(
        &mut self,
        diagonal: &[Id],
        (u, v, inner): (&[Id], &[Id], usize),
        factors: &[Id],
        negative: bool,
    ) -> Checked<i32> {
        let n = u.len() / inner;
        let mut product = 1;
        for i in 0..n {
            self.defined(&[diagonal[i * n + i]])?;
            product *= self.sign(diagonal[i * n + i])?;
        }
        // D + s·U·Uᵀ with positive D and s: zᵀ·M·z > 0.
        let is_gram = !negative && (0..n * inner).all(|e| u[e] == v[e % inner * n + e / inner]);
        if is_gram && (0..n).all(|i| self.sign(diagonal[i * n + i]).is_ok_and(|sign| sign > 0)) {
            let mut factor = 1;
            for f in factors {
                self.defined(&[*f])?;
                factor *= self.sign(*f)?;
            }
            self.defined(u)?;
            if factor > 0 {
                return Ok(1);
            }
        }
        let mut small = Vec::new();
        for e in 0..inner * inner {
            let (a, b) = (e / inner, e % inner);
            let scalars = &mut self.map.scalars;
            let mut terms = Vec::new();
            for i in 0..n {
                let term = scalars.apply(Function::Mul, &[v[a * n + i], u[i * inner + b]]);
                terms.push(scalars.apply(Function::Div, &[term, diagonal[i * n + i]]));
            }
            let mut total = terms[0];
            for term in &terms[1..] {
                total = scalars.apply(Function::Add, &[total, *term]);
            }
            total = factors.iter().fold(total, |total, f| scalars.apply(Function::Mul, &[*f, total]));
            let one = scalars.number(if a == b { 1.0 } else { 0.0 });
            let way = if negative { Function::Sub } else { Function::Add };
            small.push(scalars.apply(way, &[one, total]));
        }
        Ok(product * self.by_elements(small, inner)?)
    }
}
