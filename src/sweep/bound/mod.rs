//! The bound sweep: an interval for every node, for all inputs in their domain and all parameters.
//!
//! Bounds hold in real arithmetic, not for floating-point results: eᵃ > 0 holds although `exp(-800.0)` is 0. Ends may
//! be open or closed, and ±∞ is always open. Computed ends are rounded outwards. A vector or a matrix has one
//! interval for all of its elements, and two facts that an interval cannot express: that no element is 0 (signs may
//! differ from element to element), and that every element is defined for all inputs. These are the side conditions
//! of the simplifier, and the basis of proofs of monotonicity.
//!
//! Elements that are read from a constant, an input or a concatenation are bounded one by one ([`Region`]), and all of them
//! where it is asked for (`Bounds::by_elements`).
//!
//! *Soundness.* For inputs in their assumed regions and any real parameters, the real value of each element of a node
//! lies in the node's interval wherever it is defined. Every arm of `Bounds::node` preserves this from operands to
//! node, with ends rounded outwards by `arithmetic`, `power`, `increasing` and the rows of `function`.

mod arithmetic;
mod elements;
mod increasing;
mod interval;
mod power;
mod region;
mod skew;

use std::cell::RefCell;

use rustc_hash::FxHashMap;

pub use self::interval::{Bound, End};
pub use self::region::Region;

pub(super) use self::arithmetic::{absolute, is_exact_product, negative, outward, product, reciprocal, sum};
pub(super) use self::increasing::Increasing;
pub(super) use self::interval::{higher, lower};
pub(super) use self::power::power;
pub(super) use self::skew::{Skew, skew};

use self::arithmetic::{quotient, repeated};
use self::region::around;
use super::function;
use super::limit::crosses_zero;
use crate::tape::{Binary, Choice, Data, Equation, Function, Node, NodeId, Op, Shape, Tape};

/// Bounds of the nodes of a tape, computed on demand: only the ancestors of a node are visited.
#[derive(Clone, Debug)]
pub struct Bounds<'t> {
    tape: &'t Tape,
    given: FxHashMap<NodeId, Region>,
    known: RefCell<FxHashMap<NodeId, Bound>>,
}

