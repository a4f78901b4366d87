//! Numerical algorithms that know nothing of tapes: number types, LU decomposition, matrix exponential, tails of
//! distributions and their fits.

mod log_sum;
mod lu;
pub(crate) mod matrix_exponential;
pub(crate) mod mills;
mod number;
mod panel;
mod pareto;
pub(crate) mod quantile;
pub(crate) mod runge_kutta;
mod spread;

pub(crate) use log_sum::log_sum_exp;
pub use lu::Lu;
pub(crate) use matrix_exponential::matrix_exponential;
pub use number::Number;
pub use pareto::GeneralisedPareto;
pub use spread::quartile_deviation;
