//! Sums whose terms are products: common factors, and the slope of a quotient.
//!
//! The derivative of N/D comes off the tape as N'·D⁻¹ - N·D'·D⁻². Brought to one denominator and multiplied
//! out, most of the numerator cancels; what is left of a rational-quadratic spline is a sum of positive terms,
//! which loses no digits in flat or steep bins. Only what depends on the quotient is multiplied out, and
//! b = 1 - a is kept as a letter of its own with a + b = 1, because powers of a alone would alternate in sign.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::normal::{Factors, exact_product, exact_sum};
use super::{Rule, Simplifier};
use crate::tape::{NodeId, Op};

/// How many monomials a numerator may have while it is multiplied out.
const MOST: usize = 256;

/// Atoms with exponents, in order.
type Monomial = Vec<(NodeId, i32)>;

/// A polynomial in atoms that may have negative exponents too.
type Polynomial = BTreeMap<Monomial, f64>;

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
        let common = common(&exponents);
        if common.is_empty() {
            return None;
        }
        let quotient = common.iter().any(|(_, exponent)| *exponent < 0);
        let mut sum = Polynomial::new();
        let denominators: Vec<NodeId> = common.iter().filter(|(_, e)| *e < 0).map(|(id, _)| *id).collect();
        for ((coefficient, factors), atoms) in products.iter().zip(&exponents) {
            let mut product = Polynomial::from([(Monomial::new(), *coefficient)]);
            for value in &factors.constants {
                product = scaled(product, *value)?;
            }
            let mut rest = atoms.clone();
            common.iter().for_each(|(id, e)| *rest.entry(*id).or_insert(0) -= e);
            for (id, exponent) in rest.into_iter().filter(|(_, exponent)| *exponent != 0) {
                let factor = match quotient && exponent > 0 {
                    true => self.expanded(id, &denominators)?,
                    false => letter(id, exponent),
                };
                let times = if quotient && exponent > 0 { exponent } else { 1 };
                for _ in 0..times {
                    product = multiplied(&product, &factor)?;
                }
            }
            for (monomial, coefficient) in product {
                add(&mut sum, monomial, coefficient)?;
            }
        }
        let mut factors: Vec<(NodeId, i32)> = common;
        factors.extend(take_common(&mut sum));
        self.divide_by_units(&mut sum);
        // A numerator that mixes signs may lose digits in other places than the original did.
        let signs = sum.values().all(|c| *c > 0.0) || sum.values().all(|c| *c < 0.0);
        if quotient && !signs && sum.len() > 2 {
            return None;
        }
        self.applied(if quotient { Rule::QuotientRule } else { Rule::CommonFactor }, id);
        let numerator = self.emit_polynomial(&sum, shape);
        if numerator == id {
            return None;
        }
        if self.number(numerator).is_none_or(|number| number.abs() != 1.0) {
            factors.push((numerator, 1));
        }
        factors.retain(|(_, exponent)| *exponent != 0);
        Some(factors)
    }

    /// The factors of a product by node; exponentials are letters like all others.
    fn atoms(&self, factors: &Factors) -> IndexMap<NodeId, i32> {
        let mut atoms = factors.parts.clone();
        for (argument, exponent) in &factors.exponents {
            *atoms.entry(self.tape.var(*argument).exp().id()).or_insert(0) += exponent;
        }
        atoms
    }

    /// A node multiplied out, down to letters. A quotient that the user wrote is a letter, unless its
    /// denominator is one of these.
    fn expanded(&self, id: NodeId, denominators: &[NodeId]) -> Option<Polynomial> {
        // Post-order without recursion: a node is combined when its operands are known.
        let mut known: IndexMap<NodeId, Polynomial> = IndexMap::new();
        let mut stack = vec![(id, false)];
        while let Some((id, ready)) = stack.pop() {
            if known.contains_key(&id) {
                continue;
            }
            let node = self.tape.node(id);
            let opens = match node.op {
                Op::Add | Op::Mul | Op::Neg => true,
                Op::Sub => self.complement(id).is_none(),
                Op::Powi(k) => (1..=8).contains(&k),
                Op::Div => id.index() >= self.first || denominators.contains(&node.operands[1]),
                _ => false,
            };
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
                    Op::Recip => letter(node.operands[0], -1),
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
                Op::Neg => scaled(of(0).clone(), -1.0)?,
                Op::Mul => multiplied(of(0), of(1))?,
                Op::Div => multiplied(of(0), &letter(node.operands[1], -1))?,
                Op::Powi(k) => {
                    let mut power = of(0).clone();
                    for _ in 1..k {
                        power = multiplied(&power, of(0))?;
                    }
                    power
                }
                _ => {
                    let mut sum = of(0).clone();
                    let sign = if node.op == Op::Sub { -1.0 } else { 1.0 };
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

    /// a, where the node is 1 - a.
    fn complement(&self, id: NodeId) -> Option<NodeId> {
        let node = self.tape.node(id);
        (node.op == Op::Sub && self.number(node.operands[0]) == Some(1.0)).then(|| node.operands[1])
    }

    /// Divides by a + b = 1, for b = 1 - a, as often as it goes without a remainder.
    fn divide_by_units(&self, sum: &mut Polynomial) {
        let letters: Vec<NodeId> = {
            let mut letters: Vec<NodeId> = sum.keys().flatten().map(|(id, _)| *id).collect();
            letters.sort_unstable();
            letters.dedup();
            letters
        };
        for b in &letters {
            let Some(a) = self.complement(*b) else { continue };
            while let Some(quotient) = divided(sum, a, *b) {
                *sum = quotient;
            }
        }
    }

    /// Σ of monomials as a node: numbers and parameters first in each, so that a², a·b and b² stay together.
    fn emit_polynomial(&mut self, sum: &Polynomial, shape: crate::tape::Shape) -> NodeId {
        let mut terms = super::normal::Terms::new(shape);
        for (monomial, coefficient) in sum {
            if monomial.is_empty() {
                terms.add_constant(*coefficient);
                continue;
            }
            let mut factors = monomial.clone();
            factors.sort_by_cached_key(|(id, _)| self.keys.of(*id));
            let unit = |id: NodeId| {
                self.complement(id).is_some()
                    || monomial.iter().any(|(b, _)| self.complement(*b) == Some(id))
                    || sum.keys().flatten().any(|(b, _)| self.complement(*b) == Some(id))
            };
            let (units, others): (Vec<_>, Vec<_>) = factors.into_iter().partition(|(id, _)| unit(*id));
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
