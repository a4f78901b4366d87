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
pub(super) struct Product {
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
            _ if other.c.abs() == 1.0 => {
                if power % 2 == 0 {
                    1.0
                } else {
                    other.c
                }
            }
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
        let rule = used.first().copied().unwrap_or(Rule::SumCollect);
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
        // Once for each sum: what is shared would be looked into again and again.
        if !self.unmixed.contains_key(&(id, depth)) {
            let mut own = Vec::new();
            let product = self.find_unmixed(id, depth, &mut own);
            self.unmixed.insert((id, depth), product.map(|product| (product, own)));
        }
        let (product, own) = self.unmixed[&(id, depth)].clone()?;
        used.extend(own);
        Some(product)
    }

    fn find_unmixed(&mut self, id: NodeId, depth: usize, used: &mut Vec<Rule>) -> Option<Product> {
        let mut sum = self.products(id, depth, used)?;
        let (before, steps) = (sum.len(), used.len());
        if before > 1 {
            sum = self.with_open_exp_m1(sum)?;
        }
        loop {
            collect(&mut sum)?;
            if sum.len() == 1 {
                return (before > 1 || used.len() > steps).then(|| sum.swap_remove(0));
            }
            if sum.is_empty() || sum.len() > MOST {
                return None;
            }
            // 1 - eᵃ last: in 1 - eᵃ + e²ᵃ·σ(-a) there is better to be found.
            let pairs = (0..sum.len()).flat_map(|i| (0..sum.len()).map(move |j| (i, j)));
            let pairs: Vec<(usize, usize)> = pairs.filter(|(i, j)| i != j).collect();
            let found = [false, true].into_iter().find_map(|last| {
                pairs.iter().find_map(|(i, j)| {
                    let (product, rule) = self.combined(&sum[*i], &sum[*j])?;
                    ((rule == Rule::OneMinusExp) == last).then_some((*i, *j, product, rule))
                })
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
            let Some((k, inner)) = sum.iter().enumerate().find_map(|(k, product)| Some((k, lone(product)?)))
            else {
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

    /// p·expm1(a) as p·eᵃ - p, so that it may cancel with the other terms.
    fn with_open_exp_m1(&mut self, sum: Vec<Product>) -> Option<Vec<Product>> {
        let mut opened = Vec::new();
        for product in sum {
            let found = product.letters.iter().find(|(id, e)| **e == 1 && self.operation(**id) == Op::ExpM1);
            let Some((id, _)) = found else {
                opened.push(product);
                continue;
            };
            let argument = self.tape.node(*id).operands[0];
            let mut less = product.clone();
            less.letters.remove(id);
            let mut more = less.clone();
            let terms = self.terms(argument, &|other| self.small(other), &|id| id, 64)?;
            more.exponent = more.exponent.plus(&terms, 1.0)?;
            less.c = -less.c;
            opened.extend([more, less]);
        }
        Some(opened)
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
    fn factor(
        &mut self,
        product: &mut Product,
        id: NodeId,
        power: i32,
        depth: usize,
        used: &mut Vec<Rule>,
    ) -> Option<()> {
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
        self.join_tanh(&mut opened, used)?;
        product.times(&opened, power)
    }

    /// expm1(a)·σ(-a) is tanh(a/2).
    fn join_tanh(&mut self, product: &mut Product, used: &mut Vec<Rule>) -> Option<()> {
        let found: Vec<(NodeId, i32)> = product
            .letters
            .iter()
            .filter(|(id, e)| **e > 0 && self.operation(**id) == Op::ExpM1)
            .map(|(id, e)| (*id, *e))
            .collect();
        for (id, exponent) in found {
            let argument = self.tape.node(id).operands[0];
            let sigmoid = self.sigmoid_of_negative(argument);
            if product.letters.get(&sigmoid) != Some(&exponent) {
                continue;
            }
            product.letter(id, -exponent)?;
            product.letter(sigmoid, -exponent)?;
            let half = Terms::new(product.exponent.shape)
                .plus(&self.terms(argument, &|other| self.small(other), &|id| id, 64)?, 0.5)?;
            let half = self.emit_terms(&half);
            product.letter(half.tanh().id(), exponent)?;
            used.push(Rule::ExpM1Tanh);
        }
        Some(())
    }

    /// e^(k·a): softplus in the exponent is a probability.
    fn exponential_factor(
        &mut self,
        product: &mut Product,
        a: NodeId,
        k: i32,
        used: &mut Vec<Rule>,
    ) -> Option<()> {
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
                // Multiplied on a copy: a product that is given up half-way is no product.
                let mut multiplied = product.clone();
                match self.unmixed(id, depth, used).and_then(|inner| multiplied.times(&inner, power)) {
                    Some(()) => *product = multiplied,
                    None => product.letter(id, power)?,
                }
                Some(())
            }
            Op::Sigmoid => {
                let argument = self.plain(node.operands[0]);
                product.letter(self.tape.var(argument).sigmoid().id(), power)
            }
            Op::ExpM1 => match self.exp_m1(node.operands[0]) {
                Some(other) => self.factor(product, other.id(), power, depth.checked_sub(1)?, used),
                None => product.letter(id, power),
            },
            Op::Sqrt if power % 2 == 0 && self.bounds.of(node.operands[0]).is_nonnegative() => {
                self.factor(product, node.operands[0], power / 2, depth.checked_sub(1)?, used)
            }
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
    pub(super) fn plain(&mut self, a: NodeId) -> NodeId {
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
        let same = p.c.signum() == q.c.signum();
        let mut ratio = q.clone();
        ratio.times(&Product { c: 1.0, ..p.clone() }, -1)?;
        let mut result = p.clone();
        if p.c.abs() != q.c.abs() {
            // p + c·p·eᵃ = p + p·e^(a + ln c)
            let known = |id: &NodeId| self.operation(*id) == Op::Sigmoid;
            if !same || !ratio.letters.keys().all(known) || p.exponent.is_zero() && q.exponent.is_zero() {
                return None;
            }
            for (c, sign) in [(q.c.abs(), 1.0), (p.c.abs(), -1.0)] {
                if c != 1.0 {
                    let log = self.tape.constant(c).ln().broadcast(ratio.exponent.shape);
                    ratio.exponent.add(log.id(), sign);
                }
            }
        }
        if ratio.letters.is_empty() {
            // 1 ± eᵃ; 1 is the one whose exponent is 0, if there is one.
            if q.exponent.is_zero() && !p.exponent.is_zero() {
                return None;
            }
            let a = self.emit_terms(&ratio.exponent).id();
            if same {
                if !self.of_one_variable(p, q) {
                    // The larger one first: a + softplus(b - a) loses b where a is far below it.
                    let [a, b] = [p, q].map(|product| self.emit_terms(&product.exponent));
                    let b = if p.c.abs() == q.c.abs() { b } else { return None };
                    result.exponent = Terms::new(result.exponent.shape);
                    result.exponent.add(a.max(b).id(), 1.0);
                    result.letter((a - b).abs().sigmoid().id(), -1)?;
                    return Some((result, Rule::OnePlusExp));
                }
                let sigmoid = self.sigmoid_of_negative(a);
                result.letter(sigmoid, -1)?;
                return Some((result, Rule::OnePlusExp));
            }
            result.c = -result.c;
            result.letter(self.tape.var(a).exp_m1().id(), 1)?;
            return Some((result, Rule::OneMinusExp));
        }
        if !same
            && p.c.abs() == q.c.abs()
            && let Some((u, k)) = self.square_over_sum(&ratio)
        {
            // 1 - t²/u with u = t² + k
            result.letter(u, -1)?;
            self.number_factor(&mut result, k, ratio.exponent.shape)?;
            return Some((result, Rule::CommonFactor));
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
                result.letter(self.tape.var(operands[0]).sech_squared().id(), 1)?;
                Some((result, Rule::OneMinusTanhSquare))
            }
            Some((Node { op: Op::SechSquared, operands, .. }, 1)) if !same => {
                result.letter(self.tape.var(operands[0]).tanh().id(), 2)?;
                Some((result, Rule::OneMinusTanhSquare))
            }
            // 1 + u⁻ᵏ, of which u⁻ᵏ may be ∞ where its logarithm is not large.
            Some((_, exponent)) if same && exponent <= -2 && p.letters.is_empty() && p.exponent.is_zero() => {
                let (id, _) = ratio.letters.iter().next()?;
                let even = exponent % 2 == 0;
                if !self.holds(Rule::OnePlusPower, even || self.bounds.of(*id).is_positive()) {
                    return None;
                }
                let log = self.log_abs(*id, 0);
                let power = f64::from(exponent) * log;
                let sigmoid = self.sigmoid_of_negative(power.id());
                result.letter(sigmoid, -1)?;
                Some((result, Rule::OnePlusPower))
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
            _ if probabilities => {
                let log = self.log_of_probabilities(&ratio);
                if same {
                    let logs = [p, q].map(|product| self.log_of_probabilities(product));
                    if log.count() > 1 && logs.iter().all(|log| !log.is_zero()) && p.c.abs() == q.c.abs() {
                        // The larger one first, as above.
                        let [a, b] = logs.map(|log| self.emit_terms(&log));
                        result.letters.retain(|id, _| self.tape.look(*id, |node| node.op != Op::Sigmoid));
                        result.exponent = Terms::new(result.exponent.shape);
                        result.exponent.add(a.max(b).id(), 1.0);
                        result.letter((a - b).abs().sigmoid().id(), -1)?;
                        return Some((result, Rule::OnePlusExp));
                    }
                    let log = self.emit_terms(&log).id();
                    let sigmoid = self.sigmoid_of_negative(log);
                    result.letter(sigmoid, -1)?;
                    return Some((result, Rule::OnePlusExp));
                }
                let list = log.list();
                let softplus = |id: NodeId| {
                    self.tape.look(id, |node| (node.op == Op::Softplus).then(|| node.operands[0]))
                };
                match list.as_slice() {
                    // 1 - e^(-softplus(b)) = 1 - σ(-b)
                    [(id, -1.0)] if log.constants.is_empty() && softplus(*id).is_some() => {
                        let b = self.plain(softplus(*id)?);
                        result.letter(self.tape.var(b).sigmoid().id(), 1)?;
                        Some((result, Rule::OneMinusSigmoid))
                    }
                    // 1 - e^softplus(b) = -eᵇ
                    [(id, 1.0)] if log.constants.is_empty() && softplus(*id).is_some() => {
                        let terms = self.terms(softplus(*id)?, &|other| self.small(other), &|id| id, 64)?;
                        result.exponent = result.exponent.plus(&terms, 1.0)?;
                        result.c = -result.c;
                        Some((result, Rule::ExpSoftplus))
                    }
                    list if list.iter().all(|(id, _)| softplus(*id).is_none()) => {
                        let a = self.emit_terms(&log);
                        result.c = -result.c;
                        result.letter(a.exp_m1().id(), 1)?;
                        Some((result, Rule::OneMinusExp))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// u and k, where a product is t²/u and u = t² + k.
    fn square_over_sum(&self, ratio: &Product) -> Option<(NodeId, f64)> {
        if ratio.letters.len() != 2 || !ratio.exponent.is_zero() {
            return None;
        }
        let (t, _) = ratio.letters.iter().find(|(_, e)| **e == 2)?;
        let (below, power) = ratio.letters.iter().find(|(_, e)| **e < 0)?;
        let u = match (self.tape.node(*below), power) {
            (Node { op: Op::Sqrt, operands, .. }, -2) => operands[0],
            (_, -1) => *below,
            _ => return None,
        };
        let (square, k) = self.square_and_number(u)?;
        (square == *t).then_some((u, k))
    }

    /// The logarithm of the exponential and of the probabilities in a product.
    fn log_of_probabilities(&mut self, product: &Product) -> Terms {
        let mut log = product.exponent.clone();
        for (id, exponent) in &product.letters {
            let node = self.tape.node(*id);
            if node.op == Op::Sigmoid {
                let negative = self.negated(node.operands[0]).id();
                let plain = self.plain(negative);
                log.add(self.tape.var(plain).softplus().id(), -f64::from(*exponent));
            }
        }
        self.pair_softplus(log)
    }

    /// Whether the exponents of two products are multiples of one thing, or one of them is 0.
    fn of_one_variable(&self, p: &Product, q: &Product) -> bool {
        let [a, b] = [p, q].map(|product| &product.exponent);
        a.is_zero()
            || b.is_zero()
            || a.parts.len() == 1 && a.parts.keys().eq(b.parts.keys()) && a.loose.is_empty()
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
        let (square, k) = self.square_and_number(inside)?;
        if square != t {
            return None;
        }
        let shape = self.tape.shape(t);
        let mut product = Product::one(shape);
        product.c = first.c;
        shared.iter().try_for_each(|(id, e)| product.letter(*id, *e))?;
        let argument = match self.root_of(k, shape) {
            Some(root) => {
                product.letter(root, 1)?;
                self.tape.var(t) / self.tape.var(root)
            }
            None => self.tape.var(t),
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
