//! Write the layers of a flow of two variables that beats one Gaussian on the penguins by a third of a nat.
//!
//!     cargo run --release -- check 8

use pushforward::prelude::*;

pub fn layers() -> Vec<Box<dyn Bijection>> {
    let halves = |k: usize| if k.is_multiple_of(2) { Halves::first(2) } else { Halves::second(2) };
    let layer = |k: usize| AffineCoupling::new(halves(k), Network::new([16]));
    (0..6).map(|k| Box::new(layer(k)) as Box<dyn Bijection>).collect()
}
