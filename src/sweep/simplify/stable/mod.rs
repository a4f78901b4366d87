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

mod open;
mod pair;
mod product;

pub(super) use self::product::Product;

use self::product::collect;
use super::exact::exact_product;
use super::factors::Factors;
use super::terms::Terms;
use super::{Rule, Simplifier};
use crate::tape::{Binary, NodeId, Op, Shape, Unary, Var};

/// How many products a sum may have to be looked into.
const MOST: usize = 12;
/// How deeply sums may stand in products of sums.
const DEEPEST: usize = 6;

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
            let found = product.letters.iter().find(|(id, e)| **e == 1 && self.is(**id, Unary::ExpM1));
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
        self.tape.with_node(id, |node| matches!(node.op, Op::Binary(Binary::Add | Binary::Sub)))
            && self.small(id)
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
