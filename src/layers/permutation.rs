//! Permutation layer.
//!
//! xᵢ = z_{p(i)}
//!
//! |det J| = 1. Between coupling layers, permutations ensure that every variable is transformed.

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked, Domain};
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
        Permutation { positions: positions.into() }.checked()
    }

    /// Builds the permutation that reverses the order of the variables.
    pub fn reverse(d: usize) -> Permutation {
        Permutation::new((0..d).rev().collect::<Vec<_>>())
    }
}

impl Checked for Permutation {
    fn fault(&self) -> Option<String> {
        let (positions, d) = (&self.positions, self.positions.len());
        let sound = Order::of(positions.clone()).is_permutation(d);
        let last = d.saturating_sub(1);
        (!sound).then(|| {
            format!("a permutation of {d} variables names each of 0 to {last} once, not {positions:?}")
        })
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
