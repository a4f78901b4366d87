//! Sums that cancel, as products that do not.
//!
//! 1 - σ(a) is 0 in f64 from a = 37 on, and its logarithm -∞; σ(-a) is the same number and keeps all digits. A sum is
//! written as products of *letters* (nodes that are not opened further) and one exponential each. Two products whose
//! quotient is a function that is known beside 1 become one:
//!
//! p - p·σ(a) = p·σ(-a),  p ± p·tanh a = 2p·σ(±2a),  p - p·tanh² a = p·sech² a,  p + p·eᵃ = p/σ(-a),  p - p·eᵃ = -p·expm1(a)
//!
//! p is anything: a constant factor, the stick that is left in stick-breaking, a conditioner's scale. What is left in the
//! end is one product, whose logarithm is a sum, or a shorter sum.

use std::collections::BTreeMap;

use super::normal::{Factors, Terms, exact_product, exact_sum};
use super::{Rule, Simplifier};
use crate::tape::{Node, NodeId, Op, Shape, Var};

/// How many products a sum may have to be looked into.
const MOST: usize = 12;
/// How deeply sums may stand in products of sums.
const DEEPEST: usize = 6;

/// c·Π letterᵉ·exp(exponent).
#[derive(Clone, Debug)]
struct Product {
    c: f64,
    letters: BTreeMap<NodeId, i32>,
    exponent: Terms,
}

impl Product {
    fn one(shape: Shape) -> Product {
        Product { c: 1.0, letters: BTreeMap::new(), exponent: Terms::new(shape) }
    }

    fn letter(&mut self, id: NodeId, exponent: i32) -> Option<()> {
        let entry = self.letters.entry(id).or_insert(0);
        *entry = entry.checked_add(exponent)?;
        if *entry == 0 {
            self.letters.remove(&id);
        }
        Some(())
    }

    fn times(&mut self, other: &Product, power: i32) -> Option<()> {
        let c = match power {
            1 => other.c,
            _ if other.c.abs() == 1.0 => if power % 2 == 0 { 1.0 } else { other.c },
            -1 if is_power_of_two(other.c) => 1.0 / other.c,
            _ => return None,
        };
        self.c = exact_product(self.c, c)?;
        for (id, exponent) in &other.letters {
            self.letter(*id, exponent.checked_mul(power)?)?;
        }
        self.exponent = self.exponent.plus(&other.exponent, f64::from(power))?;
        Some(())
    }

    /// self = ±other, or nothing.
    fn like(&self, other: &Product) -> bool {
        let same = || self.exponent.plus(&other.exponent, -1.0).is_some_and(|rest| rest.is_zero());
        self.letters == other.letters && same()
    }
}

fn is_power_of_two(c: f64) -> bool {
    c.is_normal() && c.to_bits() << 12 == 0
}

/// A number with few digits: products of such are exact, so they are kept apart from the others.
fn is_short(c: f64) -> bool {
    let scaled = c * 1024.0;
    scaled.fract() == 0.0 && scaled.abs() < f64::from(1 << 20)
}

impl<'t> Simplifier<'t> {
    /// A sum as factors with exponents, if it is one product once what cancels in it is written as what does not.
    ///
    /// The rules that were used are noted.
    pub(super) fn stable(&mut self, id: NodeId) -> Option<Vec<(NodeId, i32)>> {
        let mut used = Vec::new();
        let product = self.unmixed(id, DEEPEST, &mut used)?;
        let rule = *used.first()?;
        used.iter().for_each(|rule| self.step(*rule));
        self.applied(rule, id);
        let shape = self.tape.shape(id);
        let mut factors: Vec<(NodeId, i32)> = product.letters.iter().map(|(id, e)| (*id, *e)).collect();
        if !product.exponent.is_zero() {
            factors.push((self.emit_terms(&product.exponent).exp().id(), 1));
        }
        if product.c.abs() != 1.0 {
            factors.push((self.tape.constant(product.c).broadcast(shape).id(), 1));
        }
        Some(factors)
    }

