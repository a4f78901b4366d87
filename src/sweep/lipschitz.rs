//! The Lipschitz sweep: for every node an upper bound of its Lipschitz constant in ‖·‖₂ with respect to the inputs of a
//! program, for all inputs and all parameters.
//!
//! |v(z) - v(z′)| ≤ L(v)·|z - z′|, where the elements of a node are one vector and those of all inputs another. Each arm of
//! `Lipschitz::node` follows from the bounds of the operands by one inequality:
//!
//! | operation | bound |
//! |---|---|
//! | input; what depends on no input | 1; 0 |
//! | φ(a), element by element | sup\|φ′\| over the interval of a, times L(a) |
//! | a + b, a - b | L(a) + L(b) |
//! | a∘b | max\|b\|·L(a) + max\|a\|·L(b) |
//! | a/b | L(a)/min\|b\| + max\|a\|·L(b)/min\|b\|² |
//! | min, max, ln(eᵃ + eᵇ) | √(L(a)² + L(b)²), by \|max(a, b) - max(a′, b′)\| ≤ max(\|a - a′\|, \|b - b′\|) |
//! | W·a, a·W, a·wᵀ, wᵀ·a | ‖W‖₂·L(a) |
//! | the sum of n elements, a scalar n times | √n·L(a) |
//! | elements of a, each at most m times | √m·L(a) |
//! | parts, one after another | √(ΣL²) |
//!
//! The norm of a matrix that does not depend on an input is a number if its elements are numbers or bounded, or if it is
//! orthogonal by construction. Otherwise ‖W‖₂ is kept as a factor of the bound, and a later factor s with |s| ≤ k/‖W‖₂ turns
//! it into k: in W·(c/max(c, ‖W‖_F)) and W·(c/max(c, √(‖W‖₁·‖W‖_∞))), which are the constraints of residual flows that hold
//! for all parameters. An estimate of ‖W‖₂ from below, such as power iteration gives, bounds nothing.
//!
//! *Soundness.* Intervals are those of the bound sweep, and numbers are rounded up. Nothing is proven by this sweep: the
//! checker derives constants of its own.
//!
//! Source: Gouk, Frank, Pfahringer, Cree, "Regularisation of neural networks by enforcing Lipschitz continuity" (2021).

use rustc_hash::FxHashMap;

use super::bound::{Bound, Bounds, product, skew, sum};
use super::function;
use super::tangent::tangent;
use crate::tape::{Binary, Choice, Data, Node, NodeId, Op, Shape, Subgraph, Tape, Unary};

/// How deep formulas of factors and products of matrices are read.
const DEPTH: usize = 32;
/// A matrix of numbers of so many rows or columns has a norm by powers of AᵀA.
const POWERS_OF: usize = 48;
/// ‖A‖₂ ≤ ‖(AᵀA)^(2^k)‖_F^(1/2^(k+1)) with this k.
const SQUARINGS: usize = 6;

/// The number of steps of z ← G(z) after which the error is at most `error` times that of the first step, for a contraction
/// by L: Lᵏ/(1 - L) ≤ error.
///
/// ```
/// assert_eq!(pushforward::sweep::lipschitz::steps(0.5, 1e-12), 41);
/// ```
pub fn steps(lipschitz: f64, error: f64) -> usize {
    if lipschitz <= 0.0 {
        return 1;
    }
    ((error * (1.0 - lipschitz)).ln() / lipschitz.ln()).ceil().max(1.0) as usize
}

/// More steps than this are not begun.
const MOST_STEPS: usize = 100_000;

/// x = z + g(z) with a g that is a contraction for all parameters.
pub(crate) struct Residual {
    /// The terms of g, and whether each is added.
    pub terms: Vec<(bool, NodeId)>,
    /// An upper bound of the Lipschitz constant of g, below 1.
    pub constant: f64,
}

