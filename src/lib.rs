//! pushforward: write a bijection, get its density.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod audit;
pub mod base;
pub mod bijection;
pub mod flow;
pub mod jacobian;
pub mod layers;
pub mod lesson;
pub mod program;
pub mod sweep;
pub mod tape;

/// What most programs use.
pub mod prelude {
    pub use crate::audit::{Evidence, Report, audit};
    pub use crate::base::{Base, StandardNormal, Uniform};
    pub use crate::bijection::{Bijection, BijectionError, Chain, Domain, record};
    pub use crate::flow::{Fit, Flow, Gaussian, Table};
    pub use crate::jacobian::{Order, Structure};
    pub use crate::layers::{AdditiveCoupling, Affine, AffineCoupling, Halves, Linear, Network, Permutation};
    pub use crate::tape::{Init, Parameters, Shape, Tape, Var, concat, select, stack};
}
