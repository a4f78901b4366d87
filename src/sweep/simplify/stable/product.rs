//! Products of letters and one exponential.

use std::collections::BTreeMap;

use crate::sweep::simplify::exact::{exact_product, exact_sum};
use crate::sweep::simplify::terms::Terms;
use crate::tape::{NodeId, Shape};

/// c·Π letterᵉ·exp(exponent).
#[derive(Clone, Debug)]
pub(in crate::sweep::simplify) struct Product {
    pub(super) c: f64,
    pub(super) letters: BTreeMap<NodeId, i32>,
    pub(super) exponent: Terms,
}

impl Product {
    pub(super) fn one(shape: Shape) -> Product {
        Product { c: 1.0, letters: BTreeMap::new(), exponent: Terms::new(shape) }
    }

    pub(super) fn letter(&mut self, id: NodeId, exponent: i32) -> Option<()> {
        let entry = self.letters.entry(id).or_insert(0);
        *entry = entry.checked_add(exponent)?;
        if *entry == 0 {
            self.letters.remove(&id);
        }
        Some(())
    }

    pub(super) fn times(&mut self, other: &Product, power: i32) -> Option<()> {
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
    pub(super) fn like(&self, other: &Product) -> bool {
        let same = || self.exponent.plus(&other.exponent, -1.0).is_some_and(|rest| rest.is_zero());
        self.letters == other.letters && same()
    }
}

pub(super) fn is_power_of_two(c: f64) -> bool {
    c.is_normal() && c.to_bits() << 12 == 0
}

/// A number with few digits: products of such are exact, so they are kept apart from the others.
pub(super) fn is_short(c: f64) -> bool {
    let scaled = c * 1024.0;
    scaled.fract() == 0.0 && scaled.abs() < f64::from(1 << 20)
}

/// Products that differ by a number only, added up.
pub(super) fn collect(sum: &mut Vec<Product>) -> Option<()> {
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
