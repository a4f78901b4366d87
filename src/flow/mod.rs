//! Flows: densities made of layers and a base.
//!
//! log p(x) = log p_Z(f⁻¹(x)) - ln|det J_f(f⁻¹(x))|. The density is a recorded program, training adds its adjoint,
//! sampling is `forward`. A conditional density p(x | c) is the same program with a second input.
//!
//! | what is known of the target | how |
//! |---|---|
//! | a sample | [`Flow::fit`]: maximum likelihood, the forward divergence KL(p ‖ q) |
//! | a sample, and a continuous layer | [`Flow::flow_matching`]: regression of its velocity, without a solver |
//! | a sample with weights | [`FitOptions::weights`], or the loss [`Flow::forward_kl`] |
//! | ln p̃, without its constant | [`Flow::fit_to_target`]: the reverse divergence KL(q ‖ p), or the loss [`Flow::reverse_kl`] |
//! | ln p̃, and a fitted flow | [`FittedFlow::importance_sample`]: expectations and evidence, with errors and a diagnosis |

mod conditionals;
mod context;
mod density;
mod error;
mod fit;
mod fitted;
#[expect(clippy::module_inception, reason = "a flow is what the module is about")]
mod flow;
mod flow_matching;
mod forward_kl;
mod gaussian;
mod history;
mod importance;
mod minibatch;
mod order;
mod outside;
mod pareto_smoothed;
mod reverse_kl;
mod rows;
mod scores;
mod support;
mod target;
mod trainer;

pub use conditionals::Conditionals;
pub use error::FlowError;
pub use fit::FitOptions;
pub use fitted::FittedFlow;
pub use flow::Flow;
pub use forward_kl::normalised_weights;
pub use gaussian::Gaussian;
pub use history::{History, Progress, Stop};
pub use importance::{Estimate, ImportanceSample};
pub use outside::Outside;
pub use pareto_smoothed::ParetoSmoothed;
pub use reverse_kl::{TargetOptions, TargetProgress};
#[cfg(feature = "jax")]
pub(crate) use support::elements_outside;
pub use trainer::Trainer;
