//! Parses formulas and evaluates them: text directly, LaTeX and MathML after conversion to text. A missing
//! bracket in any of them changes the result.
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
