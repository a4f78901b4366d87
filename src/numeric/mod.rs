//! Numerical algorithms that know nothing of tapes: number types, LU decomposition, tails of distributions.

mod lu;
pub(crate) mod mills;
mod number;
mod panel;
mod spread;

pub use lu::Lu;
pub use number::Number;
pub use spread::quartile_deviation;
