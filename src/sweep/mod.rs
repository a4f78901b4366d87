//! The sweeps: one tape, many interpretations.
//!
//! | sweep | reads a node as | gives |
//! |---|---|---|
//! | [`value`] | numbers, many samples at a time | evaluation |
//! | [`tangent`](fn@tangent) | new nodes, forwards | Jacobian columns, diagonals, as formulas |
//! | [`adjoint`](fn@adjoint) | new nodes, backwards | gradients, Jacobian rows, as formulas |
//! | [`reach`] | which inputs it depends on, which outputs it reaches | sparsity, order, slices |
//! | [`may_be_discontinuous`](fn@may_be_discontinuous) | whether it is continuous | proofs of monotonicity |
//! | [`bound`] | an interval, for all inputs and parameters | signs, domains |
//! | [`lipschitz`] | a bound of its Lipschitz constant | contractions, and the steps that solve them |
//! | [`simplify`](fn@simplify::simplify) | an equal, smaller program | textbook formulas |
//! | copy propagation | the source of its data | equal expressions as one node |
//! | [`invert`](fn@invert) | the program run backwards | inverses, as formulas |
//! | [`render`](fn@render), [`formulas`] | terms | formulas in text, LaTeX and MathML |
//!
//! Each is an exhaustive match on [`Op`](crate::tape::Op). What the sweeps need of a function of one number (its
//! value, derivative, interval, limits, inverse, notation) is one row of `function`. Derivatives are emitted as nodes
//! on the same tape, so there is one executor, and a derivative can be differentiated again.

mod adjoint;
pub mod bound;
mod continuity;
mod copy_propagation;
mod equation;
pub(crate) mod function;
mod guard;
mod initial_value;
mod invert;
mod limit;
pub mod lipschitz;
pub(crate) mod partial;
pub mod reach;
mod render;
mod shift_invariance;
pub mod simplify;
mod tangent;
pub mod value;
pub mod zeros;

pub use adjoint::adjoint;
pub use continuity::may_be_discontinuous;
pub(crate) use copy_propagation::propagate_copies;
pub(crate) use equation::{contraction, root, substitution, system, system_jacobian};
pub use function::{Smoothness, is_total, smoothness};
pub(crate) use initial_value::{Backwards, initial_value, written_out};
pub use invert::{InversionError, invert};
pub use render::{Names, formulas, render};
pub(crate) use render::{Sheet, Wanted, equations};
pub use tangent::tangent;
pub(crate) use tangent::{Fixed, sliced_tangent, tangent_fixing};
pub(crate) use tangent::{choice, is_one};
