//! Upper bounds of the norms ‖·‖₂ of matrices that do not depend on z, for all parameters.
//!
//! A matrix of any parameters has no bound. So a bound is a number times norms of such matrices, and a factor s with
//! |s| ≤ k/‖A‖ takes the norm of A away: that is how W/max(1, ‖W‖_F) is bounded by 1. That s is so small is read from the
//! formula of s: a quotient by what is at least k·‖A‖₂, which the Frobenius norm is, and √(‖A‖₁·‖A‖_∞), and what is larger.

use std::collections::HashMap;
use std::rc::Rc;

use super::interval::{End, Interval};
use super::map::Map;
use super::normal::Forms;
use super::rejection::{Checked, reject};
use super::scalar::{Function, Id, Scalar};
use super::sign::sign;
use super::text::{Op, Program};

/// How deep formulas of factors and of products of matrices are read, in how many steps, and the longest sum in them.
const DEPTH: usize = 48;
const STEPS: usize = 1 << 16;
const TERMS: usize = 1 << 20;
/// Of so many columns AᵀA is compared with the identity, and powers of AᵀA are formed.
const COLUMNS: usize = 6;
const POWERS_OF: usize = 32;
/// ‖A‖₂ ≤ ‖(AᵀA)^(2^k)‖_F^(1/2^(k+1)) with this k.
const SQUARINGS: usize = 8;

/// All numbers from 0 to this end.
pub(super) fn up_to(end: End) -> Interval {
    Interval { low: Interval::of(0.0).low, high: end }
}

/// The elements of a matrix by rows; a vector is one column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Matrix {
    elements: Rc<[Id]>,
    columns: usize,
}

/// A number times norms of matrices; an open end is not reached for any parameters.
#[derive(Clone, Debug)]
pub(super) struct Size {
    number: End,
    norms: Vec<Matrix>,
}

impl Size {
    pub fn zero() -> Size {
        Size::of(Interval::of(0.0).high)
    }

    pub fn one() -> Size {
        Size::of(Interval::of(1.0).high)
    }

    pub fn of(number: End) -> Size {
        Size { number, norms: Vec::new() }
    }

    fn is_zero(&self) -> bool {
        self.number == Interval::of(0.0).high
    }

    /// The bound, if it is a number.
    pub fn number(&self) -> Option<End> {
        (self.norms.is_empty() && !self.number.at.is_infinite()).then(|| self.number.clone())
    }

    pub fn times(&self, by: &End) -> Option<Size> {
        if by.at.is_infinite() {
            return None;
        }
        let number = up_to(self.number.clone()).mul(&up_to(by.clone())).high;
        let zero = number == Interval::of(0.0).high;
        Some(Size { number, norms: if zero { Vec::new() } else { self.norms.clone() } })
    }

    pub fn times_size(&self, other: &Size) -> Option<Size> {
        let mut product = self.times(&other.number)?;
        if !product.is_zero() {
            product.norms.extend_from_slice(&other.norms);
        }
        Some(product)
    }

    pub fn plus(&self, other: &Size) -> Option<Size> {
        match (self.is_zero(), other.is_zero()) {
            (true, _) => return Some(other.clone()),
            (_, true) => return Some(self.clone()),
            _ if self.norms != other.norms => return None,
            _ => {}
        }
        let number = up_to(self.number.clone()).add(&up_to(other.number.clone())).high;
        Some(Size { number, norms: self.norms.clone() })
    }

    /// √(a² + b²)
    pub fn beside(&self, other: &Size) -> Option<Size> {
        match (self.is_zero(), other.is_zero()) {
            (true, _) => return Some(other.clone()),
            (_, true) => return Some(self.clone()),
            _ => {}
        }
        let [a, b] = [self, other].map(|size| size.number().map(up_to));
        let (a, b) = (a?, b?);
        Some(Size::of(a.mul(&a).add(&b.mul(&b)).sqrt().high))
    }

    pub fn larger(&self, other: &Size) -> Option<Size> {
        match (self.is_zero(), other.is_zero()) {
            (true, _) => return Some(other.clone()),
            (_, true) => return Some(self.clone()),
            _ => {}
        }
        Some(Size::of(up_to(self.number()?).maximum(&up_to(other.number()?)).high))
    }
}

