//! Write the layers of a flow of two variables that beats one Gaussian on the penguins by a third of a nat.
//!
//!     cargo run --release -- check 8

use pushforward::prelude::*;

pub fn layers() -> Vec<Box<dyn Bijection>> {
    let mask = |k: usize| {
        if k.is_multiple_of(2) { CouplingMask::first_half(2) } else { CouplingMask::second_half(2) }
    };
    let layer = |k: usize| AffineCoupling::new(mask(k), Network::new([16]));
    (0..6).map(|k| Box::new(layer(k)) as Box<dyn Bijection>).collect()
}
