//! Flows of zuko: a state dict read as a flow, and a flow's parameters as a state dict again.
//!
//! zuko (Rozet et al., Python) has RealNVP, MAF and NSF as layers that are among those here. Its state dict, saved as
//! safetensors, says how many there are, their masks, orders and widths, so that the flow needs no other description:
//!
//! ```python
//! from safetensors.torch import load_file, save_file
//! save_file(flow.state_dict(), "flow.safetensors")          # zuko.flows.NSF(features=4, transforms=3), trained
//! flow.load_state_dict(load_file("further.safetensors"))    # what comes back
//! ```
//!
//! ```no_run
//! use pushforward::prelude::*;
//! use pushforward::zuko::{self, Settings};
//!
//! let bytes = std::fs::read("flow.safetensors")?;
//! let fitted = zuko::flow(&bytes, Settings::default())?;
//! assert!(audit(fitted.flow().bijection())?.has_no_refutation());
//! fitted.save("flow.model")?;
//!
//! let mut trainer = pushforward::flow::Trainer::<f64>::new(fitted.flow(), fitted.parameters().clone(), 1e-3)?;
//! trainer.step(&[0.1, 0.2, -0.3, 1.0])?;
//! std::fs::write("further.safetensors", zuko::state_dict(trainer.parameters(), &bytes)?)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A layer of zuko maps x to z, so it is read as the [`Inverse`](crate::bijection::Inverse) of a
//! [`Coupling`](crate::layers::Coupling) or [`Autoregressive`](crate::layers::Autoregressive) layer, and the last of zuko's is the
//! first here: transform k of n is `layers.{n-1-k}`. Numbers of an f32 file are kept as they are: ln p is that of zuko
//! in double precision, and the same numbers go back.
//!
//! Read are coupling layers with any mask (`NICE`, `RealNVP`, `GeneralCouplingTransform`) and autoregressive layers with an order
//! (`MAF`, `NSF`, `MaskedAutoregressiveTransform`), with a context or none, whose univariate transforms are `AdditiveTransform`,
//! `MonotonicAffineTransform` or `MonotonicRQSTransform`, over a standard normal base. Anything else is refused by name, as
//! are networks that normalise or have residual blocks, `passes` other than `features`, and adjacency matrices.
//!
//! An audit proves flows with affine and additive transforms to be bijections for all parameters. Layers with splines are proven from x
//! to z, as zuko has them; of their inverses, which a flow is made of, the same is checked and not proven.
//!
#![doc = include_str!("names.md")]

mod error;
mod flow;
mod names;
mod settings;
mod state_dict;
mod transform;

pub use error::ZukoError;
pub use flow::{flow, state_dict};
pub use settings::Settings;