/// A program with what is known of its elements.
pub(super) struct Norms<'a> {
    pub program: &'a Program,
    pub map: Map,
    pub elements: Vec<Vec<Id>>,
    known: HashMap<usize, Option<Size>>,
    steps: usize,
}

impl<'a> Norms<'a> {
    pub fn new(program: &'a Program, map: Map, elements: Vec<Vec<Id>>) -> Norms<'a> {
        Norms { program, map, elements, known: HashMap::new(), steps: 0 }
    }

    /// Whether there is a step left to read formulas; a formula may hold another one many times.
    fn may_read(&mut self, depth: usize) -> bool {
        self.steps += 1;
        depth <= DEPTH && self.steps <= STEPS
    }

    /// Checks that all elements of a node are defined for all parameters.
    pub fn defined(&mut self, k: usize) -> Checked<()> {
        let elements = self.elements[k].clone();
        self.all_defined(&elements)
    }

    fn all_defined(&mut self, elements: &[Id]) -> Checked<()> {
        self.map.sharpen(elements);
        match elements.iter().all(|id| self.map.ranges.of(&self.map.scalars, *id).defined) {
            true => Ok(()),
            false => {
                reject("a matrix, a factor or an offset cannot be shown to be defined for all parameters")
            }
        }
    }

    /// The norm of a node that does not depend on z, which is shown to be defined.
    pub fn of(&mut self, k: usize, depth: usize) -> Option<Size> {
        if let Some(known) = self.known.get(&k) {
            return known.clone();
        }
        let found = self.node(k, depth);
        self.known.insert(k, found.clone());
        found
    }

    fn node(&mut self, k: usize, depth: usize) -> Option<Size> {
        let program = self.program;
        let node = &program.nodes[k];
        let square = node.rows == node.columns;
        let structural = match (&node.op, node.operands.as_slice()) {
            _ if depth > DEPTH => None,
            (Op::Transpose, [a]) => self.of(*a, depth + 1),
            (Op::Elementwise(Function::Neg), [a]) => self.of(*a, depth + 1),
            (Op::Product, [a, b]) => match self.is_cayley(*a, *b) {
                true => Some(Size::one()),
                false => self.of(*a, depth + 1).and_then(|a| a.times_size(&self.of(*b, depth + 1)?)),
            },
            // The exponential of a skew-symmetric matrix is orthogonal.
            (Op::MatrixExp, [a]) if square => {
                self.diagonal_of_the_sum(*a).filter(|number| *number == self.map.scalars.number(0.0))?;
                Some(Size::one())
            }
            _ => None,
        };
        if structural.as_ref().is_some_and(|size| size.norms.is_empty()) {
            return structural;
        }
        let (elements, columns) = (self.elements[k].clone(), node.columns);
        self.all_defined(&elements).ok()?;
        let whole = self.by_elements(elements, columns);
        match whole.norms.is_empty() {
            true => Some(whole),
            false => structural.or(Some(whole)),
        }
    }

    /// The norm of the elements of a node as one vector, which is at least that of the matrix.
    pub fn as_column(&mut self, k: usize) -> Option<Size> {
        self.defined(k).ok()?;
        Some(self.by_elements(self.elements[k].clone(), 1))
    }

    /// (1 + K)⁻¹·(1 + K)ᵀ with K = -Kᵀ is orthogonal, and so with a number above 0 in the place of 1.
    fn is_cayley(&mut self, a: usize, b: usize) -> bool {
        let (first, second) = (&self.program.nodes[a], &self.program.nodes[b]);
        let n = first.rows;
        let (Op::Inverse, [p]) = (&first.op, first.operands.as_slice()) else { return false };
        if second.rows != n || second.columns != n {
            return false;
        }
        let (one, other) = (self.elements[*p].clone(), self.elements[b].clone());
        if self.all_defined(&one).is_err() || self.all_defined(&other).is_err() {
            return false;
        }
        let mut forms = Forms::new(self.map.ranges.clone(), Vec::new());
        let pairs = (0..n * n).map(|e| (one[e], other[e % n * n + e / n]));
        let transposed = pairs
            .into_iter()
            .all(|(a, b)| a == b || forms.equal(&mut self.map.scalars, a, b).unwrap_or(false));
        // Then zᵀ·P·z = c·|z|²: P is not singular, and it commutes with Pᵀ.
        transposed
            && self
                .diagonal_of_the_sum(*p)
                .is_some_and(|c| sign(&mut self.map, c, None).is_ok_and(|sign| sign != 0))
    }

    /// The c of P + Pᵀ = c·1.
    fn diagonal_of_the_sum(&mut self, k: usize) -> Option<Id> {
        let (n, elements) = (self.program.nodes[k].rows, self.elements[k].clone());
        self.all_defined(&elements).ok()?;
        let scalars = &mut self.map.scalars;
        let zero = scalars.number(0.0);
        let sums: Vec<Id> = (0..n * n)
            .map(|e| scalars.apply(Function::Add, &[elements[e], elements[e % n * n + e / n]]))
            .collect();
        let mut forms = Forms::new(self.map.ranges.clone(), Vec::new());
        for (e, sum) in sums.iter().enumerate() {
            let wanted = if e / n == e % n { sums[0] } else { zero };
            if *sum != wanted && !forms.equal(&mut self.map.scalars, *sum, wanted).ok()? {
                return None;
            }
        }
        let is_zero = forms.equal(&mut self.map.scalars, sums[0], zero).ok()?;
        Some(if is_zero { zero } else { sums[0] })
    }

    /// The norm of defined elements: by their intervals, if the columns are orthonormal, or by a factor that all have.
    fn by_elements(&mut self, elements: Vec<Id>, columns: usize) -> Size {
        let columns = columns.max(1);
        let bounds: Vec<End> = elements
            .iter()
            .map(|id| self.map.ranges.of(&self.map.scalars, *id).interval.abs().high)
            .collect();
        let numbers: Option<Vec<f64>> = elements.iter().map(|id| self.map.scalars.value(*id)).collect();
        let rows = elements.len() / columns;
        if let Some(numbers) = numbers
            && rows.min(columns) <= POWERS_OF
            && let Some(bound) = of_numbers(&numbers, columns)
        {
            return Size::of(bound);
        }
        if self.has_orthonormal_columns(&elements, columns) {
            return Size::one();
        }
        if let Some(bound) = Norms::of_intervals(&bounds, columns) {
            return Size::of(bound);
        }
        // Factors from the outside to the inside. Each may be what is small for a matrix further inside.
        let (mut inside, mut factors) = (elements.clone(), Vec::new());
        for _ in 0..DEPTH {
            let Some((factor, divided, rest)) = self.common_factor(&inside) else { break };
            inside = rest;
            factors.push((factor, divided));
            let matrix = Matrix { elements: inside.clone().into(), columns };
            if let Some(product) = self.by_one_of(&factors, &matrix) {
                return product;
            }
        }
        // What is divided by a number without a bound has none by its parts.
        let parts =
            Size { number: Interval::of(1.0).high, norms: vec![Matrix { elements: inside.into(), columns }] };
        let product =
            factors.iter().try_fold(parts, |size, (factor, divided)| self.scaled(&size, *factor, *divided));
        product.unwrap_or(Size {
            number: Interval::of(1.0).high,
            norms: vec![Matrix { elements: elements.into(), columns }],
        })
    }

    /// A bound of Πs·A, if one of the factors s is small where A is large and the others are bounded.
    fn by_one_of(&mut self, factors: &[(Id, bool)], matrix: &Matrix) -> Option<Size> {
        (0..factors.len()).find_map(|k| {
            let (factor, divided) = factors[k];
            let shrunk = match divided {
                true => inverse(&self.grown(factor, matrix, 0)?)?,
                false => self.shrunk(factor, matrix, 0)?,
            };
            let mut others = factors.iter().enumerate().filter(|(other, _)| *other != k);
            others.try_fold(Size::of(shrunk), |product, (_, (factor, divided))| {
                product.times(&self.largest(*factor, *divided)?)
            })
        })
    }

    /// A bound times or divided by a number s that does not depend on z and is defined.
    pub fn scaled(&mut self, size: &Size, factor: Id, divided: bool) -> Option<Size> {
        for (place, matrix) in size.norms.iter().enumerate() {
            let shrunk = match divided {
                true => self.grown(factor, matrix, 0).and_then(|low| inverse(&low)),
                false => self.shrunk(factor, matrix, 0),
            };
            if let Some(bound) = shrunk {
                let mut less = size.clone();
                less.norms.remove(place);
                return less.times(&bound);
            }
        }
        let bound = self.largest(factor, divided);
        match bound {
            Some(bound) => size.times(&bound),
            None if divided => None,
            None => {
                let mut more = size.clone();
                more.norms.push(Matrix { elements: Rc::new([factor]), columns: 1 });
                Some(more)
            }
        }
    }

    /// The largest |s|, or |1/s|.
    fn largest(&mut self, id: Id, divided: bool) -> Option<End> {
        let range = self.map.ranges.of(&self.map.scalars, id).interval;
        let range = if divided { range.recip()? } else { range };
        let bound = range.abs().high;
        (!bound.at.is_infinite()).then_some(bound)
    }

    /// A factor that all elements have that are not the constant 0, and what is left of each.
    fn common_factor(&self, elements: &[Id]) -> Option<(Id, bool, Vec<Id>)> {
        let scalars = &self.map.scalars;
        let is_zero = |id: Id| scalars.value(id) == Some(0.0);
        let first = elements.iter().copied().find(|id| !is_zero(*id))?;
        let Scalar::Apply(function @ (Function::Mul | Function::Div), operands) = scalars.get(first) else {
            return None;
        };
        let places: &[usize] = if *function == Function::Mul { &[1, 0] } else { &[1] };
        places.iter().find_map(|place| {
            let factor = operands[*place];
            let rest = elements.iter().map(|id| match scalars.get(*id) {
                _ if is_zero(*id) => Some(*id),
                Scalar::Apply(own, operands) if own == function => match operands.as_slice() {
                    [a, b] if *b == factor => Some(*a),
                    [a, b] if *a == factor && *function == Function::Mul => Some(*b),
                    _ => None,
                },
                _ => None,
            });
            Some((factor, *function == Function::Div, rest.collect::<Option<Vec<Id>>>()?))
        })
    }

    /// A k with |s|·‖A‖₂ ≤ k for all parameters.
    pub fn shrunk(&mut self, s: Id, matrix: &Matrix, depth: usize) -> Option<End> {
        let Scalar::Apply(function, operands) = self.map.scalars.get(s).clone() else { return None };
        if !self.may_read(depth) {
            return None;
        }
        let product = |a: End, b: End| Some(up_to(a).mul(&up_to(b)).high).filter(|end| !end.at.is_infinite());
        match (function, operands.as_slice()) {
            (Function::Neg, [a]) => self.shrunk(*a, matrix, depth + 1),
            (Function::Recip, [n]) => inverse(&self.grown(*n, matrix, depth + 1)?),
            (Function::Div, [a, n]) => {
                let by = self.grown(*n, matrix, depth + 1).and_then(|low| inverse(&low));
                match (by, self.largest(*a, false)) {
                    (Some(by), Some(above)) => product(above, by),
                    _ => {
                        let above = self.shrunk(*a, matrix, depth + 1)?;
                        product(above, self.largest(*n, true)?)
                    }
                }
            }
            (Function::Mul, [a, b]) => {
                let (a, b) = (*a, *b);
                [(a, b), (b, a)].into_iter().find_map(|(small, other)| {
                    product(self.shrunk(small, matrix, depth + 1)?, self.largest(other, false)?)
                })
            }
            // The smaller of two numbers that are not negative is at most either.
            (Function::Min, [a, b]) => {
                let positive = |norms: &mut Self, id: Id| {
                    norms.map.ranges.of(&norms.map.scalars, id).interval.is_nonnegative()
                };
                if !positive(self, *a) || !positive(self, *b) {
                    return None;
                }
                self.shrunk(*a, matrix, depth + 1).or_else(|| self.shrunk(*b, matrix, depth + 1))
            }
            _ => None,
        }
    }

    /// A k > 0 with n ≥ k·‖A‖₂ for all parameters; open if n is larger.
    fn grown(&mut self, n: Id, matrix: &Matrix, depth: usize) -> Option<End> {
        if !self.may_read(depth) {
            return None;
        }
        match self.map.scalars.get(n).clone() {
            Scalar::Apply(Function::Sqrt, q) => {
                let low = self.grown_square(q[0], matrix, depth + 1)?;
                Some(at_least(low).sqrt().low)
            }
            // Where the sum of squares is 0 the norm is.
            Scalar::Apply(Function::Select, parts) => {
                let Scalar::Apply(Function::LessEq, compared) = self.map.scalars.get(parts[0]).clone() else {
                    return None;
                };
                let zero = self.map.scalars.value(compared[1]) == Some(0.0);
                let otherwise = self.map.ranges.of(&self.map.scalars, parts[1]).interval.is_nonnegative();
                let low = self.grown_square(compared[0], matrix, depth + 1)?;
                let root = self.grown(parts[2], matrix, depth + 1)?;
                let closed = |end: End| End::closed(end.at);
                (zero && otherwise && closed(low).at > Interval::of(0.0).low.at).then(|| closed(root))
            }
            _ => self.grown_by(n, matrix, depth, Self::grown),
        }
    }

    /// The same for sums, maxima and multiples, of a norm or of its square.
    fn grown_by(
        &mut self,
        n: Id,
        matrix: &Matrix,
        depth: usize,
        of: fn(&mut Self, Id, &Matrix, usize) -> Option<End>,
    ) -> Option<End> {
        let range = |norms: &mut Self, id: Id| norms.map.ranges.of(&norms.map.scalars, id).interval;
        match self.map.scalars.get(n).clone() {
            Scalar::Apply(Function::Max, parts) => {
                let found = parts.iter().filter_map(|part| of(self, *part, matrix, depth + 1));
                found.reduce(|a, b| if b.at > a.at { b } else { a })
            }
            Scalar::Apply(Function::Add, parts) | Scalar::Sum(parts) => {
                let (mut total, mut found) = (at_least(Interval::of(0.0).low), false);
                for part in parts {
                    let low = match of(self, part, matrix, depth + 1) {
                        Some(low) => {
                            found = true;
                            low
                        }
                        None => {
                            let own = range(self, part);
                            if !own.is_nonnegative() {
                                return None;
                            }
                            // Larger by something, but by no number times ‖A‖.
                            End { open: own.is_positive(), ..Interval::of(0.0).low }
                        }
                    };
                    total = total.add(&at_least(low));
                }
                found.then_some(total.low)
            }
            Scalar::Apply(function @ (Function::Mul | Function::Div), parts) => {
                let places: &[(usize, usize)] =
                    if function == Function::Mul { &[(0, 1), (1, 0)] } else { &[(0, 1)] };
                places.iter().find_map(|(inner, factor)| {
                    let factor = range(self, parts[*factor]);
                    let factor = if function == Function::Div { factor.recip()? } else { factor };
                    let positive = factor.low.at > Interval::of(0.0).low.at;
                    let low = positive.then(|| of(self, parts[*inner], matrix, depth + 1))??;
                    Some(at_least(low).mul(&at_least(factor.low)).low)
                })
            }
            _ => None,
        }
    }

    /// A k > 0 with q ≥ k·‖A‖₂² for all parameters.
    fn grown_square(&mut self, q: Id, matrix: &Matrix, depth: usize) -> Option<End> {
        if !self.may_read(depth) {
            return None;
        }
        if let Some(low) = self.squares(q, matrix) {
            return Some(low);
        }
        if let Scalar::Apply(function @ (Function::Mul | Function::Powi(2)), parts) =
            self.map.scalars.get(q).clone()
        {
            let (a, b) = (parts[0], if function == Function::Mul { parts[1] } else { parts[0] });
            // ‖A‖₂² ≤ ‖A‖₁·‖A‖_∞
            let [rows, columns] =
                [true, false].map(|rows| [a, b].map(|id| self.is_largest_sum(id, matrix, rows)));
            if (rows[0] && columns[1]) || (rows[1] && columns[0]) {
                return Some(Interval::of(1.0).low);
            }
            if let (Some(a), Some(b)) = (self.grown(a, matrix, depth + 1), self.grown(b, matrix, depth + 1)) {
                return Some(at_least(a).mul(&at_least(b)).low);
            }
        }
        self.grown_by(q, matrix, depth, Self::grown_square)
    }

    /// Terms of nested sums.
    fn terms(&self, id: Id) -> Vec<Id> {
        let (mut terms, mut waiting) = (Vec::new(), vec![id]);
        while let Some(id) = waiting.pop() {
            match self.map.scalars.get(id) {
                Scalar::Apply(Function::Add, parts) | Scalar::Sum(parts)
                    if terms.len() + waiting.len() < TERMS =>
                {
                    waiting.extend(parts);
                }
                _ => terms.push(id),
            }
        }
        terms
    }

    /// 1 if q is the sum of the squares of all elements, ‖A‖_F², and of what is not negative.
    fn squares(&mut self, q: Id, matrix: &Matrix) -> Option<End> {
        let mut counts: HashMap<Id, usize> = HashMap::new();
        for id in matrix.elements.iter().filter(|id| self.map.scalars.value(**id) != Some(0.0)) {
            *counts.entry(*id).or_default() += 1;
        }
        let mut larger = false;
        for term in self.terms(q) {
            let base = match self.map.scalars.get(term) {
                Scalar::Apply(Function::Mul, parts) if parts[0] == parts[1] => Some(parts[0]),
                Scalar::Apply(Function::Powi(2), parts) => Some(parts[0]),
                _ => None,
            };
            if let Some(left) = base.and_then(|base| counts.get_mut(&base)).filter(|left| **left > 0) {
                *left -= 1;
                continue;
            }
            let range = self.map.ranges.of(&self.map.scalars, term).interval;
            if !range.is_nonnegative() {
                return None;
            }
            larger |= range.is_positive();
        }
        let all = counts.values().all(|left| *left == 0);
        all.then(|| End { open: larger, ..Interval::of(1.0).low })
    }

    /// Whether a number is at least Σ|aᵢⱼ| of every row, or of every column.
    fn is_largest_sum(&self, id: Id, matrix: &Matrix, rows: bool) -> bool {
        let (mut leaves, mut waiting) = (Vec::new(), vec![id]);
        while let Some(id) = waiting.pop() {
            match self.map.scalars.get(id) {
                Scalar::Apply(Function::Max, parts) if leaves.len() + waiting.len() < TERMS => {
                    waiting.extend(parts)
                }
                _ => leaves.push(id),
            }
        }
        let sums: Vec<Vec<Id>> = leaves
            .into_iter()
            .filter_map(|leaf| {
                let terms = self.terms(leaf).into_iter().map(|term| self.absolute(term));
                let mut found = terms.collect::<Option<Vec<Id>>>()?;
                found.sort_unstable();
                Some(found)
            })
            .collect();
        let (columns, count) = (matrix.columns, matrix.elements.len());
        let lines = if rows { count / columns } else { columns };
        (0..lines).all(|line| {
            let own = (0..count).filter(|e| if rows { e / columns == line } else { e % columns == line });
            let mut own: Vec<Id> = own
                .map(|e| matrix.elements[e])
                .filter(|id| self.map.scalars.value(*id) != Some(0.0))
                .collect();
            own.sort_unstable();
            sums.contains(&own)
        })
    }

    /// The a of |a| or 1·|a|; `None` if a term is anything else.
    fn absolute(&self, term: Id) -> Option<Id> {
        let scalars = &self.map.scalars;
        match scalars.get(term) {
            Scalar::Apply(Function::Abs, parts) => Some(parts[0]),
            Scalar::Apply(Function::Mul, parts) => {
                let other = parts.iter().position(|part| scalars.value(*part) == Some(1.0))?;
                match scalars.get(parts[1 - other]) {
                    Scalar::Apply(Function::Abs, parts) => Some(parts[0]),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn has_orthonormal_columns(&mut self, elements: &[Id], columns: usize) -> bool {
        let rows = elements.len() / columns;
        if rows < columns || rows > COLUMNS {
            return false;
        }
        let mut forms = Forms::new(self.map.ranges.clone(), Vec::new());
        for a in 0..columns {
            for b in 0..=a {
                let scalars = &mut self.map.scalars;
                let mut terms = Vec::new();
                for i in 0..rows {
                    let pair = [elements[i * columns + a], elements[i * columns + b]];
                    terms.push(scalars.apply(Function::Mul, &pair));
                }
                let product =
                    terms.into_iter().reduce(|sum, term| scalars.apply(Function::Add, &[sum, term]));
                let wanted = scalars.number(if a == b { 1.0 } else { 0.0 });
                let Some(product) = product else { return false };
                if !forms.equal(scalars, product, wanted).unwrap_or(false) {
                    return false;
                }
            }
        }
        true
    }

    /// The smaller of the Frobenius norm and √(‖·‖₁·‖·‖_∞) of the largest absolute values of the elements.
    pub fn of_intervals(bounds: &[End], columns: usize) -> Option<End> {
        if bounds.iter().any(|bound| bound.at.is_infinite()) {
            return None;
        }
        let rows = bounds.len() / columns.max(1);
        let zero = || up_to(Interval::of(0.0).high);
        let (mut square, mut by_row, mut by_column) = (zero(), vec![zero(); rows], vec![zero(); columns]);
        for (e, bound) in bounds.iter().enumerate() {
            let own = up_to(bound.clone());
            square = square.add(&own.mul(&own));
            by_row[e / columns] = by_row[e / columns].add(&own);
            by_column[e % columns] = by_column[e % columns].add(&own);
        }
        let largest =
            |sums: Vec<Interval>| sums.into_iter().fold(zero(), |largest, sum| largest.maximum(&sum));
        let mixed = largest(by_row).mul(&largest(by_column)).sqrt().high;
        let frobenius = square.sqrt().high;
        Some(if mixed.at < frobenius.at { mixed } else { frobenius })
    }
}

/// All numbers from this end on.
fn at_least(end: End) -> Interval {
    Interval { low: end, high: Interval::reals().high }
}

/// 1/k of a k above 0.
fn inverse(low: &End) -> Option<End> {
    if low.at <= Interval::of(0.0).low.at {
        return None;
    }
    Some(at_least(low.clone()).recip()?.high).filter(|end| !end.at.is_infinite())
}

/// ‖A‖₂ of a matrix of numbers, by the powers of AᵀA or AAᵀ.
fn of_numbers(numbers: &[f64], columns: usize) -> Option<End> {
    let rows = numbers.len() / columns;
    let n = rows.min(columns);
    let entry = |i: usize, j: usize| match columns <= rows {
        true => Interval::of(numbers[j * columns + i]),
        false => Interval::of(numbers[i * columns + j]),
    };
    let product = |a: &dyn Fn(usize, usize) -> Interval,
                   b: &dyn Fn(usize, usize) -> Interval,
                   inner: usize| {
        let cell =
            |e: usize| (0..inner).fold(Interval::of(0.0), |sum, k| sum.add(&a(e / n, k).mul(&b(k, e % n))));
        (0..n * n).map(cell).collect::<Vec<Interval>>()
    };
    let mut power = product(&entry, &|k, j| entry(j, k), rows.max(columns));
    for _ in 0..SQUARINGS {
        let at = |i: usize, j: usize| power[i * n + j].clone();
        power = product(&at, &at, n);
    }
    let square = power.iter().fold(Interval::of(0.0), |sum, entry| sum.add(&entry.abs().power(2)));
    let mut root = square.sqrt();
    for _ in 0..=SQUARINGS {
        root = root.sqrt();
    }
    let end = root.high;
    (!end.at.is_infinite()).then(|| End::closed(end.at))
}