/// Reads x as z + g(z), if the sweep bounds the Lipschitz constant of g by a number below 1.
pub(crate) fn residual(tape: &Tape, z: NodeId, x: NodeId) -> Option<Residual> {
    let (mut waiting, mut terms, mut found) = (vec![(true, x)], Vec::new(), 0);
    while let Some((added, id)) = waiting.pop() {
        let node = tape.node(id);
        match (&node.op, node.operands.as_slice()) {
            _ if id == z && added => found += 1,
            (Op::Binary(Binary::Add), [a, b]) => waiting.extend([(added, *b), (added, *a)]),
            (Op::Binary(Binary::Sub), [a, b]) => waiting.extend([(!added, *b), (added, *a)]),
            (Op::Unary(Unary::Neg), [a]) => waiting.push((!added, *a)),
            _ => terms.push((added, id)),
        }
        if found > 1 || terms.len() > tape.len() {
            return None;
        }
    }
    let sweep = Lipschitz::new(tape, &Subgraph::new(tape, &[z], &[x]), &[]);
    let constant = terms.iter().fold(0.0, |total, (_, term)| plus(total, sweep.of(*term)));
    let is_solved = found == 1 && constant < 1.0 && steps(constant, f64::EPSILON) <= MOST_STEPS;
    is_solved.then_some(Residual { terms, constant })
}

/// Upper bounds of the Lipschitz constants of the nodes of a program.
pub struct Lipschitz {
    known: FxHashMap<NodeId, Option<Size>>,
}

impl Lipschitz {
    /// Bounds the nodes of a program whose inputs lie in these sets.
    pub fn new(tape: &Tape, subgraph: &Subgraph, within: &[(NodeId, Bound)]) -> Lipschitz {
        let bounds = Bounds::new(tape, within);
        let mut sweep =
            Sweep { tape, bounds, moves: FxHashMap::default(), norms: FxHashMap::default(), steps: 0 };
        let mut known: FxHashMap<NodeId, Option<Size>> = FxHashMap::default();
        for id in subgraph.nodes() {
            let node = tape.node(*id);
            let moves = subgraph.is_input(*id) || node.operands.iter().any(|operand| sweep.moves(*operand));
            sweep.moves.insert(*id, moves);
            let own = match (subgraph.is_input(*id), moves) {
                (true, _) => Some(Size::of(1.0)),
                (_, false) => Some(Size::of(0.0)),
                _ => sweep.node(&node, &known),
            };
            known.insert(*id, own);
        }
        Lipschitz { known }
    }

    /// The bound of a node of the program; ∞ where none is found.
    pub fn of(&self, node: NodeId) -> f64 {
        self.known.get(&node).and_then(|size| size.as_ref()?.number()).unwrap_or(f64::INFINITY)
    }
}

/// a·b for numbers that are not negative, rounded up.
fn times(a: f64, b: f64) -> f64 {
    product(Bound::closed(0.0, a), Bound::closed(0.0, b)).high.at
}

/// a + b, rounded up.
fn plus(a: f64, b: f64) -> f64 {
    sum(Bound::closed(0.0, a), Bound::closed(0.0, b)).high.at
}

/// √a, rounded up.
fn root(a: f64) -> f64 {
    let root = a.sqrt();
    if root * root == a && root.mul_add(root, -a) == 0.0 && a > 1e-250 || a == 0.0 {
        root
    } else {
        root.next_up()
    }
}

/// √a, rounded down.
fn root_below(a: f64) -> f64 {
    if root(a) == a.sqrt() { a.sqrt() } else { a.sqrt().next_down().max(0.0) }
}

/// 1/a, rounded up.
fn inverse(a: f64) -> f64 {
    let value = 1.0 / a;
    if value.mul_add(a, -1.0) == 0.0 { value } else { value.next_up() }
}

/// The largest absolute value.
fn size(bound: Bound) -> f64 {
    bound.low.at.abs().max(bound.high.at.abs())
}

/// A number times the norms of some matrices.
#[derive(Clone, Debug, PartialEq)]
struct Size {
    number: f64,
    norms: Vec<NodeId>,
}

impl Size {
    fn of(number: f64) -> Size {
        Size { number, norms: Vec::new() }
    }

    fn number(&self) -> Option<f64> {
        (self.norms.is_empty() && self.number.is_finite()).then_some(self.number)
    }

    fn times(&self, by: f64) -> Option<Size> {
        let number = times(self.number, by);
        let norms = if number == 0.0 { Vec::new() } else { self.norms.clone() };
        (by.is_finite() && number.is_finite()).then_some(Size { number, norms })
    }

    fn times_size(&self, other: &Size) -> Option<Size> {
        let mut product = self.times(other.number)?;
        if product.number > 0.0 {
            product.norms.extend_from_slice(&other.norms);
        }
        Some(product)
    }

