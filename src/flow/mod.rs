//! Flows: densities made of layers and a base.
//!
//! log p(x) = log p_Z(f⁻¹(x)) - ln|det J_f(f⁻¹(x))|. The density is a recorded program, training adds its adjoint,
//! sampling is `forward`. A conditional density p(x | c) is the same program with a second input.

mod conditionals;
mod context;
mod density;
mod error;
mod fit;
mod fitted;
#[expect(clippy::module_inception, reason = "a flow is what the module is about")]
mod flow;
mod gaussian;
mod history;
mod minibatch;
mod order;
mod outside;
mod rows;
mod scores;
mod support;
mod trainer;

pub use conditionals::Conditionals;
pub use error::FlowError;
pub use fit::FitOptions;
pub use fitted::FittedFlow;
pub use flow::Flow;
pub use gaussian::Gaussian;
pub use history::{History, Progress, Stop};
pub use outside::Outside;
pub use trainer::Trainer;
