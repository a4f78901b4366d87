//! The bound sweep: an interval for every node, for all inputs in their domain and all parameters.
//!
//! The reals are meant, not their floating-point images: eᵃ > 0 holds although `exp(-800.0)` is 0. Ends may
//! be open or closed, and ±∞ is always open. Where ends are computed they are rounded outwards. A vector or a
//! matrix has one interval for all of its elements, and beside it two facts that an interval cannot tell:
//! that no element is 0 (signs may differ from element to element), and that every element is defined for all
//! inputs. These are the side conditions of the simplifier, and what proofs of monotonicity stand on.

use std::cell::RefCell;

use super::limit::crosses_zero;
use super::special;
use crate::tape::{Data, Function, Node, NodeId, Op, Shape, Tape};

/// What is known of the elements of a node, wherever they are defined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// The lower end.
    pub low: End,
    /// The upper end.
    pub high: End,
    /// No element is ever 0.
    pub nonzero: bool,
    /// Every element is defined, for all inputs in their domain and all parameters.
    pub defined: bool,
}

/// An end of an interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct End {
    /// Where it is; infinite ends are open.
    pub at: f64,
    /// Whether it is not reached.
    pub open: bool,
}

impl End {
    fn closed(at: f64) -> End {
        End { at, open: at.is_infinite() }
    }

    fn open(at: f64) -> End {
        End { at, open: true }
    }
}

impl Bound {
    /// (-∞, ∞)
    pub const REALS: Bound = Bound {
        low: End { at: f64::NEG_INFINITY, open: true },
        high: End { at: f64::INFINITY, open: true },
        nonzero: false,
        defined: true,
    };

    /// (low, high)
    pub fn between(low: f64, high: f64) -> Bound {
        Bound::of(End::open(low), End::open(high))
    }

    /// [low, high]
    pub fn closed(low: f64, high: f64) -> Bound {
        Bound::of(End::closed(low), End::closed(high))
    }

    fn of(low: End, high: End) -> Bound {
        let mut bound = Bound { low, high, nonzero: false, defined: true };
        bound.nonzero = bound.is_positive() || bound.is_negative();
        bound
    }

    fn with(self, nonzero: bool, defined: bool) -> Bound {
        Bound { nonzero: self.nonzero || nonzero, defined, ..self }
    }

    /// Every element is above 0.
    pub fn is_positive(self) -> bool {
        self.low.at > 0.0 || (self.low.at == 0.0 && (self.low.open || self.nonzero))
    }

    /// Every element is below 0.
    pub fn is_negative(self) -> bool {
        self.high.at < 0.0 || (self.high.at == 0.0 && (self.high.open || self.nonzero))
    }

    /// Every element is 0 or above.
    pub fn is_nonnegative(self) -> bool {
        self.low.at >= 0.0
    }

    /// Every element is 0 or below.
    pub fn is_nonpositive(self) -> bool {
        self.high.at <= 0.0
    }

    /// Whether a number can be an element.
    pub fn contains(self, value: f64) -> bool {
        let above = value > self.low.at || (value == self.low.at && !self.low.open);
        let below = value < self.high.at || (value == self.high.at && !self.high.open);
        above && below && !(self.nonzero && value == 0.0)
    }

    /// The smallest interval around both.
    fn hull(self, other: Bound) -> Bound {
        let low = lower(self.low, other.low);
        let high = higher(self.high, other.high);
        Bound { low, high, nonzero: self.nonzero && other.nonzero, defined: self.defined && other.defined }
    }
}

fn lower(a: End, b: End) -> End {
    match a.at.total_cmp(&b.at) {
        std::cmp::Ordering::Less => a,
        std::cmp::Ordering::Greater => b,
        std::cmp::Ordering::Equal => End { at: a.at, open: a.open && b.open },
    }
}

fn higher(a: End, b: End) -> End {
    negated(lower(negated(a), negated(b)))
}

