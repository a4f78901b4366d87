//! Sums whose terms are products: common factors, and the slope of a quotient.
//!
//! The derivative of N/D comes off the tape as N'·D⁻¹ - N·D'·D⁻². Brought to one denominator and multiplied
//! out, most of the numerator cancels; what is left of a rational-quadratic spline is a sum of positive terms,
//! which loses no digits in flat or steep bins. Only what depends on the quotient is multiplied out. Two *parts* of a
//! whole are kept as letters of their own, because powers of one alone would alternate in sign: b = 1 - a beside a,
//! with a + b = 1, and q - z beside z - p, with (z - p) + (q - z) = q - p.

use std::collections::{BTreeMap, HashSet};

use indexmap::IndexMap;

use super::exact::{exact_product, exact_sum};
use super::factors::Factors;
use super::terms::Terms;
use super::{Rule, Simplifier};
use crate::tape::{Binary, Node, NodeId, Op, Shape, Unary};

/// How many monomials a numerator may have while it is multiplied out.
const MOST: usize = 256;

/// Atoms with exponents, in order.
type Monomial = Vec<(NodeId, i32)>;

/// A polynomial in atoms that may have negative exponents too.
type Polynomial = BTreeMap<Monomial, f64>;

/// Two letters a and b with a known sum.
struct Parts {
    a: NodeId,
    b: NodeId,
    /// a + b; 1 if it is no node.
    whole: Option<NodeId>,
}

impl<'t> Simplifier<'t> {
    /// A sum as a product of factors with exponents, if it is one; factors that are numbers come as nodes.
    pub(super) fn factored(&mut self, id: NodeId) -> Option<Vec<(NodeId, i32)>> {
        let terms = self.terms(id, &|other| other == id || self.small(other), &|id| id, 64)?;
        if terms.list().len() + terms.constants.len() < 2 {
            // It collapsed: a multiple of one thing, or a number.
            let value = self.emit_terms(&terms);
            self.step(Rule::SumCollect);
            return (value.id() != id).then(|| vec![(value.id(), 1)]);
        }
        let mut products: Vec<(f64, Factors)> = Vec::new();
        for (base, coefficient) in terms.list() {
            products.push((coefficient, self.factors(base, &|other| self.small(other), &|id| id, 64)?));
        }
        let shape = terms.shape;
        let empty = |value: f64| {
            let one = self.tape.constant(1.0).broadcast(shape).id();
            Some((value, self.factors(one, &|_| false, &|id| id, 2)?))
        };
        for value in &terms.constants {
            products.push(empty(*value)?);
        }
        let exponents: Vec<IndexMap<NodeId, i32>> = products.iter().map(|(_, f)| self.atoms(f)).collect();
        let whole = common(&exponents);
        // Where nothing cancels a common denominator only makes large what is small, (1 + z²)/z² of 1 + 1/z²; unless the
        // numerator becomes one term, as of 1/z + 1/(1 - z).
        if self.of_one_sign(&terms) {
            let mut least = whole.clone();
            least.retain_mut(|(id, e)| {
                let all = exponents.iter().map(|product| product.get(id).copied().unwrap_or(0));
                *e = if all.clone().all(|e| e < 0) { all.max().unwrap_or(0) } else { (*e).max(0) };
                *e != 0
            });
            if least != whole {
                let all = self.over_common(id, products.clone(), &exponents, whole, true);
                return all.or_else(|| self.over_common(id, products, &exponents, least, false));
            }
        }
        // Beside a number, 1 + a/v, too: a/v is small where v is large. Of 1 + t/√(t² + k) there is better to be found.
        let root = |(id, e): &(NodeId, i32)| *e < 0 && self.tape.argument(*id, Unary::Sqrt).is_some();
        let single = !terms.constants.is_empty() && !whole.iter().any(root);
        self.over_common(id, products, &exponents, whole, single)
    }

