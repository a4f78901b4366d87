//! Products as bases with exponents.

use indexmap::IndexMap;

use super::exact::{exact_product, whole_quotient};
use crate::tape::{NodeId, Shape};

/// A product c·Π bᵉ·Π exp(a), all of one shape.
#[derive(Clone, Debug)]
pub(super) struct Factors {
    pub shape: Shape,
    pub constants: Vec<f64>,
    /// Numbers below the line that no constant above it is a multiple of.
    pub divisors: Vec<f64>,
    pub parts: IndexMap<NodeId, i32>,
    /// The arguments of exponentials, each with the power it was raised to.
    pub exponents: Vec<(NodeId, i32)>,
    /// Whether sign(a)·a was taken as |a|.
    pub signs: bool,
    /// Whether a/√a was taken as √a.
    pub roots: bool,
    pub leaves: usize,
}

impl Factors {
    pub(super) fn new(shape: Shape) -> Factors {
        Factors {
            shape,
            constants: Vec::new(),
            divisors: Vec::new(),
            parts: IndexMap::new(),
            exponents: Vec::new(),
            signs: false,
            roots: false,
            leaves: 0,
        }
    }

    /// How many factors there are.
    pub(super) fn count(&self) -> usize {
        self.parts.len() + self.exponents.len() + self.constants.len() + self.divisors.len()
    }

    /// `None` where the exponent is too large to be kept.
    pub(super) fn add(&mut self, base: NodeId, exponent: i32) -> Option<()> {
        self.leaves += 1;
        let entry = self.parts.entry(base).or_insert(0);
        *entry = entry.checked_add(exponent)?;
        if *entry == 0 {
            self.parts.shift_remove(&base);
        }
        Some(())
    }

    /// Divides by a number other than 0: what is a whole multiple of it is divided, so that (2z)/2 is z.
    pub(super) fn add_divisor(&mut self, value: f64) {
        self.leaves += 1;
        for known in &mut self.constants {
            if let Some(quotient) = whole_quotient(*known, value) {
                *known = quotient;
                self.constants.retain(|constant| *constant != 1.0);
                return;
            }
        }
        self.divisors.push(value);
    }

    pub(super) fn add_constant(&mut self, value: f64) {
        self.leaves += 1;
        if let Some((k, quotient)) =
            self.divisors.iter().enumerate().find_map(|(k, known)| Some((k, whole_quotient(value, *known)?)))
        {
            self.divisors.remove(k);
            if quotient != 1.0 {
                self.constants.push(quotient);
            }
            return;
        }
        for known in &mut self.constants {
            if let Some(product) = exact_product(*known, value) {
                *known = product;
                self.constants.retain(|constant| *constant != 1.0);
                return;
            }
        }
        if value != 1.0 {
            self.constants.push(value);
        }
    }
}
