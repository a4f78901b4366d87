//! The catalogue of layers, one family a file. Each writes `forward` and declares its structure; no
//! log-determinant stands here, and an inverse only where it cannot be derived.

mod affine;
mod autoregressive;
mod coupling;
mod elementwise;
mod linear;
mod masked_network;
mod network;
mod permutation;
mod triangular;

pub use affine::Affine;
pub use autoregressive::Autoregressive;
pub use coupling::{AdditiveCoupling, AffineCoupling, Halves, LogScale};
pub use elementwise::{Elementwise, Transform};
pub use linear::Linear;
pub use masked_network::MaskedNetwork;
pub use network::Network;
pub use permutation::Permutation;
pub use triangular::{Triangular, plu};
