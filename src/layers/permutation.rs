//! Permutation layer.
//!
//! xᵢ = z_{p(i)}
//!
//! |det J| = 1. Between coupling layers, permutations ensure that every variable is transformed.

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Domain};
use crate::jacobian::{Order, Structure};
use crate::tape::Var;

/// Permutation of the variables: xᵢ = z_{p(i)}.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Permutation {
    positions: Vec<usize>,
}

impl Permutation {
    /// Builds the layer in which output i is a copy of input `positions[i]`.
    ///
    /// # Panics
    /// When `positions` does not contain each of 0..d once.
    pub fn new(positions: impl Into<Vec<usize>>) -> Permutation {
        let positions = positions.into();
        let order = Order::of(positions.clone());
        assert!(
            order.is_permutation(positions.len()),
            "a permutation of {} variables names each of 0 to {} once, not {positions:?}",
            positions.len(),
            positions.len().saturating_sub(1)
        );
        Permutation { positions }
    }

    /// Builds the permutation that reverses the order of the variables.
    pub fn reverse(d: usize) -> Permutation {
        Permutation::new((0..d).rev().collect::<Vec<_>>())
    }
}

impl Bijection for Permutation {
    fn dim(&self) -> usize {
        self.positions.len()
    }

    fn structure(&self) -> Structure {
        let outputs: Vec<usize> = (0..self.positions.len()).collect();
        Structure::Triangular { order: Order::matched(self.positions.clone(), outputs) }
    }

    fn image(&self, part: &Domain) -> Domain {
        Domain::each(self.positions.iter().map(|i| part.of(*i)))
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.gather(&self.positions)
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("permutation", self)
    }
}