fn negated(end: End) -> End {
    // 0 - x, not -x: an end at -0 would be ordered before an end at 0.
    End { at: 0.0 - end.at, open: end.open }
}

/// Bounds of the nodes of a tape, computed as they are asked for.
#[derive(Clone, Debug)]
pub struct Bounds<'t> {
    tape: &'t Tape,
    given: Vec<(NodeId, Bound)>,
    known: RefCell<Vec<Bound>>,
}

impl<'t> Bounds<'t> {
    /// Some nodes are said to lie where they lie (an input in its domain); the rest follows.
    pub fn new(tape: &'t Tape, given: &[(NodeId, Bound)]) -> Bounds<'t> {
        Bounds { tape, given: given.to_vec(), known: RefCell::default() }
    }

    /// The bound of a node.
    pub fn of(&self, id: NodeId) -> Bound {
        let mut known = self.known.borrow_mut();
        // Operands come before their users: one pass, no recursion, each node once.
        for index in known.len()..=id.index() {
            let id = NodeId(index as u32);
            let given = self.given.iter().find(|(node, _)| *node == id);
            let bound = match given {
                Some((_, bound)) => *bound,
                None => {
                    let node = self.tape.node(id);
                    self.node(&node, &known)
                }
            };
            known.push(bound);
        }
        known[id.index()]
    }

    fn node(&self, node: &Node, known: &[Bound]) -> Bound {
        let of = |k: usize| known[node.operands[k].index()];
        let a = || of(0);
        let same = node.operands.len() == 2 && node.operands[0] == node.operands[1];
        match &node.op {
            Op::Input(_) | Op::Parameter(_) => Bound::REALS,
            Op::Constant(data) => constant(data),
            Op::Neg => negative(a()),
            Op::Recip => reciprocal(a()),
            Op::Exp => monotone(a(), f64::exp, 0.0, f64::INFINITY, 4),
            Op::Ln => {
                let a = a();
                let inside = Bound { low: higher(a.low, End::open(0.0)), ..a };
                let defined = a.defined && a.is_positive();
                monotone(inside, f64::ln, f64::NEG_INFINITY, f64::INFINITY, 4).with(false, defined)
            }
            Op::ExpM1 => zero_at_zero(a(), f64::exp_m1, -1.0, f64::INFINITY),
            Op::Ln1p => {
                let a = a();
                let inside = Bound { low: higher(a.low, End::open(-1.0)), ..a };
                let defined = a.defined && (a.low.at > -1.0 || (a.low.at == -1.0 && a.low.open));
                let bound = zero_at_zero(inside, f64::ln_1p, f64::NEG_INFINITY, f64::INFINITY);
                bound.with(false, defined)
            }
            Op::Tanh => zero_at_zero(a(), f64::tanh, -1.0, 1.0),
            Op::SechSquared => {
                // It falls with |a|, from 1 at 0.
                let fallen = negative(monotone(absolute(a()), |m| -special::sech_squared(m), -1.0, 0.0, 8));
                let reached = !a().nonzero && a().contains(0.0);
                Bound { high: if reached { End::closed(1.0) } else { fallen.high }, ..fallen }
            }
            Op::Sigmoid => monotone(a(), |a| 1.0 / (1.0 + (-a).exp()), 0.0, 1.0, 8),
            Op::Softplus => monotone(a(), softplus, 0.0, f64::INFINITY, 8),
            Op::Sin | Op::Cos => Bound { nonzero: false, defined: a().defined, ..Bound::closed(-1.0, 1.0) },
            Op::Sqrt => {
                let a = a();
                let inside = Bound { low: higher(a.low, End::closed(0.0)), ..a };
                let defined = a.defined && a.is_nonnegative();
                let bound = monotone(inside, f64::sqrt, f64::NEG_INFINITY, f64::INFINITY, 1);
                let low = higher(bound.low, End { at: 0.0, open: inside.low.open });
                Bound { low, ..bound }.with(a.nonzero, defined)
            }
            Op::Abs => absolute(a()),
            Op::Sign => {
                let a = a();
                let low = if a.is_positive() {
                    1.0
                } else if a.is_nonnegative() {
                    0.0
                } else {
                    -1.0
                };
                let high = if a.is_negative() {
                    -1.0
                } else if a.is_nonpositive() {
                    0.0
                } else {
                    1.0
                };
                Bound::closed(low, high).with(a.nonzero, a.defined)
            }
            Op::Erf => zero_at_zero(a(), libm::erf, -1.0, 1.0),
            Op::Sinh => zero_at_zero(a(), f64::sinh, f64::NEG_INFINITY, f64::INFINITY),
            Op::Asinh => zero_at_zero(a(), libm::asinh, f64::NEG_INFINITY, f64::INFINITY),
            Op::Cosh => {
                let bound = monotone(absolute(a()), f64::cosh, 1.0, f64::INFINITY, 4);
                // 1 is reached where a = 0.
                let reached = !a().nonzero && a().contains(0.0);
                Bound { low: if reached { End::closed(1.0) } else { bound.low }, ..bound }
            }
            Op::LnNormalCdf => monotone(a(), special::ln_normal_cdf, f64::NEG_INFINITY, 0.0, 8),
            Op::LnGamma => {
                let a = a();
                let defined = a.defined && a.is_positive();
                // The least value of ln Γ on (0, ∞) is -0.12148629053584960…, at 1.4616…
                Bound::of(End::closed(-0.121_486_290_535_849_7), End::open(f64::INFINITY))
                    .with(false, defined)
            }
            Op::Polygamma(order) => {
                let defined = a().defined && a().is_positive();
                // Above order 0 (-1)ⁿ⁺¹ times it falls from ∞ to 0.
                let bound = match order {
                    0 => Bound::REALS,
                    n if n % 2 == 1 => Bound::between(0.0, f64::INFINITY),
                    _ => Bound::between(f64::NEG_INFINITY, 0.0),
                };
                bound.with(false, defined)
            }
            Op::Powi(exponent) => power(a(), *exponent),
            Op::Add => sum(a(), of(1)),
            Op::Sub if same => Bound { defined: a().defined, ..Bound::closed(0.0, 0.0) },
            Op::Sub => sum(a(), negative(of(1))),
            Op::Mul if same => power(a(), 2),
            Op::Mul => product(a(), of(1)),
            Op::Div => quotient(a(), of(1)),
            Op::Pow => {
                let (a, b) = (a(), of(1));
                let defined = a.defined && b.defined && a.is_positive();
                power_of_positive(a, b).with(true, defined)
            }
            Op::Min => {
                let (a, b) = (a(), of(1));
                let high = negated(higher(negated(a.high), negated(b.high)));
                let bound = Bound { low: lower(a.low, b.low), high, nonzero: false, defined: true };
                bound.with(a.nonzero && b.nonzero, a.defined && b.defined)
            }
            Op::Max => {
                let (a, b) = (a(), of(1));
                let low = higher(a.low, b.low);
                let bound = Bound { low, high: higher(a.high, b.high), nonzero: false, defined: true };
                let bound = bound.with(a.nonzero && b.nonzero, a.defined && b.defined);
                Bound { nonzero: bound.nonzero || bound.is_positive(), ..bound }
            }
            Op::Less | Op::LessEq => Bound::closed(0.0, 1.0).with(false, a().defined && of(1).defined),
            Op::Select => {
                let bound = of(1).hull(of(2));
                Bound { defined: bound.defined && a().defined, ..bound }
            }
            Op::Broadcast | Op::Gather(_) | Op::Transpose => a(),
            Op::Sum => repeated(a(), self.tape.shape(node.operands[0]).len()),
            Op::Scatter(indices) => {
                let mut places = indices.to_vec();
                places.sort_unstable();
                let once = places.windows(2).all(|pair| pair[0] != pair[1]);
                match (once, places.len() == node.shape.len()) {
                    (true, true) => a(),
                    (true, false) => a().hull(Bound::closed(0.0, 0.0)),
                    (false, _) => Bound { defined: a().defined, ..Bound::REALS },
                }
            }
            Op::Concat => {
                let parts = node.operands.iter().map(|operand| known[operand.index()]);
                parts.reduce(Bound::hull).unwrap_or(Bound::closed(0.0, 0.0))
            }
            Op::MatVec | Op::MatMul => {
                let Shape::Matrix(_, inner) = self.tape.shape(node.operands[0]) else { return Bound::REALS };
                repeated(product(a(), of(1)), inner)
            }
            Op::Outer => product(a(), of(1)),
            Op::LogAbsDet | Op::Inverse => Bound { defined: false, ..Bound::REALS },
            Op::Substitution(equation) => {
                let operands: Vec<Bound> = (0..node.operands.len()).map(of).collect();
                // What G gives for any z at all holds for z, and what it gives for that is all the better: if G is
                // defined there, z is, element after element.
                let first = function_bound(&equation.function, Bound::REALS, &operands);
                function_bound(&equation.function, Bound { defined: true, ..first }, &operands)
            }
            Op::Root(equation) => {
                let operands: Vec<Bound> = (0..node.operands.len()).map(of).collect();
                let ends = equation.ends.values();
                let defined = operands.iter().all(|bound| bound.defined)
                    && crosses_zero(&equation.function, (ends[0], ends[1]), &operands);
                Bound { defined, ..Bound::between(ends[0], ends[1]) }
            }
        }
    }
}

/// The bound of a function's result, its variable and what it captures being where they are said to be.
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

fn softplus(a: f64) -> f64 {
    a.max(0.0) + (-a.abs()).exp().ln_1p()
}

/// A strictly increasing function whose values lie between two limits that it does not reach; the library's
/// value is trusted to `ulps`.
fn monotone(a: Bound, f: impl Fn(f64) -> f64, least: f64, most: f64, ulps: u32) -> Bound {
    let low = (0..ulps).fold(f(a.low.at), |value, _| value.next_down());
    let high = (0..ulps).fold(f(a.high.at), |value, _| value.next_up());
    let low = if a.low.at == f64::NEG_INFINITY || low.is_nan() { least } else { low };
    let high = if a.high.at == f64::INFINITY || high.is_nan() { most } else { high };
    let low = if low <= least { End::open(least) } else { End { at: low, open: a.low.open } };
    let high = if high >= most { End::open(most) } else { End { at: high, open: a.high.open } };
    Bound { defined: a.defined, ..Bound::of(low, high) }
}

/// The same for a function that is 0 at 0 and only there: signs are kept.
fn zero_at_zero(a: Bound, f: impl Fn(f64) -> f64, least: f64, most: f64) -> Bound {
    let mut bound = monotone(a, f, least, most, 4);
    if a.low.at >= 0.0 && bound.low.at <= 0.0 {
        bound.low = End { at: 0.0, open: a.low.open };
    }
    if a.high.at <= 0.0 && bound.high.at >= 0.0 {
        bound.high = End { at: 0.0, open: a.high.open };
    }
    let bound = Bound { defined: a.defined, ..Bound::of(bound.low, bound.high) };
    bound.with(a.nonzero, a.defined)
}

fn negative(a: Bound) -> Bound {
    Bound { low: negated(a.high), high: negated(a.low), ..a }
}

fn absolute(a: Bound) -> Bound {
    if a.is_nonnegative() {
        return a;
    }
    if a.is_nonpositive() {
        return negative(a);
    }
    let bound = Bound { low: End { at: 0.0, open: a.nonzero }, high: higher(a.high, negated(a.low)), ..a };
    Bound { nonzero: a.nonzero, ..bound }
}

fn reciprocal(a: Bound) -> Bound {
    let ends = |low: End, high: End| {
        let from = |end: End, up: bool, at_zero: f64| match end.at {
            0.0 => End::open(at_zero),
            at if at.is_infinite() => End::open(0.0),
            at => {
                let value = if up { (1.0 / at).next_up() } else { (1.0 / at).next_down() };
                End { at: value, open: end.open }
            }
        };
        (from(low, true, f64::INFINITY), from(high, false, f64::NEG_INFINITY))
    };
    if a.is_positive() {
        let (high, low) = ends(a.low, a.high);
        return Bound::of(higher(low, End::open(0.0)), high).with(true, a.defined);
    }
    if a.is_negative() {
        return negative(reciprocal(negative(a)));
    }
    Bound { nonzero: true, defined: a.defined && a.nonzero, ..Bound::REALS }
}

fn quotient(a: Bound, b: Bound) -> Bound {
    let divisor = b.low.at;
    if divisor != b.high.at || divisor == 0.0 || !divisor.is_finite() {
        return product(a, reciprocal(b));
    }
    // By one number: rounded once, and not at all where the quotient is exact.
    if divisor < 0.0 {
        return quotient(negative(a), negative(b));
    }
    let end = |end: End, up: bool| {
        let value = end.at / divisor;
        let exact =
            !value.is_finite() || value == 0.0 && end.at == 0.0 || value.mul_add(divisor, -end.at) == 0.0;
        let rounded = if up { value.next_up() } else { value.next_down() };
        End { at: if exact { value } else { rounded }, open: end.open }
    };
    let bound = Bound::of(end(a.low, false), end(a.high, true));
    bound.with(a.nonzero, a.defined && b.defined)
}

fn sum(a: Bound, b: Bound) -> Bound {
    let low = End { at: rounded_sum(a.low.at, b.low.at, false), open: a.low.open || b.low.open };
    let high = End { at: rounded_sum(a.high.at, b.high.at, true), open: a.high.open || b.high.open };
    Bound { defined: a.defined && b.defined, ..Bound::of(low, high) }
}

/// a + b, rounded outwards unless it is exact (Knuth's TwoSum).
fn rounded_sum(a: f64, b: f64, up: bool) -> f64 {
    let sum = a + b;
    if !sum.is_finite() || !a.is_finite() || !b.is_finite() {
        return if a.is_infinite() {
            a
        } else if b.is_infinite() {
            b
        } else {
            sum
        };
    }
    let back = sum - a;
    match (a - (sum - back)) + (b - back) {
        0.0 => sum,
        _ if up => sum.next_up(),
        _ => sum.next_down(),
    }
}

fn product(a: Bound, b: Bound) -> Bound {
    let ends = |up: bool| {
        let mut best: Option<End> = None;
        for x in [a.low, a.high] {
            for y in [b.low, b.high] {
                let end = end_product(x, y, up);
                best = Some(match best {
                    None => end,
                    Some(known) if up => higher(known, end),
                    Some(known) => lower(known, end),
                });
            }
        }
        best.expect("there are four ends")
    };
    Bound::of(ends(false), ends(true)).with(a.nonzero && b.nonzero, a.defined && b.defined)
}

fn end_product(x: End, y: End, up: bool) -> End {
    if x.at == 0.0 || y.at == 0.0 {
        // A zero that is reached makes 0 with whatever stands on the other side.
        let reached = (x.at == 0.0 && !x.open) || (y.at == 0.0 && !y.open);
        return End { at: 0.0, open: !reached };
    }
    let value = x.at * y.at;
    let open = x.open || y.open || value.is_infinite();
    if value.is_infinite() || x.at.mul_add(y.at, -value) == 0.0 {
        return End { at: value, open };
    }
    // Rounded outwards, but never across 0: a product of two numbers that are not 0 is not 0.
    let at = if up { value.next_up() } else { value.next_down() };
    let positive = (x.at < 0.0) == (y.at < 0.0);
    let crossed = value == 0.0 && positive != up;
    if crossed { End::open(0.0) } else { End { at, open } }
}

fn power(a: Bound, exponent: i32) -> Bound {
    match exponent {
        0 => Bound { defined: a.defined, ..Bound::closed(1.0, 1.0) },
        1 => a,
        n if n < 0 => reciprocal(power(a, n.checked_neg().unwrap_or(i32::MAX))),
        n if n % 2 == 0 => {
            let b = absolute(a);
            let bound = monotone_power(b, n);
            let low = higher(bound.low, End { at: 0.0, open: b.low.at == 0.0 && b.low.open });
            Bound { low, ..bound }.with(a.nonzero, a.defined)
        }
        n if a.is_nonnegative() || a.is_nonpositive() => {
            let flip = !a.is_nonnegative();
            let bound = power_of_nonnegative(if flip { negative(a) } else { a }, n);
            if flip { negative(bound) } else { bound }
        }
        n => monotone_power(a, n).with(a.nonzero, a.defined),
    }
}

/// aᵇ for a > 0: it is monotone in each, so that the ends are among the four corners.
fn power_of_positive(a: Bound, b: Bound) -> Bound {
    let a = Bound { low: higher(a.low, End::open(0.0)), ..a };
    let (mut low, mut high) = (End::open(f64::INFINITY), End::open(0.0));
    for x in [a.low, a.high] {
        for y in [b.low, b.high] {
            let value = match (x.at, y.at) {
                // 1ᵇ and a⁰ are 1, but at an infinite corner anything can be approached.
                (1.0, y) if y.is_infinite() => return Bound::between(0.0, f64::INFINITY),
                (x, 0.0) if x.is_infinite() || x == 0.0 => return Bound::between(0.0, f64::INFINITY),
                (x, y) => x.powf(y),
            };
            let exact = value == 1.0 || value == 0.0 || value.is_infinite();
            let open = x.open || y.open || value == 0.0 || value.is_infinite();
            let down = (0..4).fold(value, |value: f64, _| value.next_down());
            let up = (0..4).fold(value, |value: f64, _| value.next_up());
            low = lower(low, End { at: if exact { value } else { down.max(0.0) }, open });
            high = higher(high, End { at: if exact { value } else { up }, open });
        }
    }
    Bound::of(low, high)
}

fn power_of_nonnegative(a: Bound, n: i32) -> Bound {
    let bound = monotone_power(a, n);
    let low = higher(bound.low, End { at: 0.0, open: a.low.at == 0.0 && a.low.open });
    Bound { low, ..bound }.with(a.nonzero, a.defined)
}

fn monotone_power(a: Bound, n: i32) -> Bound {
    // powi multiplies about 2·log₂ n times, half an ulp each.
    let ulps = 2 * (32 - n.leading_zeros());
    let mut bound = monotone(a, |x| x.powi(n), f64::NEG_INFINITY, f64::INFINITY, ulps);
    // 0 and ±1 are exact.
    for (end, from) in [(&mut bound.low, a.low), (&mut bound.high, a.high)] {
        if from.at == 0.0 || from.at.abs() == 1.0 {
            *end = End { at: from.at.powi(n), open: from.open };
        }
    }
    Bound { defined: a.defined, ..Bound::of(bound.low, bound.high) }
}

/// The sum of `count` numbers that all lie in one interval.
fn repeated(a: Bound, count: usize) -> Bound {
    if count == 0 {
        return Bound::closed(0.0, 0.0);
    }
    let times = product(a, Bound::closed(count as f64, count as f64));
    // Numbers of either sign may cancel: that none of them is 0 says nothing.
    Bound { defined: a.defined, ..Bound::of(times.low, times.high) }
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
        // exp(-800) is 0 to a computer, but eᵃ is not 0, and neither is its square.
        assert!(bound_of(|z| (-800.0 + 0.0 * z).exp()).is_positive());
        assert!(bound_of(|z| z.exp() * 1e-300 * 1e-300).is_positive());
    }
}
