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
//! | a choice of a or b by a condition that does not depend on an input | max(L(a), L(b)) if it is one for all elements, else √(L(a)² + L(b)²) |
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

mod norm;

use rustc_hash::FxHashMap;

use super::bound::{Bound, Bounds, product, sum};
use super::function;
use super::tangent::tangent;
use crate::tape::{Binary, Choice, Node, NodeId, Op, Shape, Subgraph, Tape, Unary};

/// How deep formulas of factors and products of matrices are read.
const DEPTH: usize = 32;
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
}
