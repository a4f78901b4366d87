//! Permutation layer.
//!
//! xᵢ = z_{p(i)}
//!
//! |det J| = 1. Between coupling layers, permutations ensure that every variable is transformed.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

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

    /// Output i is a copy of the input at `positions()[i]`.
    pub fn positions(&self) -> &[usize] {
        &self.positions
    }

    /// Builds the permutation that reverses the order of the variables.
    pub fn reverse(d: usize) -> Permutation {
        Permutation::new((0..d).rev().collect::<Vec<_>>())
    }

    /// Builds a random permutation of d variables, the same for the same seed.
    pub fn random(d: usize, seed: u64) -> Permutation {
        let mut positions: Vec<usize> = (0..d).collect();
        positions.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        Permutation::new(positions)
    }

    /// Builds the permutation that moves squares of 2 × 2 pixels to channels: an image of height × width pixels with c channels each
    /// becomes one of height/2 × width/2 pixels with 4c (squeeze).
    ///
    /// The variables are ordered by row, column, and channel, as those of
    /// [`PointwiseConvolution`](super::PointwiseConvolution). The channels of a new pixel are those of its upper left pixel, its upper right, its lower left and
    /// its lower right one.
    ///
    /// ```
    /// use pushforward::prelude::*;
    ///
    /// // Two rows of four pixels, one channel, become two pixels of four channels.
    /// let squeeze = Permutation::squeeze(2, 4, 1);
    /// assert_eq!(squeeze.positions(), [0, 1, 4, 5, 2, 3, 6, 7]);
    /// ```
    ///
    /// Source: Dinh, Sohl-Dickstein, Bengio, "Density estimation using Real NVP" (2017), section 3.6.
    ///
    /// # Panics
    /// When the height or the width is odd or 0, or there is no channel.
    pub fn squeeze(height: usize, width: usize, channels: usize) -> Permutation {
        let even = |size: usize| size > 0 && size.is_multiple_of(2);
        assert!(
            even(height) && even(width) && channels > 0,
            "squares of 2 × 2 pixels need an even height and width, and a channel, not {height} × {width} × {channels}"
        );
        let mut positions = Vec::with_capacity(height * width * channels);
        for (row, column) in (0..height / 2).flat_map(|row| (0..width / 2).map(move |column| (row, column))) {
            for (below, beside) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let pixel = (2 * row + below) * width + 2 * column + beside;
                positions.extend((0..channels).map(|c| pixel * channels + c));
            }
        }
        Permutation::new(positions)
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
