//! From nodes to products: sums term by term, and products opened down to their letters.

use super::MOST;
use super::product::{Product, is_power_of_two, is_short};
use crate::sweep::simplify::exact::exact_product;
use crate::sweep::simplify::factors::Factors;
use crate::sweep::simplify::terms::Terms;
use crate::sweep::simplify::{Rule, Simplifier};
use crate::tape::{Binary, NodeId, Op, Shape, Unary};

impl Simplifier<'_> {
    /// The terms of a sum, each as a product.
    pub(super) fn products(
        &mut self,
        id: NodeId,
        depth: usize,
        used: &mut Vec<Rule>,
    ) -> Option<Vec<Product>> {
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
    pub(super) fn number_factor(&self, product: &mut Product, value: f64, shape: Shape) -> Option<()> {
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
            .filter(|(id, e)| **e > 0 && self.is(**id, Unary::ExpM1))
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
            let argument = self.tape.argument(id, Unary::Softplus);
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
            Op::Binary(Binary::Add | Binary::Sub) if depth > 0 => {
                // Multiplied on a copy: a product that is given up half-way is no product.
                let mut multiplied = product.clone();
                match self.unmixed(id, depth, used).and_then(|inner| multiplied.times(&inner, power)) {
                    Some(()) => *product = multiplied,
                    None => product.letter(id, power)?,
                }
                Some(())
            }
            Op::Unary(Unary::Sigmoid) => {
                let argument = self.plain(node.operands[0]);
                product.letter(self.tape.var(argument).sigmoid().id(), power)
            }
            Op::Unary(Unary::ExpM1) => match self.exp_m1(node.operands[0]) {
                Some(other) => self.factor(product, other.id(), power, depth.checked_sub(1)?, used),
                None => product.letter(id, power),
            },
            Op::Unary(Unary::Sqrt) if power % 2 == 0 && self.bounds.of(node.operands[0]).is_nonnegative() => {
                self.factor(product, node.operands[0], power / 2, depth.checked_sub(1)?, used)
            }
            // What is opened under ln|·| loses its sign, which counts here.
            Op::Gather(_) if self.is(node.operands[0], Unary::Abs) => product.letter(id, power),
            Op::Gather(indices) if self.is(node.operands[0], Unary::Neg) => {
                let positive = self.tape.node(node.operands[0]).operands[0];
                let inner = self.gather(positive, indices, node.shape);
                if power % 2 != 0 {
                    product.c = -product.c;
                }
                self.factor(product, inner.id(), power, depth.checked_sub(1)?, used)
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
    pub(in crate::sweep::simplify) fn plain(&mut self, a: NodeId) -> NodeId {
        if self.tape.argument(a, Unary::Neg).is_none() {
            return a;
        }
        match self.terms(a, &|other| self.small(other), &|id| id, 16) {
            Some(terms) => self.emit_terms(&terms).id(),
            None => a,
        }
    }

    /// σ(-a)
    pub(super) fn sigmoid_of_negative(&mut self, a: NodeId) -> NodeId {
        let negative = self.negated(a).id();
        let plain = self.plain(negative);
        self.tape.var(plain).sigmoid().id()
    }

    /// Whether a node is this function of something.
    pub(super) fn is(&self, id: NodeId, function: Unary) -> bool {
        self.tape.argument(id, function).is_some()
    }
}
