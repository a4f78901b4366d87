//! The tape: an append-only, hash-consed list of nodes.
//!
//! A node is an operation, its operands and its shape. Recording the same expression twice gives the same
//! node, so the tape is both the Wengert list of an autodiff system (in order, replayable) and the expression
//! graph of a symbolic one (shared, comparable). It holds no numbers except the constants written into it;
//! the sweeps in [`crate::sweep`] interpret its nodes.
//!
//! Reading order: [`Shape`], [`Op`], [`Tape`], [`Var`], then [`Parameters`] and [`Subgraph`].

mod binary;
mod builders;
mod elementwise;
mod error;
mod function;
mod initial_value;
mod listing;
#[cfg(feature = "serde")]
mod listing_text;
mod op;
mod operators;
mod parameter;
mod pass;
mod place;
mod record;
mod shape;
mod shape_rule;
mod subgraph;
mod tensor;
mod thresholds;
mod unary;
mod var;

pub use binary::{Binary, Choice};
pub use error::{RecordError, RecordErrors};
pub use function::{Contraction, Equation, Function, Root, Substitution, System};
pub use initial_value::{Gradient, InitialValue, Integration, Method, Solution};
pub use listing::Listing;
pub use op::{Data, Indices, Node, NodeId, Op, Operands};
pub use parameter::{Declaration, Init, ParameterError, Parameters, Tensor};
pub use place::Place;
pub use record::Tape;
pub(crate) use record::is_possible;
pub use shape::Shape;
pub(crate) use subgraph::Positions;
pub use subgraph::Subgraph;
pub(crate) use thresholds::Thresholds;
pub use unary::Unary;
pub(crate) use var::joined;
pub use var::{Condition, Operand, Var, concat, select, stack};