    /// A sum of products as these common factors and what is left; only if that is one term, if it has to be.
    fn over_common(
        &mut self,
        id: NodeId,
        mut products: Vec<(f64, Factors)>,
        exponents: &[IndexMap<NodeId, i32>],
        common: Vec<(NodeId, i32)>,
        single: bool,
    ) -> Option<Vec<(NodeId, i32)>> {
        if common.is_empty() {
            return None;
        }
        let shape = self.tape.shape(id);
        let below = |(id, e): &&(NodeId, i32)| *e < 0 && self.tape.argument(*id, Unary::Exp).is_none();
        let denominators: Vec<NodeId> = common.iter().filter(below).map(|(id, _)| *id).collect();
        let quotient = !denominators.is_empty();
        for (product, atoms) in products.iter_mut().zip(exponents) {
            product.1.parts = atoms.clone();
            common.iter().for_each(|(id, e)| *product.1.parts.entry(*id).or_insert(0) -= e);
        }
        let mut parts = self.parts(&products, &denominators);
        let opened = if quotient { Some(denominators.as_slice()) } else { None };
        let mut sum = self.polynomial(&products, opened, &parts)?;
        if quotient && mixed(&sum) {
            // Of differences as letters no sum of positive terms has come; opened, they may cancel.
            parts.retain(|parts| parts.whole.is_none());
            sum = self.polynomial(&products, opened, &parts)?;
        }
        let mut factors: Vec<(NodeId, i32)> = common;
        factors.extend(take_common(&mut sum));
        for Parts { a, b, whole } in &parts {
            while let Some(smaller) = divided(&sum, *a, *b) {
                sum = smaller;
                factors.extend(whole.map(|whole| (whole, 1)));
            }
        }
        if single && sum.len() > 1 {
            return None;
        }
        // A numerator that mixes signs may lose digits in other places than the original did.
        if quotient && mixed(&sum) && sum.len() > 2 {
            return None;
        }
        self.applied(if quotient { Rule::QuotientRule } else { Rule::CommonFactor }, id);
        let numerator = self.emit_polynomial(&sum, &parts, shape);
        if numerator == id {
            return None;
        }
        if self.number(numerator).is_none_or(|number| number.abs() != 1.0) {
            factors.push((numerator, 1));
        }
        factors.retain(|(_, exponent)| *exponent != 0);
        Some(factors)
    }

    /// Σ of products as one polynomial. Their factors are letters, unless they are to be multiplied out down to these
    /// denominators.
    fn polynomial(
        &self,
        products: &[(f64, Factors)],
        denominators: Option<&[NodeId]>,
        parts: &[Parts],
    ) -> Option<Polynomial> {
        let mut sum = Polynomial::new();
        for (coefficient, factors) in products {
            let mut product = Polynomial::from([(Monomial::new(), *coefficient)]);
            for value in &factors.constants {
                // What cannot be folded exactly is a letter.
                let constant = || letter(self.tape.constant(*value).broadcast(factors.shape).id(), 1);
                product = match scaled(product.clone(), *value) {
                    Some(product) => product,
                    None => multiplied(&product, &constant())?,
                };
            }
            for value in &factors.divisors {
                let constant = self.tape.constant(*value).broadcast(factors.shape);
                product = multiplied(&product, &letter(constant.id(), -1))?;
            }
            for (id, exponent) in factors.parts.iter().filter(|(_, exponent)| **exponent != 0) {
                match denominators.filter(|_| *exponent > 0) {
                    Some(denominators) => {
                        let factor = self.expanded(*id, denominators, parts)?;
                        for _ in 0..*exponent {
                            product = multiplied(&product, &factor)?;
                        }
                    }
                    None => product = multiplied(&product, &letter(*id, *exponent))?,
                }
            }
            for (monomial, coefficient) in product {
                add(&mut sum, monomial, coefficient)?;
            }
        }
        Some(sum)
    }