    /// The sum as one product; `None` if nothing in it cancels, or nothing is known of it.
    fn unmixed(&mut self, id: NodeId, depth: usize, used: &mut Vec<Rule>) -> Option<Product> {
        let depth = depth.checked_sub(1)?;
        let mut sum = self.products(id, depth, used)?;
        let (before, steps) = (sum.len(), used.len());
        loop {
            collect(&mut sum)?;
            if sum.len() == 1 {
                return (before > 1 || used.len() > steps).then(|| sum.swap_remove(0));
            }
            if sum.is_empty() || sum.len() > MOST {
                return None;
            }
            let pairs = (0..sum.len()).flat_map(|i| (0..sum.len()).map(move |j| (i, j)));
            let found = pairs.filter(|(i, j)| i != j).find_map(|(i, j)| {
                let (product, rule) = self.combined(&sum[i], &sum[j])?;
                Some((i, j, product, rule))
            });
            if let Some((i, j, product, rule)) = found {
                used.push(rule);
                sum.remove(i.max(j));
                sum.remove(i.min(j));
                sum.push(product);
                continue;
            }
            // A sum that stands alone among the others is one of them.
            let lone = |product: &Product| {
                let (id, exponent) = product.letters.iter().next()?;
                let alone = product.letters.len() == 1 && *exponent == 1 && product.exponent.is_zero();
                (alone && self.is_sum(*id)).then_some(*id)
            };
            let Some((k, inner)) = sum.iter().enumerate().find_map(|(k, product)| Some((k, lone(product)?))) else {
                break;
            };
            let c = sum.remove(k).c;
            for mut product in self.products(inner, depth, used)? {
                product.c = exact_product(product.c, c)?;
                sum.push(product);
            }
            if sum.len() > MOST {
                return None;
            }
        }
        if let Some(root) = self.beside_root(&sum) {
            used.push(Rule::AsinhRoot);
            return Some(root);
        }
        // A shorter sum, or one whose terms share a number.
        let mut product = self.shared(&mut sum, self.tape.shape(id))?;
        let number = product.c.abs() != 1.0 || !product.letters.is_empty();
        if sum.len() >= before && !number {
            return None;
        }
        if number {
            used.push(Rule::CommonFactor);
        }
        let rest = self.emit_products(&sum, self.tape.shape(id)).id();
        product.letter(rest, 1)?;
        Some(product)
    }

    fn is_sum(&self, id: NodeId) -> bool {
        self.tape.look(id, |node| matches!(node.op, Op::Add | Op::Sub)) && self.small(id)
    }

    /// The terms of a sum, each as a product.
    fn products(&mut self, id: NodeId, depth: usize, used: &mut Vec<Rule>) -> Option<Vec<Product>> {
        let shape = self.tape.shape(id);
        let terms = self.terms(id, &|other| other == id || self.small(other), &|id| id, 64)?;
        let list = terms.list();
        if list.len() + terms.constants.len() > MOST {
            return None;
        }
        let mut products = Vec::new();
        for value in &terms.constants {
            let mut product = Product::one(shape);
            self.number_factor(&mut product, *value, shape)?;
            products.push(product);
        }
        for (base, coefficient) in list {
            let mut product = Product::one(shape);
            self.number_factor(&mut product, coefficient, shape)?;
            self.factor(&mut product, base, 1, depth, used)?;
            products.push(product);
        }
        Some(products)
    }

    /// A number: a coefficient if it is short, and else its size is a letter.
    fn number_factor(&self, product: &mut Product, value: f64, shape: Shape) -> Option<()> {
        let (c, size) = if is_short(value) { (value, 1.0) } else { (value.signum(), value.abs()) };
        product.c = exact_product(product.c, c)?;
        match size {
            1.0 => Some(()),
            _ => product.letter(self.tape.constant(size).broadcast(shape).id(), 1),
        }
    }

