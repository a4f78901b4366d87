//! Contractions: x = z + g(z) maps ℝᵈ one-to-one onto ℝᵈ if g has a Lipschitz constant below 1 (Banach).
//!
//! The program is read node by node, from z to the result. Each node gets an upper bound of its Lipschitz constant in ‖·‖₂
//! with respect to z, for all parameters: a product of a number and of the norms of matrices that are not bounded by
//! themselves. Such a norm disappears where a factor comes that is at most a number divided by it
//! (`norm.rs`, [`Norms::shrunk`]). What does not depend on z has the constant 0.

use std::collections::{HashMap, HashSet};

use super::interval::{End, Interval};
use super::map::{Map, jumps};
use super::norm::{Norms, Size, up_to};
use super::rejection::{Checked, Rejection, reject};
use super::scalar::{Function, Id, Scalar, Scalars};
use super::slope::slope;
use super::text::{Certificate, Node, Op, Program, Side};

/// Of so many variables all partial derivatives are formed, if the program cannot be read node by node.
const BY_SLOPES: usize = 8;
/// The longest sum that is taken apart.
const TERMS: usize = 1 << 20;

/// Checks that x = z + g(z) where g has a Lipschitz constant below 1, whatever the parameters are. Then det J > 0.
pub(super) fn check(certificate: &Certificate) -> Checked<()> {
    let whole = |side: &Side| side.low.0 == f64::NEG_INFINITY && side.high.0 == f64::INFINITY;
    if !certificate.domain.iter().chain(&certificate.codomain).all(whole) {
        return reject("a contraction is solved in all of ℝᵈ only");
    }
    let program = certificate.program("forward")?;
    let d = certificate.domain.len();
    let mut map = Map::new(program, &certificate.domain)?;
    if map.outputs.len() != d {
        return reject(format!("{d} inputs, but {} outputs", map.outputs.len()));
    }
    let elements = map.scalars.elements(program, std::slice::from_ref(&map.inputs))?;
    let mut moves = vec![false; program.nodes.len()];
    for (k, node) in program.nodes.iter().enumerate() {
        moves[k] = matches!(node.op, Op::Input(_)) || node.operands.iter().any(|operand| moves[*operand]);
    }
    let mut contraction = Contraction { program, norms: Norms::new(program, map, elements), moves };
    let bound = match contraction.beside_the_identity() {
        Ok(terms) => contraction.sum_of(&terms),
        Err(rejection) => Err(rejection),
    };
    // A constant that the certificate names is an upper bound as well.
    let named = certificate.points.get("constant").map(|values| values.iter().copied().fold(1.0, f64::min));
    let is_small = |bound: &End| {
        is_below_one(bound) && named.is_none_or(|constant| bound.at <= Interval::of(constant).high.at)
    };
    match bound {
        Ok(bound) if is_small(&bound) => Ok(()),
        _ if d <= BY_SLOPES && is_small(&contraction.by_slopes()?) => Ok(()),
        Ok(_) => reject("z + g(z), but the Lipschitz constant of g cannot be shown to be below 1"),
        Err(rejection) => Err(rejection),
    }
}

/// Checks f⁻¹(f(z)) = z where f⁻¹(x) is the fixed point of a G with G(ζ, x) = x - (f(ζ) - ζ): the fixed points are the ζ with
/// f(ζ) = x, and f is one-to-one and onto.
pub(super) fn identity(certificate: &Certificate) -> Checked<()> {
    check(certificate)?;
    let inverse = certificate.program("inverse")?;
    let solved = &inverse.nodes[inverse.result];
    let Op::Contraction(function) = &solved.op else {
        return reject("the inverse is not the fixed point of a contraction");
    };
    let Map { mut scalars, inputs, outputs, .. } =
        Map::new(certificate.program("forward")?, &certificate.domain)?;
    let image: Vec<Id> = inputs.iter().map(|_| scalars.letter()).collect();
    let before = Program { nodes: inverse.nodes[..inverse.result].to_vec(), result: 0 };
    let known = scalars.elements(&before, std::slice::from_ref(&image))?;
    let captured = solved.operands.iter().map(|operand| known[*operand].clone());
    let arguments: Vec<Vec<Id>> = std::iter::once(inputs.clone()).chain(captured).collect();
    let fixed = scalars.results(function, &arguments)?;
    if fixed.len() != inputs.len() {
        return reject("not as many results as inputs");
    }
    let ends = inputs.into_iter().zip(image).zip(outputs.into_iter().zip(fixed));
    for (i, ((input, image), sides)) in ends.enumerate() {
        // f(ζ) + G(ζ, x) - ζ - x, term by term.
        let mut counts: HashMap<Id, i64> = HashMap::from([(input, -1), (image, -1)]);
        let equation = signed_terms(&scalars, sides.1)?;
        // What cancels within the equation need not be defined.
        let signs: HashSet<(Id, i64)> = equation.iter().copied().collect();
        if signs.iter().any(|(term, sign)| signs.contains(&(*term, -sign))) {
            return reject(format!("element {i} of the equation has a term that cancels"));
        }
        for (term, sign) in signed_terms(&scalars, sides.0)?.into_iter().chain(equation) {
            *counts.entry(term).or_default() += sign;
        }
        if counts.values().any(|count| *count != 0) {
            return reject(format!("element {i} of the equation is not x - (f(ζ) - ζ)"));
        }
    }
    Ok(())
}