impl<'t> Bounds<'t> {
    /// Assumes bounds of some nodes (of an input its domain); the bounds of other nodes follow.
    pub fn new(tape: &'t Tape, given: &[(NodeId, Bound)]) -> Bounds<'t> {
        Bounds::within(tape, given.iter().map(|(id, bound)| (*id, Region::All(*bound))))
    }

    /// As [`Bounds::new`], with regions, in which each element may have its own interval. The first of two regions of
    /// one node is used.
    pub fn within(tape: &'t Tape, regions: impl IntoIterator<Item = (NodeId, Region)>) -> Bounds<'t> {
        let mut given = FxHashMap::default();
        for (id, region) in regions {
            given.entry(id).or_insert(region);
        }
        Bounds { tape, given, known: RefCell::default() }
    }

    /// Assumes a region of one more node. Bounds that were computed before are not narrowed.
    pub(crate) fn give(&mut self, id: NodeId, region: Region) {
        let hull = region.hull(self.tape.shape(id).len());
        self.known.get_mut().insert(id, hull);
        self.given.insert(id, region);
    }

    /// Returns the smallest bound around some elements of a node.
    pub(crate) fn of_elements(&self, id: NodeId, elements: &[usize]) -> Bound {
        let whole = self.of(id);
        match self.has_parts(id) {
            true => around(elements.iter().map(|e| self.element(id, *e))),
            false => whole,
        }
    }

    /// Returns the bound of a node.
    pub fn of(&self, id: NodeId) -> Bound {
        if let Some(bound) = self.known.borrow().get(&id) {
            return *bound;
        }
        let mut waiting = vec![id];
        while let Some(id) = waiting.last().copied() {
            if self.known.borrow().contains_key(&id) {
                waiting.pop();
                continue;
            }
            let bound = match self.given.get(&id) {
                Some(region) => region.hull(self.tape.shape(id).len()),
                None => {
                    let node = self.tape.node(id);
                    let before = waiting.len();
                    let known = self.known.borrow();
                    waiting.extend(node.operands.iter().filter(|operand| !known.contains_key(operand)));
                    if waiting.len() > before {
                        continue;
                    }
                    drop(known);
                    self.node(&node).in_order()
                }
            };
            self.known.borrow_mut().insert(id, bound);
            waiting.pop();
        }
        self.known(id)
    }

    /// Returns the bound of a node that was computed before.
    fn known(&self, id: NodeId) -> Bound {
        self.known.borrow()[&id]
    }

    /// Computes the bound of a node from the bounds of its operands.
    fn node(&self, node: &Node) -> Bound {
        self.of_operands(node, |k| self.known(node.operands[k]))
    }

    /// The same for the bounds of its operands, or of an element of each where it works element by element: one arm for each
    /// operation.
    fn of_operands(&self, node: &Node, of: impl Fn(usize) -> Bound) -> Bound {
        let a = || of(0);
        let same = node.operands.len() == 2 && node.operands[0] == node.operands[1];
        match &node.op {
            Op::Input(_) | Op::Parameter(_) => Bound::REALS,
            Op::Constant(data) => constant(data),
            Op::Unary(op) => function::bound(*op, a()),
            Op::Binary(Binary::Add) => sum(a(), of(1)),
            Op::Binary(Binary::Sub) if same => Bound { defined: a().defined, ..Bound::closed(0.0, 0.0) },
            Op::Binary(Binary::Sub) => sum(a(), negative(of(1))),
            Op::Binary(Binary::Mul) if same => power::square(a()),
            Op::Binary(Binary::Mul) => product(a(), of(1)),
            Op::Binary(Binary::Div) => quotient(a(), of(1)),
            Op::Binary(Binary::Pow) => power::power_of_positive(a(), of(1)),
            Op::Choice(Choice::Min) => {
                let (a, b) = (a(), of(1));
                let bound = Bound::of(lower(a.low, b.low), lower(a.high, b.high));
                bound.with(a.nonzero && b.nonzero, a.defined && b.defined)
            }
            Op::Choice(Choice::Max) => {
                let (a, b) = (a(), of(1));
                let bound = Bound::of(higher(a.low, b.low), higher(a.high, b.high));
                bound.with(a.nonzero && b.nonzero, a.defined && b.defined)
            }
            // Above the larger one, by ln 2 at most.
            Op::Binary(Binary::LogAddExp) => {
                let (a, b) = (a(), of(1));
                let low = higher(a.low, b.low).at;
                let high = sum(Bound::of(a.low, higher(a.high, b.high)), Bound::closed(0.0, 0.7)).high;
                Bound { defined: a.defined && b.defined, ..Bound::of(End::open(low), high) }
            }
            Op::Binary(Binary::Less | Binary::LessEq) => {
                Bound::closed(0.0, 1.0).with(false, a().defined && of(1).defined)
            }
            Op::Choice(Choice::Select) => {
                let bound = of(1).hull(of(2));
                Bound { defined: bound.defined && a().defined, ..bound }
            }
            Op::Broadcast | Op::Transpose => a(),
            // Elements that are not gathered do not matter, and need not be defined.
            Op::Gather(indices) if self.has_parts(node.operands[0]) => {
                around(indices.iter().map(|index| self.element(node.operands[0], *index as usize)))
            }
            Op::Gather(_) => a(),
            Op::Sum => repeated(a(), self.tape.shape(node.operands[0]).len()),
            Op::Scatter(indices) => {
                let mut counts = vec![0; node.shape.len()];
                indices.iter().for_each(|index| counts[*index as usize] += 1);
                counts.sort_unstable();
                counts.dedup();
                around(counts.into_iter().map(|count| match count {
                    1 => a(),
                    count => repeated(a(), count),
                }))
            }
            Op::Concat => {
                let parts =
                    (0..node.operands.len()).filter(|k| !self.tape.shape(node.operands[*k]).is_empty());
                around(parts.map(&of))
            }
            Op::MatVec | Op::MatMul => {
                let Shape::Matrix(_, inner) = self.tape.shape(node.operands[0]) else { return Bound::REALS };
                repeated(product(a(), of(1)), inner)
            }
            Op::Outer => product(a(), of(1)),
            Op::MatrixExp => Bound { defined: a().defined, ..Bound::REALS },
            Op::LogAbsDet | Op::Inverse => {
                let regular = skew(self.tape, node.operands[0]).is_some();
                Bound { defined: regular && a().defined, ..Bound::REALS }
            }
            // Any number; and none where steps are too many, or what v has no value for is met, or no solution is found.
            Op::Solution(_) | Op::Equation(Equation::System(_)) => Bound::REALS,
            Op::Equation(Equation::Substitution(equation)) => {
                let operands: Vec<Bound> = (0..node.operands.len()).map(&of).collect();
                // A bound of G over all z holds for the solution z, and applying G to that bound tightens it; if G is
                // defined there, so is z, element after element.
                let first = function_bound(&equation.function, Bound::REALS, &operands);
                function_bound(&equation.function, Bound { defined: true, ..first }, &operands)
            }
            // A bound of G over all z holds for the solution, which exists if G is defined everywhere (Banach).
            Op::Equation(Equation::Contraction(equation)) => {
                let operands: Vec<Bound> = (0..node.operands.len()).map(&of).collect();
                function_bound(&equation.function, Bound::REALS, &operands)
            }
            Op::Equation(Equation::Root(equation)) => {
                let operands: Vec<Bound> = (0..node.operands.len()).map(&of).collect();
                let ends = equation.ends.values();
                let defined = operands.iter().all(|bound| bound.defined)
                    && crosses_zero(&equation.function, (ends[0], ends[1]), &operands);
                Bound { defined, ..Bound::between(ends[0], ends[1]) }
            }
        }
    }
}

/// Returns the bound of a function's result from the bounds of its variable and of its captured nodes.
fn function_bound(function: &Function, variable: Bound, captured: &[Bound]) -> Bound {
    let (tape, inputs, output) = function.tape();
    let given = inputs.into_iter().zip([variable].into_iter().chain(captured.iter().copied()));
    Bounds::new(&tape, &given.collect::<Vec<_>>()).of(output)
}

fn constant(data: &Data) -> Bound {
    let values = data.values();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match values.is_empty() {
        true => Bound::closed(0.0, 0.0),
        false => Bound::closed(low, high).with(values.iter().all(|value| *value != 0.0), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound_of(record: impl for<'t> Fn(crate::tape::Var<'t>) -> crate::tape::Var<'t>) -> Bound {
        let tape = Tape::new();
        let z = tape.input(Shape::Scalar);
        let x = record(z);
        Bounds::new(&tape, &[]).of(x.id())
    }

    #[test]
    fn textbook_bounds() {
        assert!(bound_of(|z| z.exp()).is_positive());
        assert!(bound_of(|z| (-z.exp()) * z.softplus()).is_negative());
        assert!(bound_of(|z| 1.0 + z.tanh()).is_positive());
        assert!(bound_of(|z| 1.0 - z.tanh() * z.tanh()).is_positive());
        assert!(bound_of(|z| z.powi(2) + 1.0).is_positive());
        assert!(!bound_of(|z| z.powi(2)).is_positive());
        assert!(bound_of(|z| z.powi(2)).is_nonnegative());
        assert!(!bound_of(|z| 1.0 - 0.9 * z.sin() - 0.2).is_positive());
        assert!(bound_of(|z| 1.0 + 0.9 * z.sin()).is_positive());
        assert!(bound_of(|z| z.sigmoid() * (-z).sigmoid()).is_positive());
        assert!(bound_of(|z| (z.cos() + 2.0).recip()).is_positive());
        assert!(!bound_of(|z| z.recip()).defined);
        assert!(bound_of(|z| z.recip()).nonzero);
        assert!(bound_of(|z| z.exp().ln()).defined);
    }

    #[test]
    fn reals_not_floats() {
        // exp(-800) is 0 in f64, but eᵃ is not 0, and neither is its square.
        assert!(bound_of(|z| (-800.0 + 0.0 * z).exp()).is_positive());
        assert!(bound_of(|z| z.exp() * 1e-300 * 1e-300).is_positive());
    }
}