    /// The factors of a product by node; exponentials are letters like all others.
    fn atoms(&self, factors: &Factors) -> IndexMap<NodeId, i32> {
        let mut atoms = factors.parts.clone();
        for (argument, exponent) in &factors.exponents {
            *atoms.entry(self.tape.var(*argument).exp().id()).or_insert(0) += exponent;
        }
        atoms
    }

    /// e⁻ᵃ rather than 1/eᵃ.
    fn raised(&self, id: NodeId, exponent: i32) -> (NodeId, i32) {
        let argument = self.tape.argument(id, Unary::Exp);
        match argument {
            Some(a) if exponent < 0 => (self.negated(a).exp().id(), -exponent),
            _ => (id, exponent),
        }
    }

    /// Whether all terms of a sum are above 0, or all below.
    fn of_one_sign(&self, terms: &Terms) -> bool {
        let signs = terms.list().into_iter().map(|(id, c)| match self.bounds.of(id) {
            bound if bound.is_nonnegative() => c,
            bound if bound.is_nonpositive() => -c,
            _ => f64::NAN,
        });
        let signs: Vec<f64> = signs.chain(terms.constants.iter().copied()).collect();
        signs.iter().all(|c| *c > 0.0) || signs.iter().all(|c| *c < 0.0)
    }

    /// The letters with known sums in what these products are multiplied out to.
    fn parts(&self, products: &[(f64, Factors)], denominators: &[NodeId]) -> Vec<Parts> {
        let mut differences = Vec::new();
        let mut seen = HashSet::new();
        let atoms = products.iter().flat_map(|(_, factors)| &factors.parts);
        let mut stack: Vec<NodeId> =
            atoms.filter(|(_, exponent)| **exponent > 0).map(|(id, _)| *id).collect();
        while let Some(id) = stack.pop() {
            if !seen.insert(id) || seen.len() > 4 * MOST {
                continue;
            }
            let node = self.tape.node(id);
            // What derivatives take from one another is no part of anything.
            if node.op == Op::Binary(Binary::Sub) && id.index() < self.first {
                differences.push((id, node.operands[0], node.operands[1]));
            }
            if self.opens(id, &node, denominators) {
                stack.extend(node.operands);
            }
        }
        differences.sort_unstable();
        let mut parts = Vec::new();
        for (b, over, under) in &differences {
            // q - z, beside z - p.
            let partner = differences.iter().find(|(a, z, p)| a != b && z == under && p != over);
            if let Some((a, _, p)) = partner {
                let whole = self.tape.var(*over) - self.tape.var(*p);
                parts.push(Parts { a: *a, b: *b, whole: Some(whole.id()) });
            } else if self.number(*over) == Some(1.0) {
                parts.push(Parts { a: *under, b: *b, whole: None });
            }
        }
        parts
    }

    /// Whether a node is multiplied out. A quotient that the user wrote is not, unless its denominator is one of these.
    fn opens(&self, id: NodeId, node: &Node, denominators: &[NodeId]) -> bool {
        match node.op {
            Op::Binary(Binary::Add | Binary::Sub | Binary::Mul) | Op::Unary(Unary::Neg) => true,
            Op::Unary(Unary::Powi(k)) => (1..=8).contains(&k),
            Op::Binary(Binary::Div) => id.index() >= self.first || denominators.contains(&node.operands[1]),
            _ => false,
        }
    }

