//! Claims about a bijection, each with its evidence.

mod evidence;

pub use evidence::Evidence;
