//! Numerical algorithms that know nothing of tapes: number types, LU decomposition, tails of distributions and their fits.

mod log_sum;
mod lu;
pub(crate) mod mills;
mod number;
mod panel;
mod pareto;
pub(crate) mod quantile;
mod spread;

pub(crate) use log_sum::log_sum_exp;
pub use lu::Lu;
pub use number::Number;
pub use pareto::GeneralisedPareto;
pub use spread::quartile_deviation;