    /// A node multiplied out, down to letters.
    fn expanded(&self, id: NodeId, denominators: &[NodeId], parts: &[Parts]) -> Option<Polynomial> {
        // Post-order without recursion: a node is combined when its operands are known.
        let mut known: IndexMap<NodeId, Polynomial> = IndexMap::new();
        let mut stack = vec![(id, false)];
        while let Some((id, ready)) = stack.pop() {
            if known.contains_key(&id) {
                continue;
            }
            let node = self.tape.node(id);
            let part = parts.iter().any(|parts| parts.b == id || (parts.a == id && parts.whole.is_some()));
            let opens = !part && self.opens(id, &node, denominators);
            if let Some(number) = self.number(id) {
                let mut constant = Polynomial::new();
                if number != 0.0 {
                    constant.insert(Monomial::new(), number);
                }
                known.insert(id, constant);
                continue;
            }
            if !opens {
                let polynomial = match node.op {
                    Op::Unary(Unary::Recip) => letter(node.operands[0], -1),
                    // As in `atoms`: e⁻ᵃ is 1/eᵃ.
                    Op::Unary(Unary::Exp) => match self.tape.argument(node.operands[0], Unary::Neg) {
                        Some(inner) => letter(self.tape.var(inner).exp().id(), -1),
                        None => letter(id, 1),
                    },
                    _ => letter(id, 1),
                };
                known.insert(id, polynomial);
                continue;
            }
            if !ready {
                stack.push((id, true));
                stack.extend(node.operands.iter().map(|operand| (*operand, false)));
                continue;
            }
            let of = |k: usize| &known[&node.operands[k]];
            let polynomial = match node.op {
                Op::Unary(Unary::Neg) => scaled(of(0).clone(), -1.0)?,
                Op::Binary(Binary::Mul) => multiplied(of(0), of(1))?,
                Op::Binary(Binary::Div) => multiplied(of(0), &letter(node.operands[1], -1))?,
                Op::Unary(Unary::Powi(k)) => {
                    let mut power = of(0).clone();
                    for _ in 1..k {
                        power = multiplied(&power, of(0))?;
                    }
                    power
                }
                _ => {
                    let mut sum = of(0).clone();
                    let sign = if node.op == Op::Binary(Binary::Sub) { -1.0 } else { 1.0 };
                    for (monomial, coefficient) in of(1) {
                        add(&mut sum, monomial.clone(), sign * coefficient)?;
                    }
                    sum
                }
            };
            known.insert(id, polynomial);
        }
        known.swap_remove(&id)
    }

    /// Σ of monomials as a node: numbers and parameters first in each, so that a², a·b and b² stay together.
    fn emit_polynomial(&mut self, sum: &Polynomial, parts: &[Parts], shape: Shape) -> NodeId {
        let mut terms = Terms::new(shape);
        for (monomial, coefficient) in sum {
            if monomial.is_empty() {
                terms.add_constant(*coefficient);
                continue;
            }
            let mut factors: Monomial = monomial.iter().map(|(id, e)| self.raised(*id, *e)).collect();
            factors.sort_by_cached_key(|(id, _)| self.keys.of(*id));
            let part = |id: NodeId| parts.iter().any(|parts| parts.a == id || parts.b == id);
            let (units, others): (Vec<_>, Vec<_>) = factors.into_iter().partition(|(id, _)| part(*id));
            let product = |list: &[(NodeId, i32)]| {
                let over = list.iter().filter(|(_, e)| *e > 0).map(|(id, e)| self.power(*id, *e));
                let under = list.iter().filter(|(_, e)| *e < 0).map(|(id, e)| self.power(*id, -e));
                (over.reduce(|a, b| a * b), under.reduce(|a, b| a * b))
            };
            let (units, _) = product(&units);
            let (over, under) = product(&others);
            let over = match (over, units) {
                (Some(over), Some(units)) => Some(over * units),
                (one, other) => one.or(other),
            };
            let value = match (over, under) {
                (Some(over), Some(under)) => over / under,
                (Some(over), None) => over,
                (None, Some(under)) => under.recip(),
                (None, None) => self.tape.constant(1.0).broadcast(shape),
            };
            terms.add(value.id(), *coefficient);
        }
        self.emit_terms(&terms).id()
    }
}

fn letter(id: NodeId, exponent: i32) -> Polynomial {
    Polynomial::from([(vec![(id, exponent)], 1.0)])
}