/// The terms of nested sums and differences, with their signs.
fn signed_terms(scalars: &Scalars, id: Id) -> Checked<Vec<(Id, i64)>> {
    let (mut terms, mut waiting) = (Vec::new(), vec![(id, 1)]);
    while let Some((id, sign)) = waiting.pop() {
        match scalars.get(id) {
            Scalar::Sum(parts) | Scalar::Apply(Function::Add, parts) => {
                waiting.extend(parts.iter().map(|part| (*part, sign)));
            }
            Scalar::Apply(Function::Sub, parts) => waiting.extend([(parts[0], sign), (parts[1], -sign)]),
            Scalar::Apply(Function::Neg, parts) => waiting.push((parts[0], -sign)),
            _ => terms.push((id, sign)),
        }
        if terms.len() + waiting.len() > TERMS {
            return reject("a sum of too many terms");
        }
    }
    Ok(terms)
}

fn is_below_one(bound: &End) -> bool {
    let one = Interval::of(1.0).high;
    bound.at < one.at || (bound.at == one.at && bound.open)
}

struct Contraction<'a> {
    program: &'a Program,
    norms: Norms<'a>,
    /// Whether a node depends on z.
    moves: Vec<bool>,
}

impl Contraction<'_> {
    /// The terms of the result without the one that is z itself.
    fn beside_the_identity(&self) -> Checked<Vec<usize>> {
        let (mut waiting, mut terms, mut found) = (vec![(self.program.result, true)], Vec::new(), 0);
        while let Some((k, added)) = waiting.pop() {
            let node = &self.program.nodes[k];
            match (&node.op, node.operands.as_slice()) {
                _ if added && self.is_identity(k) => found += 1,
                (Op::Elementwise(Function::Add), [a, b]) => waiting.extend([(*a, added), (*b, added)]),
                (Op::Elementwise(Function::Sub), [a, b]) => waiting.extend([(*a, added), (*b, !added)]),
                (Op::Elementwise(Function::Neg), [a]) => waiting.push((*a, !added)),
                _ => terms.push(k),
            }
            if found > 1 || terms.len() > self.program.nodes.len() {
                return reject("the result is not z and something else, added");
            }
        }
        match found {
            1 => Ok(terms),
            _ => reject("the result is not z and something else, added"),
        }
    }

    /// Whether a node is z, element by element, perhaps in another shape.
    fn is_identity(&self, k: usize) -> bool {
        self.norms.elements[k] == self.norms.map.inputs
    }

    /// The Lipschitz constant of the sum of some nodes.
    fn sum_of(&mut self, terms: &[usize]) -> Checked<End> {
        let needed = self.needed(terms);
        let mut known: Vec<Option<Size>> = Vec::new();
        for (k, needed) in needed.into_iter().enumerate() {
            let found = match (needed, self.moves[k]) {
                (false, _) => None,
                (true, true) => self.step(k, &known),
                (true, false) => Some(Size::zero()),
            };
            known.push(found);
        }
        let mut total = Size::zero();
        for term in terms {
            if !self.moves[*term] {
                self.norms.defined(*term)?;
            }
            total = known[*term].as_ref().and_then(|own| total.plus(own)).ok_or_else(unbounded)?;
        }
        total.number().ok_or_else(unbounded)
    }

    /// The nodes that some nodes need and that depend on z, and those that these read.
    fn needed(&self, terms: &[usize]) -> Vec<bool> {
        let mut needed = vec![false; self.program.nodes.len()];
        terms.iter().for_each(|k| needed[*k] = true);
        for k in (0..needed.len()).rev() {
            if needed[k] && self.moves[k] {
                self.program.nodes[k].operands.iter().for_each(|operand| needed[*operand] = true);
            }
        }
        needed
    }

    /// The bound of a node that depends on z. Where there is one, the node is defined if the parts of it are.
    fn step(&mut self, k: usize, known: &[Option<Size>]) -> Option<Size> {
        let program = self.program;
        let node = &program.nodes[k];
        let of = |operand: usize| known[operand].clone();
        match (&node.op, node.operands.as_slice()) {
            (Op::Input(0), _) => Some(Size::one()),
            (Op::Transpose, [a]) => of(*a),
            // An element that is read m times counts m times in the sum of squares.
            (Op::Gather(indices) | Op::Scatter(indices), [a]) => of(*a)?.times(&root(most_often(indices))),
            (Op::Concat, parts) => {
                let mut squares = Interval::of(0.0);
                for part in parts {
                    if !self.moves[*part] {
                        self.norms.defined(*part).ok()?;
                    }
                    let bound = up_to(of(*part)?.number()?);
                    squares = squares.add(&bound.mul(&bound));
                }
                Some(Size::of(squares.sqrt().high))
            }
            (Op::Broadcast, [a]) => of(*a)?.times(&root(node.len())),
            (Op::Sum, [a]) => self.total(*a, known),
            (Op::Product | Op::Outer, [a, b]) => match (self.moves[*a], self.moves[*b]) {
                (true, false) => of(*a)?.times_size(&self.norms.of(*b, 0)?),
                (false, true) => of(*b)?.times_size(&self.norms.of(*a, 0)?),
                _ => None,
            },
            (Op::Elementwise(function), operands) => self.elementwise(*function, node, operands, known),
            _ => None,
        }
    }

    /// Σ aₑ: wᵀ·a for a = w∘a, else √n times the bound of a (Cauchy and Schwarz).
    fn total(&mut self, a: usize, known: &[Option<Size>]) -> Option<Size> {
        let inner = &self.program.nodes[a];
        if let (Op::Elementwise(Function::Mul), [v, w]) = (&inner.op, inner.operands.as_slice()) {
            let (moving, fixed) = match (self.moves[*v], self.moves[*w]) {
                (true, false) => (*v, *w),
                (false, true) => (*w, *v),
                _ => (a, a),
            };
            if moving != a {
                return known[moving].as_ref()?.times_size(&self.norms.as_column(fixed)?);
            }
        }
        known[a].as_ref()?.times(&root(inner.len()))
    }

    fn elementwise(
        &mut self,
        function: Function,
        node: &Node,
        operands: &[usize],
        known: &[Option<Size>],
    ) -> Option<Size> {
        use Function as F;
        let of = |operand: usize| known[operand].as_ref();
        for operand in operands.iter().filter(|operand| !self.moves[**operand]) {
            // Factors are looked at where their norm is.
            if !matches!(function, F::Mul | F::Div) {
                self.norms.defined(*operand).ok()?;
            }
        }
        match (function, operands) {
            (F::Neg, [a]) => of(*a).cloned(),
            (F::Add | F::Sub, [a, b]) => of(*a)?.plus(of(*b)?),
            (F::Mul, [a, b]) => match (self.moves[*a], self.moves[*b]) {
                (true, false) => self.scaled(*a, *b, false, known),
                (false, true) => self.scaled(*b, *a, false, known),
                _ => {
                    let (left, right) = (self.largest(*a)?, self.largest(*b)?);
                    of(*a)?.times(&right)?.plus(&of(*b)?.times(&left)?)
                }
            },
            (F::Div, [a, b]) if !self.moves[*b] => self.scaled(*a, *b, true, known),
            // |a/b - a′/b′| ≤ |a - a′|/|b| + |a′|·|b - b′|/|b·b′|
            (F::Div, [a, b]) => {
                if !self.moves[*a] {
                    self.norms.defined(*a).ok()?;
                }
                let inverse = End::closed(self.hull(*b).recip()?.abs().high.at);
                let whole = self.largest(*a)?;
                let beside = of(*b)?.times(&whole)?.times(&inverse)?.times(&inverse)?;
                of(*a)?.times(&inverse)?.plus(&beside)
            }
            // At most the larger of the two changes.
            (F::Min | F::Max | F::LogAddExp, [a, b]) => of(*a)?.beside(of(*b)?),
            // One branch for all elements; else each element may be of another one.
            (F::Select, [condition, a, b]) if !self.moves[*condition] => {
                let conditions = &self.norms.elements[*condition];
                match conditions.iter().all(|one| *one == conditions[0]) {
                    true => of(*a)?.larger(of(*b)?),
                    false => of(*a)?.beside(of(*b)?),
                }
            }
            (F::Sign, [a]) => self.hull(*a).excludes_zero().then_some(Size::zero()),
            (_, [a]) if node.operands.len() == 1 => of(*a)?.times(&self.steepest(function, *a)?),
            _ => None,
        }
    }

    /// A node that depends on z, times or divided by one that does not.
    fn scaled(&mut self, a: usize, by: usize, divided: bool, known: &[Option<Size>]) -> Option<Size> {
        self.norms.defined(by).ok()?;
        let own = known[a].as_ref()?;
        let factors = self.norms.elements[by].clone();
        let alike = factors.iter().all(|factor| *factor == factors[0]);
        if alike && !factors.is_empty() {
            return self.norms.scaled(own, factors[0], divided);
        }
        // t·u of a number t that depends on z.
        if !divided && self.program.nodes[a].op == Op::Broadcast {
            let number = known[self.program.nodes[a].operands[0]].as_ref()?;
            return number.times_size(&self.norms.as_column(by)?);
        }
        let factors = self.hull(by);
        let factors = if divided { factors.recip() } else { Some(factors) };
        match factors.map(|factors| factors.abs().high).filter(|bound| !bound.at.is_infinite()) {
            Some(bound) => own.times(&bound),
            // No element is larger than the norm of all.
            None if !divided => own.times_size(&self.norms.as_column(by)?),
            None => None,
        }
    }

    /// The smallest interval around the elements of a node.
    fn hull(&mut self, k: usize) -> Interval {
        let Norms { map, elements, .. } = &mut self.norms;
        let ranges = elements[k].iter().map(|id| map.ranges.of(&map.scalars, *id).interval);
        ranges.reduce(|a, b| a.hull(&b)).unwrap_or(Interval::of(0.0))
    }

    /// The largest absolute value of an element, for all z.
    fn largest(&mut self, k: usize) -> Option<End> {
        let bound = self.hull(k).abs().high;
        // It may be approached as z moves: strict for each z is not strict for all.
        (!bound.at.is_infinite()).then(|| End::closed(bound.at))
    }

    /// The largest slope of a function of one number on the interval around the elements of its operand.
    fn steepest(&mut self, function: Function, a: usize) -> Option<End> {
        let within = self.hull(a);
        self.norms.map.steepest(function, within)
    }

    /// The Lipschitz constant of x - z by the intervals of its partial derivatives: the smaller of the Frobenius norm and
    /// √(‖·‖₁·‖·‖_∞) of their largest absolute values.
    fn by_slopes(&mut self) -> Checked<End> {
        let map = &mut self.norms.map;
        let (inputs, outputs) = (map.inputs.clone(), map.outputs.clone());
        let mut entries = Vec::new();
        for (i, output) in outputs.iter().enumerate() {
            if !map.ranges.of(&map.scalars, *output).defined {
                return reject(format!("output {i} cannot be shown to be defined everywhere"));
            }
            if jumps(&map.scalars, &mut map.ranges, *output, |_| true) {
                return reject(format!("output {i} may jump"));
            }
            for (j, input) in inputs.iter().enumerate() {
                let zero = map.scalars.number(0.0);
                let found = slope(&mut map.scalars, *output, *input, |_| false)?.unwrap_or(zero);
                let range = map.ranges.of(&map.scalars, found);
                if !range.defined {
                    return Err(unbounded());
                }
                let own = Interval::of(if i == j { 1.0 } else { 0.0 });
                // Strict for each z is not strict for all.
                entries.push(End::closed(range.interval.sub(&own).abs().high.at));
            }
        }
        Norms::of_intervals(&entries, inputs.len()).ok_or_else(unbounded)
    }
}

/// √n
fn root(n: usize) -> End {
    Interval::of(n as f64).sqrt().high
}

fn most_often(indices: &[usize]) -> usize {
    let mut sorted = indices.to_vec();
    sorted.sort_unstable();
    sorted.chunk_by(|a, b| a == b).map(<[usize]>::len).max().unwrap_or(0)
}

fn unbounded() -> Rejection {
    Rejection::new("no Lipschitz constant of g is found for all parameters")
}
