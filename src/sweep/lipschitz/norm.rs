//! Norms ‖·‖₂ of matrices that do not depend on an input, from above, and factors that take them away.

use super::super::bound::{Bound, product, skew, sum};
use super::{Size, Sweep, inverse, plus, root, root_below, size, times};
use crate::tape::{Binary, Choice, Data, NodeId, Op, Shape, Unary};

/// A matrix of numbers of so many rows or columns has a norm by powers of AᵀA.
const POWERS_OF: usize = 48;
/// ‖A‖₂ ≤ ‖(AᵀA)^(2^k)‖_F^(1/2^(k+1)) with this k.
const SQUARINGS: usize = 6;

impl Sweep<'_> {
    /// ‖A‖₂ of a node that does not depend on an input; of a vector its length.
    pub(super) fn norm(&mut self, id: NodeId, depth: usize) -> Option<Size> {
        if let Some(known) = self.norms.get(&id) {
            return known.clone();
        }
        let found = match self.may_read(depth) {
            true => self.norm_anew(id, depth),
            false => None,
        };
        self.norms.insert(id, found.clone());
        found
    }

    fn norm_anew(&mut self, id: NodeId, depth: usize) -> Option<Size> {
        let node = self.tape.node(id);
        let structural = match (&node.op, node.operands.as_slice()) {
            (Op::Constant(data), _) => return Some(Size::of(of_numbers(data, node.shape))),
            (Op::Transpose | Op::Unary(Unary::Neg), [a]) => self.norm(*a, depth + 1),
            (Op::MatVec | Op::MatMul, [a, b]) => match self.is_cayley(*a, *b) {
                true => Some(Size::of(1.0)),
                false => self.norm(*a, depth + 1).and_then(|a| a.times_size(&self.norm(*b, depth + 1)?)),
            },
            (Op::MatrixExp, [a]) if self.is_skew(*a) => Some(Size::of(1.0)),
            (Op::Binary(way @ (Binary::Mul | Binary::Div)), [a, b]) => {
                let divided = *way == Binary::Div;
                let single = |id: NodeId| {
                    let node = self.tape.node(id);
                    (node.op == Op::Broadcast).then(|| node.operands[0])
                };
                let pair = match (single(*b), single(*a)) {
                    (Some(factor), _) => Some((*a, factor)),
                    (_, Some(factor)) if !divided => Some((*b, factor)),
                    _ => None,
                };
                pair.and_then(|(matrix, factor)| {
                    let own = self.norm(matrix, depth + 1)?;
                    // The norm that is divided by may be that of the product.
                    let whole = Size { number: 1.0, norms: vec![matrix] };
                    let direct = self.by_factor(&whole, factor, divided).filter(|size| size.norms.is_empty());
                    direct.or_else(|| self.by_factor(&own, factor, divided))
                })
            }
            (Op::Binary(Binary::Sub), [one, part]) if self.is_reflection(*one, *part) => Some(Size::of(1.0)),
            _ => None,
        };
        if structural.as_ref().is_some_and(|size| size.norms.is_empty()) {
            return structural;
        }
        let largest = size(self.bounds.of(id));
        if largest.is_finite() {
            return Some(Size::of(times(largest, root(node.shape.len() as f64))));
        }
        structural.or(Some(Size { number: 1.0, norms: vec![id] }))
    }

    /// A - Aᵀ, up to the sign.
    fn is_skew(&self, id: NodeId) -> bool {
        let node = self.tape.node(id);
        let (Op::Binary(Binary::Sub), [a, b]) = (&node.op, node.operands.as_slice()) else { return false };
        let turned = |a: NodeId, b: NodeId| {
            let node = self.tape.node(a);
            node.op == Op::Transpose && node.operands[0] == b
        };
        turned(*a, *b) || turned(*b, *a)
    }

    /// (1 + K)⁻¹·(1 - K) with K = A - Aᵀ.
    fn is_cayley(&self, a: NodeId, b: NodeId) -> bool {
        let node = self.tape.node(a);
        if node.op != Op::Inverse {
            return false;
        }
        match (skew(self.tape, node.operands[0]), skew(self.tape, b)) {
            (Some(first), Some(second)) => first.part == second.part && first.added != second.added,
            _ => false,
        }
    }

    /// 1 - (2/vᵀv)·v·vᵀ
    fn is_reflection(&self, one: NodeId, part: NodeId) -> bool {
        let identity = self.tape.with_node(one, |node| match (&node.op, node.shape) {
            (Op::Constant(data), Shape::Matrix(n, m)) if n == m => {
                data.values().iter().enumerate().all(|(e, v)| *v == f64::from(u8::from(e / n == e % n)))
            }
            _ => false,
        });
        let node = self.tape.node(part);
        let (true, Op::Binary(Binary::Mul), [factor, outer]) = (identity, &node.op, node.operands.as_slice())
        else {
            return false;
        };
        let (factor, outer) = (self.tape.node(*factor), self.tape.node(*outer));
        if factor.op != Op::Broadcast || outer.op != Op::Outer || outer.operands[0] != outer.operands[1] {
            return false;
        }
        let quotient = self.tape.node(factor.operands[0]);
        let (Op::Binary(Binary::Div), [two, square]) = (&quotient.op, quotient.operands.as_slice()) else {
            return false;
        };
        let two = self.bounds.of(*two);
        two.low.at == 2.0 && two.high.at == 2.0 && self.is_square_of(*square, outer.operands[0])
    }

    /// Whether a node is Σ aₑ².
    fn is_square_of(&self, q: NodeId, of: NodeId) -> bool {
        let node = self.tape.node(q);
        let (Op::Sum, [squares]) = (&node.op, node.operands.as_slice()) else { return false };
        let squares = self.tape.node(*squares);
        match (&squares.op, squares.operands.as_slice()) {
            (Op::Binary(Binary::Mul), [a, b]) => *a == of && *b == of,
            (Op::Unary(Unary::Powi(2)), [a]) => *a == of,
            _ => false,
        }
    }

    /// A k with |s|·‖A‖₂ ≤ k for all parameters.
    pub(super) fn shrunk(&mut self, s: NodeId, matrix: NodeId, depth: usize) -> Option<f64> {
        if !self.may_read(depth) {
            return None;
        }
        let node = self.tape.node(s);
        let finite = |value: f64| value.is_finite().then_some(value);
        match (&node.op, node.operands.as_slice()) {
            (Op::Unary(Unary::Neg), [a]) => self.shrunk(*a, matrix, depth + 1),
            (Op::Unary(Unary::Recip), [n]) => self.grown(*n, matrix, depth + 1).map(inverse),
            (Op::Binary(Binary::Div), [a, n]) => match self.grown(*n, matrix, depth + 1) {
                Some(low) => finite(times(size(self.bounds.of(*a)), inverse(low))),
                None => {
                    let above = self.shrunk(*a, matrix, depth + 1)?;
                    finite(times(above, self.least(*n)?))
                }
            },
            (Op::Binary(Binary::Mul), [a, b]) => {
                [(*a, *b), (*b, *a)].into_iter().find_map(|(small, other)| {
                    finite(times(self.shrunk(small, matrix, depth + 1)?, size(self.bounds.of(other))))
                })
            }
            (Op::Choice(Choice::Min), [a, b]) => {
                let both = [*a, *b].iter().all(|id| self.bounds.of(*id).is_nonnegative());
                let found = || [*a, *b].into_iter().find_map(|id| self.shrunk(id, matrix, depth + 1));
                both.then(found).flatten()
            }
            _ => None,
        }
    }

    /// A k > 0 with n ≥ k·‖A‖₂ for all parameters.
    pub(super) fn grown(&mut self, n: NodeId, matrix: NodeId, depth: usize) -> Option<f64> {
        let node = self.tape.node(n);
        match (&node.op, node.operands.as_slice()) {
            _ if !self.may_read(depth) => None,
            (Op::Unary(Unary::Sqrt), [q]) => self.grown_square(*q, matrix, depth + 1).map(root_below),
            // Where the sum of squares is not above 0 the norm is 0.
            (Op::Choice(Choice::Select), [condition, a, b]) => {
                let asked = self.tape.node(*condition);
                let (Op::Binary(Binary::LessEq), [q, zero]) = (&asked.op, asked.operands.as_slice()) else {
                    return None;
                };
                let zero = self.bounds.of(*zero);
                let fits = zero.low.at == 0.0 && zero.high.at == 0.0 && self.bounds.of(*a).is_nonnegative();
                self.grown_square(*q, matrix, depth + 1).filter(|low| fits && *low > 0.0)?;
                self.grown(*b, matrix, depth + 1)
            }
            _ => self.grown_by(n, matrix, depth, Self::grown),
        }
    }

    /// A k > 0 with q ≥ k·‖A‖₂² for all parameters.
    fn grown_square(&mut self, q: NodeId, matrix: NodeId, depth: usize) -> Option<f64> {
        if !self.may_read(depth) {
            return None;
        }
        if self.is_square_of(q, matrix) {
            return Some(1.0);
        }
        let node = self.tape.node(q);
        if let (Op::Binary(Binary::Mul), [a, b]) = (&node.op, node.operands.as_slice()) {
            // ‖A‖₂² ≤ ‖A‖₁·‖A‖_∞
            let [rows, columns] =
                [true, false].map(|rows| [*a, *b].map(|id| self.is_largest_sum(id, matrix, rows)));
            if (rows[0] && columns[1]) || (rows[1] && columns[0]) {
                return Some(1.0);
            }
            let pair = (self.grown(*a, matrix, depth + 1), self.grown(*b, matrix, depth + 1));
            if let (Some(a), Some(b)) = pair {
                return Some(below(a, b));
            }
        }
        self.grown_by(q, matrix, depth, Self::grown_square)
    }

    /// The same for sums, maxima and multiples, of a norm or of its square.
    fn grown_by(
        &mut self,
        n: NodeId,
        matrix: NodeId,
        depth: usize,
        of: fn(&mut Self, NodeId, NodeId, usize) -> Option<f64>,
    ) -> Option<f64> {
        let node = self.tape.node(n);
        let found = match (&node.op, node.operands.as_slice()) {
            (Op::Choice(Choice::Max), parts) => {
                let found = parts.iter().filter_map(|part| of(self, *part, matrix, depth + 1));
                found.reduce(f64::max)
            }
            (Op::Binary(Binary::Add), [a, b]) => {
                let both = [*a, *b].map(|part| of(self, part, matrix, depth + 1));
                match both {
                    [Some(a), Some(b)] => Some((a + b).next_down()),
                    [Some(low), None] => self.bounds.of(*b).is_nonnegative().then_some(low),
                    [None, Some(low)] => self.bounds.of(*a).is_nonnegative().then_some(low),
                    _ => None,
                }
            }
            (Op::Binary(Binary::Mul), [a, b]) => {
                [(*a, *b), (*b, *a)].into_iter().find_map(|(inner, factor)| {
                    let factor = self.bounds.of(factor).low.at;
                    (factor > 0.0)
                        .then(|| of(self, inner, matrix, depth + 1))
                        .flatten()
                        .map(|low| below(low, factor))
                })
            }
            (Op::Binary(Binary::Div), [a, b]) => {
                let factor = self.bounds.of(*b);
                let fits = factor.is_positive() && factor.high.at.is_finite();
                let low = fits.then(|| of(self, *a, matrix, depth + 1)).flatten()?;
                let quotient = low / factor.high.at;
                let exact = quotient.mul_add(factor.high.at, -low) == 0.0;
                Some(if exact { quotient } else { quotient.next_down() })
            }
            _ => None,
        };
        found.filter(|low| *low > 0.0 && low.is_finite())
    }

    /// Whether a node is the largest of Σ|aᵢⱼ| of every row, or of every column.
    fn is_largest_sum(&self, id: NodeId, matrix: NodeId, rows: bool) -> bool {
        let (mut places, mut sums, mut waiting) = (Vec::new(), None, vec![id]);
        while let Some(id) = waiting.pop() {
            let node = self.tape.node(id);
            match (&node.op, node.operands.as_slice()) {
                (Op::Choice(Choice::Max), parts) if places.len() + waiting.len() < 1 << 16 => {
                    waiting.extend(parts)
                }
                (Op::Gather(indices), [of]) if indices.len() == 1 => {
                    if *sums.get_or_insert(*of) != *of {
                        return false;
                    }
                    places.push(indices[0] as usize);
                }
                _ => return false,
            }
        }
        let Some(sums) = sums else { return false };
        places.sort_unstable();
        places.dedup();
        let product = self.tape.node(sums);
        let (Op::MatVec, [absolute, ones]) = (&product.op, product.operands.as_slice()) else { return false };
        let ones = self.bounds.of(*ones);
        let all = places.len() == product.shape.len() && ones.low.at >= 1.0;
        // |A| or |Aᵀ|, in whichever order.
        let (mut at, mut turned, mut is_absolute) = (*absolute, false, false);
        loop {
            if at == matrix {
                return all && is_absolute && turned != rows;
            }
            let node = self.tape.node(at);
            match (&node.op, node.operands.as_slice()) {
                (Op::Unary(Unary::Abs), [a]) => (at, is_absolute) = (*a, true),
                (Op::Transpose, [a]) => (at, turned) = (*a, !turned),
                _ => return false,
            }
        }
    }
}

