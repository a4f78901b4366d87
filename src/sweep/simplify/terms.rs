//! Sums as terms with coefficients.

use indexmap::IndexMap;

use super::exact::{exact_product, exact_sum};
use crate::tape::{NodeId, Shape};

/// A sum Σ c·t + Σ constants, all of one shape.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub shape: Shape,
    pub parts: IndexMap<NodeId, f64>,
    pub constants: Vec<f64>,
    /// Terms whose coefficients could not be added exactly to those of `parts`.
    pub loose: Vec<(NodeId, f64)>,
    /// How many leaves went in.
    pub leaves: usize,
}

impl Terms {
    pub(super) fn new(shape: Shape) -> Terms {
        Terms { shape, parts: IndexMap::new(), constants: Vec::new(), loose: Vec::new(), leaves: 0 }
    }

    /// Adds `coefficient·base`; a sum of coefficients that is not exact stays two terms.
    pub(super) fn add(&mut self, base: NodeId, coefficient: f64) {
        self.leaves += 1;
        if coefficient == 0.0 {
            return;
        }
        let entry = self.parts.entry(base).or_insert(0.0);
        match exact_sum(*entry, coefficient) {
            Some(sum) => *entry = sum,
            None => self.loose.push((base, coefficient)),
        }
        if *entry == 0.0 {
            self.parts.shift_remove(&base);
        }
    }

    /// Adds a number.
    pub(super) fn add_constant(&mut self, value: f64) {
        self.leaves += 1;
        for known in &mut self.constants {
            if let Some(sum) = exact_sum(*known, value) {
                *known = sum;
                self.constants.retain(|constant| *constant != 0.0);
                return;
            }
        }
        if value != 0.0 {
            self.constants.push(value);
        }
    }

    /// The terms that are not numbers, with their coefficients.
    pub(super) fn list(&self) -> Vec<(NodeId, f64)> {
        self.parts.iter().map(|(id, c)| (*id, *c)).chain(self.loose.iter().copied()).collect()
    }

    /// self + c·other, if every coefficient is exact.
    pub(super) fn plus(&self, other: &Terms, c: f64) -> Option<Terms> {
        let mut sum = self.clone();
        for (id, d) in other.list() {
            sum.add(id, exact_product(c, d)?);
        }
        for d in &other.constants {
            sum.add_constant(exact_product(c, *d)?);
        }
        Some(sum)
    }

    /// How many terms there are.
    pub(super) fn count(&self) -> usize {
        self.parts.len() + self.constants.len() + self.loose.len()
    }

    /// Whether nothing is left.
    pub(super) fn is_zero(&self) -> bool {
        self.parts.is_empty() && self.constants.is_empty() && self.loose.is_empty()
    }

    /// Whether something was collected, cancelled or folded.
    pub(super) fn merged(&self) -> bool {
        self.count() < self.leaves
    }
}
