//! Reads formulas back and works them out: the text as it stands, LaTeX and MathML by way of the text that says the
//! same. A bracket that is missing in any of them changes the number that comes out.
// Each test file uses its part of it.
#![allow(dead_code, unused_imports)]

mod evaluate;
mod latex;
mod mathml;
mod said;
mod scope;
mod value;

pub use latex::text_of_latex;
pub use mathml::{Element, parse, text_of_mathml};
pub use said::equations_that_hold;
pub use scope::Scope;
pub use value::Value;
