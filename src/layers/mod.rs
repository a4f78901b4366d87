//! The catalogue of layers, one family a file. Each writes `forward`, declares its structure and knows its
//! inverse; no log-determinant stands here, the tape derives them all.

mod affine;
mod coupling;
mod linear;
mod network;
mod permutation;

pub use affine::Affine;
pub use coupling::{AdditiveCoupling, AffineCoupling, Halves};
pub use linear::Linear;
pub use network::Network;
pub use permutation::Permutation;
