//! Flows as Python modules for JAX: the recorded formulas as readable functions of one row.
//!
//! A module holds, for each layer, its x = f(z), and its z = f⁻¹(x) with the derived ln|det J_f(z)|; from these
//! `log_prob(params, x)`, `sample(params, key, n)`, `loss(params, x)`, and a step of Adam. They are pure functions, so that
//! `jax.jit`, `jax.grad`, `jax.vmap` and sharded arrays work on them: a flow that was written, proven and first trained here is
//! trained further where JAX runs, and its parameters come back ([`parameters`]).
//!
//! ```
//! use pushforward::prelude::*;
//! use pushforward::jax;
//!
//! let layers: Vec<Box<dyn Bijection>> =
//!     vec![Box::new(AffineCoupling::new(CouplingMask::first_half(2), Network::new([8])))];
//! let flow = Flow::new(StandardNormal::new(2), layers)?;
//! let start = flow.initial(7);
//! let package = jax::export(&flow.with(start)?)?;
//! assert!(package.module.contains("def log_prob(params, x):"));
//!
//! let back = jax::parameters(&package.params)?;
//! assert!(back.get("layers.0.net.0.weight").is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod branches;
mod columns;
mod error;
mod expression;
mod helpers;
mod module;
mod noise;
mod operation;
mod package;
mod parts;
mod statements;

pub use error::JaxError;
pub use module::{export, export_model};
pub use package::{Package, parameters};