    /// Multiplies a product by a node to a power, opened down to letters.
    fn factor(&mut self, product: &mut Product, id: NodeId, power: i32, depth: usize, used: &mut Vec<Rule>) -> Option<()> {
        let Factors { shape, constants, divisors, parts, exponents, .. } =
            self.factors(id, &|other| self.small(other), &|id| id, 64)?;
        let mut opened = Product::one(shape);
        for value in constants {
            self.number_factor(&mut opened, value, shape)?;
        }
        for value in divisors {
            let mut below = Product::one(shape);
            self.number_factor(&mut below, value, shape)?;
            if below.c.abs() != 1.0 && !is_power_of_two(below.c) {
                let size = self.tape.constant(below.c.abs()).broadcast(shape).id();
                below.c = below.c.signum();
                below.letter(size, 1)?;
            }
            opened.times(&below, -1)?;
        }
        for (argument, exponent) in exponents {
            self.exponential_factor(&mut opened, argument, exponent, used)?;
        }
        for (base, exponent) in parts {
            self.letter_factor(&mut opened, base, exponent, depth, used)?;
        }
        product.times(&opened, power)
    }

    /// e^(k·a): softplus in the exponent is a probability.
    fn exponential_factor(&mut self, product: &mut Product, a: NodeId, k: i32, used: &mut Vec<Rule>) -> Option<()> {
        let mut terms = self.terms(a, &|other| self.small(other), &|id| id, 64)?;
        for (id, c) in terms.list() {
            let argument = self.tape.look(id, |node| (node.op == Op::Softplus).then(|| node.operands[0]));
            let Some(argument) = argument else { continue };
            if c.fract() == 0.0 && c.abs() < 64.0 && terms.parts.get(&id) == Some(&c) {
                // e^softplus(b) = 1 + eᵇ = 1/σ(-b)
                terms.parts.shift_remove(&id);
                let sigmoid = self.sigmoid_of_negative(argument);
                product.letter(sigmoid, k.checked_mul(-(c as i32))?)?;
                used.push(Rule::ExpSoftplus);
            }
        }
        product.exponent = product.exponent.plus(&terms, f64::from(k))?;
        Some(())
    }

    fn letter_factor(
        &mut self,
        product: &mut Product,
        id: NodeId,
        power: i32,
        depth: usize,
        used: &mut Vec<Rule>,
    ) -> Option<()> {
        let node = self.tape.node(id);
        match &node.op {
            Op::Add | Op::Sub if depth > 0 => {
                if let Some(inner) = self.unmixed(id, depth, used) {
                    if product.times(&inner, power).is_some() {
                        return Some(());
                    }
                }
                product.letter(id, power)
            }
            Op::Sigmoid => {
                let argument = self.plain(node.operands[0]);
                product.letter(self.tape.var(argument).sigmoid().id(), power)
            }
            Op::ExpM1 => match self.exp_m1(node.operands[0]) {
                Some(other) => self.factor(product, other.id(), power, depth.checked_sub(1)?, used),
                None => product.letter(id, power),
            },
            Op::Sqrt if power % 2 == 0 && self.bounds.of(node.operands[0]).is_nonnegative() => self.factor(product, node.operands[0], power / 2, depth.checked_sub(1)?, used),
            Op::Gather(indices) => match self.gathered(node.operands[0], indices, node.shape) {
                Some(inner) => self.factor(product, inner.id(), power, depth.checked_sub(1)?, used),
                None => product.letter(id, power),
            },
            // A number below a product.
            Op::Constant(_) | Op::Broadcast => match self.number(id) {
                Some(value) if value != 0.0 => {
                    if value < 0.0 && power % 2 != 0 {
                        product.c = -product.c;
                    }
                    product.letter(self.tape.constant(value.abs()).broadcast(node.shape).id(), power)
                }
                _ => product.letter(id, power),
            },
            _ => product.letter(id, power),
        }
    }

    /// An argument without a minus in front of all of it.
    fn plain(&mut self, a: NodeId) -> NodeId {
        if !self.tape.look(a, |node| node.op == Op::Neg) {
            return a;
        }
        match self.terms(a, &|other| self.small(other), &|id| id, 16) {
            Some(terms) => self.emit_terms(&terms).id(),
            None => a,
        }
    }

    /// σ(-a)
    fn sigmoid_of_negative(&mut self, a: NodeId) -> NodeId {
        let negative = self.negated(a).id();
        let plain = self.plain(negative);
        self.tape.var(plain).sigmoid().id()
    }