/// a·b for positive numbers, rounded down.
fn below(a: f64, b: f64) -> f64 {
    let value = a * b;
    if a == 1.0 || b == 1.0 { value } else { value.next_down().max(0.0) }
}

/// ‖A‖₂ of numbers, rounded up: by powers of AᵀA or AAᵀ, or for large matrices the smaller of the Frobenius norm and
/// √(‖A‖₁·‖A‖_∞).
fn of_numbers(data: &Data, shape: Shape) -> f64 {
    let values = data.values();
    let columns = match shape {
        Shape::Matrix(_, columns) => columns.max(1),
        _ => 1,
    };
    let rows = values.len() / columns;
    let (mut square, mut by_row, mut by_column) = (0.0, vec![0.0; rows], vec![0.0; columns]);
    for (e, value) in values.iter().enumerate() {
        let own = value.abs();
        square = plus(square, times(own, own));
        by_row[e / columns] = plus(by_row[e / columns], own);
        by_column[e % columns] = plus(by_column[e % columns], own);
    }
    let largest = |sums: Vec<f64>| sums.into_iter().fold(0.0, f64::max);
    let simple = root(square).min(root(times(largest(by_row), largest(by_column))));
    let n = rows.min(columns);
    if n == 0 || n > POWERS_OF || simple == 0.0 || !simple.is_finite() {
        return simple;
    }
    let point = |value: f64| Bound::closed(value, value);
    let entry = |i: usize, k: usize| match columns <= rows {
        true => values[k * columns + i],
        false => values[i * columns + k],
    };
    // Scaled by a power of two, so that powers neither overflow nor vanish.
    let scale = 2f64.powi(-(simple.log2().ceil().clamp(-1000.0, 1000.0) as i32));
    let cell =
        |e: usize, a: &dyn Fn(usize, usize) -> Bound, b: &dyn Fn(usize, usize) -> Bound, inner: usize| {
            (0..inner).fold(point(0.0), |total, k| sum(total, product(a(e / n, k), b(k, e % n))))
        };
    let scaled = |i: usize, k: usize| product(point(entry(i, k)), point(scale));
    let mut power: Vec<Bound> =
        (0..n * n).map(|e| cell(e, &scaled, &|k, j| scaled(j, k), rows.max(columns))).collect();
    for _ in 0..SQUARINGS {
        let at = |i: usize, j: usize| power[i * n + j];
        power = (0..n * n).map(|e| cell(e, &at, &at, n)).collect();
    }
    let mut bound = root(power.iter().fold(0.0, |total, own| plus(total, times(size(*own), size(*own)))));
    for _ in 0..=SQUARINGS {
        bound = root(bound);
    }
    simple.min((bound / scale).next_up())
}