/// The least exponent of each atom over all products; 0 where one lacks it.
fn common(products: &[IndexMap<NodeId, i32>]) -> Vec<(NodeId, i32)> {
    let mut all: Vec<NodeId> = products.iter().flat_map(|product| product.keys().copied()).collect();
    all.sort_unstable();
    all.dedup();
    let least = |id: &NodeId| products.iter().map(|p| p.get(id).copied().unwrap_or(0)).min().unwrap_or(0);
    all.into_iter().map(|id| (id, least(&id))).filter(|(_, exponent)| *exponent != 0).collect()
}

/// Takes the common monomial out of a polynomial.
fn take_common(sum: &mut Polynomial) -> Vec<(NodeId, i32)> {
    let maps: Vec<IndexMap<NodeId, i32>> = sum.keys().map(|m| m.iter().copied().collect()).collect();
    let common = common(&maps);
    if !common.is_empty() {
        let divided = std::mem::take(sum).into_iter().map(|(monomial, coefficient)| {
            let mut exponents: BTreeMap<NodeId, i32> = monomial.into_iter().collect();
            common.iter().for_each(|(id, e)| *exponents.entry(*id).or_insert(0) -= e);
            (exponents.into_iter().filter(|(_, e)| *e != 0).collect(), coefficient)
        });
        *sum = divided.collect();
    }
    common
}

/// Whether there are positive and negative terms.
fn mixed(sum: &Polynomial) -> bool {
    sum.values().any(|c| *c > 0.0) && sum.values().any(|c| *c < 0.0)
}

fn scaled(polynomial: Polynomial, by: f64) -> Option<Polynomial> {
    polynomial.into_iter().map(|(monomial, c)| Some((monomial, exact_product(c, by)?))).collect()
}

fn add(sum: &mut Polynomial, monomial: Monomial, coefficient: f64) -> Option<()> {
    let known = sum.remove(&monomial).unwrap_or(0.0);
    let total = exact_sum(known, coefficient)?;
    if total != 0.0 {
        sum.insert(monomial, total);
    }
    (sum.len() <= MOST).then_some(())
}

fn multiplied(a: &Polynomial, b: &Polynomial) -> Option<Polynomial> {
    let mut product = Polynomial::new();
    for (left, c) in a {
        for (right, d) in b {
            let mut exponents: BTreeMap<NodeId, i32> = left.iter().copied().collect();
            right.iter().for_each(|(id, e)| *exponents.entry(*id).or_insert(0) += e);
            let monomial = exponents.into_iter().filter(|(_, e)| *e != 0).collect();
            add(&mut product, monomial, exact_product(*c, *d)?)?;
        }
    }
    Some(product)
}

/// The quotient by a + b, if there is no remainder: as polynomials in a, highest power first.
fn divided(sum: &Polynomial, a: NodeId, b: NodeId) -> Option<Polynomial> {
    let exponent = |monomial: &Monomial, id: NodeId| {
        monomial.iter().find(|(other, _)| *other == id).map_or(0, |(_, exponent)| *exponent)
    };
    let raised = |monomial: &Monomial, id: NodeId, by: i32| -> Monomial {
        let mut exponents: BTreeMap<NodeId, i32> = monomial.iter().copied().collect();
        *exponents.entry(id).or_insert(0) += by;
        exponents.into_iter().filter(|(_, e)| *e != 0).collect()
    };
    if sum.is_empty() || sum.keys().any(|m| exponent(m, a) < 0 || exponent(m, b) < 0) {
        return None;
    }
    let mut rest = sum.clone();
    let mut quotient = Polynomial::new();
    while let Some((monomial, coefficient)) =
        rest.iter().max_by_key(|(monomial, _)| exponent(monomial, a)).map(|(m, c)| (m.clone(), *c))
    {
        if exponent(&monomial, a) == 0 {
            return None;
        }
        let term = raised(&monomial, a, -1);
        rest.remove(&monomial);
        add(&mut rest, raised(&term, b, 1), -coefficient)?;
        add(&mut quotient, term, coefficient)?;
    }
    Some(quotient)
}