    /// p + q as one product, by what q/p is.
    fn combined(&mut self, p: &Product, q: &Product) -> Option<(Product, Rule)> {
        if p.c.abs() != q.c.abs() {
            return None;
        }
        let same = p.c == q.c;
        let mut ratio = q.clone();
        ratio.times(&Product { c: 1.0, ..p.clone() }, -1)?;
        let mut result = p.clone();
        if ratio.letters.is_empty() {
            // 1 ± eᵃ
            let a = self.emit_terms(&ratio.exponent).id();
            if same {
                let sigmoid = self.sigmoid_of_negative(a);
                result.letter(sigmoid, -1)?;
                return Some((result, Rule::OnePlusExp));
            }
            result.c = -result.c;
            result.letter(self.tape.var(a).exp_m1().id(), 1)?;
            return Some((result, Rule::OneMinusExp));
        }
        let probabilities = ratio.letters.keys().all(|id| self.operation(*id) == Op::Sigmoid);
        let single = match ratio.letters.iter().next() {
            Some((id, exponent)) if ratio.letters.len() == 1 && ratio.exponent.is_zero() => {
                Some((self.tape.node(*id), *exponent))
            }
            _ => None,
        };
        match single {
            Some((Node { op: Op::Sigmoid, operands, .. }, 1)) if !same => {
                let sigmoid = self.sigmoid_of_negative(operands[0]);
                result.letter(sigmoid, 1)?;
                Some((result, Rule::OneMinusSigmoid))
            }
            Some((Node { op: Op::Tanh, operands, .. }, 1)) => {
                let factor = if same { 2.0 } else { -2.0 };
                let twice = factor * self.tape.var(operands[0]);
                result.letter(twice.sigmoid().id(), 1)?;
                result.c = exact_product(result.c, 2.0)?;
                Some((result, Rule::OnePlusTanh))
            }
            Some((Node { op: Op::Tanh, operands, .. }, 2)) if !same => {
                // 4·σ(2a)·σ(-2a)
                let a = self.tape.var(operands[0]);
                result.letter((2.0 * a).sigmoid().id(), 1)?;
                result.letter((-2.0 * a).sigmoid().id(), 1)?;
                result.c = exact_product(result.c, 4.0)?;
                Some((result, Rule::OneMinusTanhSquare))
            }
            Some((Node { op: Op::ExpM1, operands, .. }, 1)) if same => {
                let terms = self.terms(operands[0], &|other| self.small(other), &|id| id, 64)?;
                result.exponent = result.exponent.plus(&terms, 1.0)?;
                Some((result, Rule::OnePlusExpM1))
            }
            Some((Node { op: Op::Pow | Op::Sqrt, operands, .. }, exponent @ (1 | -1))) if !same => {
                if !self.holds(Rule::PowerAsExp, self.bounds.of(operands[0]).is_positive()) {
                    return None;
                }
                let log = self.tape.var(operands[0]).ln();
                let power = match operands.get(1) {
                    Some(b) if self.number(*b).is_some() => self.tape.var(*b) * log,
                    Some(_) => return None,
                    None => 0.5 * log,
                };
                let power = if exponent == 1 { power } else { -power };
                result.letter(power.exp_m1().id(), 1)?;
                result.c = -result.c;
                Some((result, Rule::PowerAsExp))
            }
            // Of probabilities and exponentials q/p is an exponential.
            _ if same && probabilities => {
                let mut log = ratio.exponent.clone();
                for (id, exponent) in &ratio.letters {
                    let argument = self.tape.node(*id).operands[0];
                    let negative = self.negated(argument);
                    log.add(negative.softplus().id(), -f64::from(*exponent));
                }
                let log = self.pair_softplus(log);
                let log = self.emit_terms(&log).id();
                let sigmoid = self.sigmoid_of_negative(log);
                result.letter(sigmoid, -1)?;
                Some((result, Rule::OnePlusExp))
            }
            _ => None,
        }
    }

    fn operation(&self, id: NodeId) -> Op {
        self.tape.look(id, |node| node.op.clone())
    }