    /// Both in a way that gives the other if one of them is 0.
    fn joined(&self, other: &Size, way: impl Fn(f64, f64) -> f64) -> Option<Size> {
        match (self.number == 0.0, other.number == 0.0) {
            (true, _) => Some(other.clone()),
            (_, true) => Some(self.clone()),
            _ if self.norms == other.norms => {
                Some(Size { number: way(self.number, other.number), norms: self.norms.clone() })
            }
            _ => None,
        }
    }

    fn plus(&self, other: &Size) -> Option<Size> {
        self.joined(other, plus)
    }

    /// √(a² + b²)
    fn beside(&self, other: &Size) -> Option<Size> {
        self.joined(other, |a, b| root(plus(times(a, a), times(b, b))))
    }
}

struct Sweep<'t> {
    tape: &'t Tape,
    bounds: Bounds<'t>,
    moves: FxHashMap<NodeId, bool>,
    norms: FxHashMap<NodeId, Option<Size>>,
    /// How many formulas were read: one may hold another many times.
    steps: usize,
}

impl Sweep<'_> {
    fn moves(&self, id: NodeId) -> bool {
        self.moves.get(&id).copied().unwrap_or(false)
    }

    fn may_read(&mut self, depth: usize) -> bool {
        self.steps += 1;
        depth <= DEPTH && self.steps <= 1 << 16
    }

    /// The bound of a node that depends on an input.
    fn node(&mut self, node: &Node, known: &FxHashMap<NodeId, Option<Size>>) -> Option<Size> {
        let of = |id: NodeId| known.get(&id).cloned().flatten();
        let operands = node.operands.as_slice();
        match (&node.op, operands) {
            (Op::Unary(Unary::Neg) | Op::Transpose, [a]) => of(*a),
            (Op::Unary(op), [a]) => of(*a)?.times(self.steepest(*op, *a)?),
            (Op::Binary(Binary::Add | Binary::Sub), [a, b]) => of(*a)?.plus(&of(*b)?),
            (Op::Binary(Binary::Mul), [a, b]) => match (self.moves(*a), self.moves(*b)) {
                (true, false) => self.scaled(*a, *b, false, known),
                (false, true) => self.scaled(*b, *a, false, known),
                _ => {
                    let (left, right) = (size(self.bounds.of(*a)), size(self.bounds.of(*b)));
                    of(*a)?.times(right)?.plus(&of(*b)?.times(left)?)
                }
            },
            (Op::Binary(Binary::Div), [a, b]) if !self.moves(*b) => self.scaled(*a, *b, true, known),
            (Op::Binary(Binary::Div), [a, b]) => {
                let least = self.least(*b)?;
                let whole = of(*b)?.times(size(self.bounds.of(*a)))?;
                of(*a)?.times(least)?.plus(&whole.times(least)?.times(least)?)
            }
            (Op::Binary(Binary::LogAddExp) | Op::Choice(Choice::Min | Choice::Max), [a, b]) => {
                of(*a)?.beside(&of(*b)?)
            }
            // One branch for all elements; else each element may be of another one.
            (Op::Choice(Choice::Select), [condition, a, b]) if !self.moves(*condition) => {
                let one =
                    self.tape.with_node(*condition, |node| node.op == Op::Broadcast || node.shape.len() == 1);
                if one { of(*a)?.joined(&of(*b)?, f64::max) } else { of(*a)?.beside(&of(*b)?) }
            }
            (Op::Broadcast, [a]) => of(*a)?.times(root(node.shape.len() as f64)),
            (Op::Sum, [a]) => self.total(*a, known),
            (Op::Gather(indices) | Op::Scatter(indices), [a]) => {
                let mut sorted = indices.to_vec();
                sorted.sort_unstable();
                let most = sorted.chunk_by(|a, b| a == b).map(<[u32]>::len).max().unwrap_or(0);
                of(*a)?.times(root(most as f64))
            }
            (Op::Concat, parts) => {
                let mut squares = 0.0;
                for part in parts {
                    let own = of(*part)?.number()?;
                    squares = plus(squares, times(own, own));
                }
                Some(Size::of(root(squares)))
            }
            (Op::MatVec | Op::MatMul | Op::Outer, [a, b]) => match (self.moves(*a), self.moves(*b)) {
                (true, false) => of(*a)?.times_size(&self.norm(*b, 0)?),
                (false, true) => of(*b)?.times_size(&self.norm(*a, 0)?),
                _ => None,
            },
            // Powers, comparisons, determinants, inverses and exponentials of what moves, equations.
            _ => None,
        }
    }

    /// The largest slope of a function over the interval around its operand.
    fn steepest(&self, op: Unary, a: NodeId) -> Option<f64> {
        let within = self.bounds.of(a);
        let signed = within.is_positive() || within.is_negative();
        if !function::bound(op, within).defined || (op == Unary::Sign && !signed) {
            return None;
        }
        let tape = Tape::new();
        let letter = tape.input(Shape::Scalar);
        let value = tape.push(Op::Unary(op), [letter.id()].into_iter().collect(), Shape::Scalar);
        let subgraph = Subgraph::new(&tape, &[letter.id()], &[value.id()]);
        let Some(slope) = tangent(&tape, &subgraph, &[(letter.id(), tape.constant(1.0))])[0] else {
            return Some(0.0);
        };
        let bound = Bounds::new(&tape, &[(letter.id(), within)]).of(slope.id());
        // σ(1 - σ) = ¼ - (σ - ½)²
        let most = if op == Unary::Sigmoid { size(bound).min(0.25) } else { size(bound) };
        (bound.defined && most.is_finite()).then_some(most)
    }

    /// 1/min|b|
    fn least(&self, id: NodeId) -> Option<f64> {
        let bound = self.bounds.of(id);
        let least = if bound.is_positive() { bound.low.at } else { -bound.high.at };
        (least > 0.0).then(|| inverse(least))
    }

    /// Σ aₑ: wᵀ·a for w∘a, else √n·L(a) (Cauchy and Schwarz).
    fn total(&mut self, a: NodeId, known: &FxHashMap<NodeId, Option<Size>>) -> Option<Size> {
        let inner = self.tape.node(a);
        if let (Op::Binary(Binary::Mul), [v, w]) = (&inner.op, inner.operands.as_slice()) {
            let pair = match (self.moves(*v), self.moves(*w)) {
                (true, false) => Some((*v, *w)),
                (false, true) => Some((*w, *v)),
                _ => None,
            };
            if let Some((moving, fixed)) = pair {
                return known.get(&moving)?.as_ref()?.times_size(&self.norm(fixed, 0)?);
            }
        }
        known.get(&a)?.as_ref()?.times(root(inner.shape.len() as f64))
    }

    /// A node that depends on an input, times or divided by one that does not.
    fn scaled(
        &mut self,
        a: NodeId,
        by: NodeId,
        divided: bool,
        known: &FxHashMap<NodeId, Option<Size>>,
    ) -> Option<Size> {
        let own = known.get(&a)?.as_ref()?;
        let (factor, moving) = (self.tape.node(by), self.tape.node(a));
        if factor.op == Op::Broadcast || factor.shape == Shape::Scalar {
            let factor = if factor.op == Op::Broadcast { factor.operands[0] } else { by };
            return self.by_factor(own, factor, divided);
        }
        // t·u of a number t that depends on an input.
        if !divided && moving.op == Op::Broadcast {
            let number = known.get(&moving.operands[0])?.as_ref()?;
            return number.times_size(&self.norm(by, 0)?);
        }
        let bound = if divided { self.least(by)? } else { size(self.bounds.of(by)) };
        match bound.is_finite() {
            true => own.times(bound),
            false => own.times_size(&self.norm(by, 0)?),
        }
    }

    /// A bound times or divided by a number s.
    fn by_factor(&mut self, own: &Size, factor: NodeId, divided: bool) -> Option<Size> {
        for (place, matrix) in own.norms.iter().enumerate() {
            let shrunk = match divided {
                true => self.grown(factor, *matrix, 0).map(inverse),
                false => self.shrunk(factor, *matrix, 0),
            };
            if let Some(bound) = shrunk {
                let mut less = own.clone();
                less.norms.remove(place);
                return less.times(bound);
            }
        }
        let bound = if divided { self.least(factor)? } else { size(self.bounds.of(factor)) };
        match bound.is_finite() {
            true => own.times(bound),
            false => own.times_size(&Size { number: 1.0, norms: vec![factor] }),
        }
    }

    /// ‖A‖₂ of a node that does not depend on an input; of a vector its length.
    fn norm(&mut self, id: NodeId, depth: usize) -> Option<Size> {
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
    fn shrunk(&mut self, s: NodeId, matrix: NodeId, depth: usize) -> Option<f64> {
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
    fn grown(&mut self, n: NodeId, matrix: NodeId, depth: usize) -> Option<f64> {
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
