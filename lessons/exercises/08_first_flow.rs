//! Write the layers of a flow of two variables that beats one Gaussian on the penguins by a third of a nat.
//!
//!     cargo run --release -- check 8

use pushforward::prelude::*;

pub fn layers() -> Vec<Box<dyn Bijection>> {
    // todo: one layer moves half of the variables. What moves the others?
    vec![Box::new(AffineCoupling::new(CouplingMask::first_half(2), Network::new([16])))]
}