    /// t + √(t² + k) = √k·e^asinh(t/√k), for a number k > 0.
    fn beside_root(&mut self, sum: &[Product]) -> Option<Product> {
        let [first, second] = sum else { return None };
        if first.c != second.c {
            return None;
        }
        let root = |p: &Product, q: &Product| {
            let mut ratio = p.clone();
            let shared: Vec<(NodeId, i32)> = p
                .letters
                .iter()
                .filter(|(id, e)| q.letters.get(id) == Some(e))
                .map(|(id, e)| (*id, *e))
                .collect();
            shared.iter().for_each(|(id, _)| {
                ratio.letters.remove(id);
            });
            let (id, exponent) = ratio.letters.iter().next()?;
            let node = self.tape.node(*id);
            let alone = ratio.letters.len() == 1 && *exponent == 1 && node.op == Op::Sqrt;
            (alone && p.exponent.is_zero() && q.exponent.is_zero()).then(|| (node.operands[0], shared))
        };
        let (inside, shared, other) = match (root(first, second), root(second, first)) {
            (Some((inside, shared)), _) => (inside, shared, second),
            (_, Some((inside, shared))) => (inside, shared, first),
            _ => return None,
        };
        let mut rest: Vec<(NodeId, i32)> = other.letters.iter().map(|(id, e)| (*id, *e)).collect();
        rest.retain(|(id, e)| !shared.contains(&(*id, *e)));
        let [(t, 1)] = rest[..] else { return None };
        let under = self.terms(inside, &|other| self.small(other), &|id| id, 4)?;
        let list = under.list();
        let ([k], [(square, 1.0)]) = (under.constants.as_slice(), list.as_slice()) else { return None };
        let node = self.tape.node(*square);
        let is_square = match node.op {
            Op::Mul => node.operands[0] == t && node.operands[1] == t,
            Op::Powi(2) => node.operands[0] == t,
            _ => false,
        };
        if !is_square || !self.holds(Rule::AsinhRoot, *k > 0.0) {
            return None;
        }
        let shape = self.tape.shape(t);
        let mut product = Product::one(shape);
        product.c = first.c;
        shared.iter().try_for_each(|(id, e)| product.letter(*id, *e))?;
        let argument = if *k == 1.0 {
            self.tape.var(t)
        } else {
            let root = self.tape.constant(*k).sqrt().broadcast(shape);
            product.letter(root.id(), 1)?;
            self.tape.var(t) / root
        };
        product.exponent.add(argument.asinh().id(), 1.0);
        Some(product)
    }

    /// Takes out the number that all products of a sum share.
    fn shared(&self, sum: &mut [Product], shape: Shape) -> Option<Product> {
        let mut shared = Product::one(shape);
        let size = sum.first()?.c.abs();
        if sum.iter().all(|product| product.c.abs() == size) {
            shared.c = size;
            sum.iter_mut().for_each(|product| product.c = product.c.signum());
        }
        let numbers: Vec<(NodeId, i32)> = sum[0]
            .letters
            .iter()
            .filter(|(id, e)| self.number(**id).is_some() && sum.iter().all(|p| p.letters.get(id) == Some(e)))
            .map(|(id, e)| (*id, *e))
            .collect();
        for (id, exponent) in numbers {
            shared.letter(id, exponent)?;
            sum.iter_mut().for_each(|product| {
                product.letters.remove(&id);
            });
        }
        Some(shared)
    }

    /// Σ of products as a node.
    fn emit_products(&mut self, sum: &[Product], shape: Shape) -> Var<'t> {
        let mut terms = Terms::new(shape);
        for product in sum {
            if product.letters.is_empty() && product.exponent.is_zero() {
                terms.add_constant(product.c);
                continue;
            }
            let mut factors = Factors::new(shape);
            factors.parts.extend(product.letters.iter().map(|(id, e)| (*id, *e)));
            if !product.exponent.is_zero() {
                factors.parts.insert(self.emit_terms(&product.exponent).exp().id(), 1);
            }
            terms.add(self.emit_factors(&factors).id(), product.c);
        }
        self.emit_terms(&terms)
    }
}

/// Products that differ by a number only, added up.
fn collect(sum: &mut Vec<Product>) -> Option<()> {
    let mut collected: Vec<Product> = Vec::new();
    for product in sum.drain(..) {
        match collected.iter_mut().find(|known| known.like(&product)) {
            Some(known) => known.c = exact_sum(known.c, product.c)?,
            None => collected.push(product),
        }
    }
    collected.retain(|product| product.c != 0.0);
    *sum = collected;
    Some(())
}

