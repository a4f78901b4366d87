//! Tools for writing lessons: pages of blocks, pictures, and checks with evidence.
//!
//! A lesson adds blocks to a [`Page`]; the page prints each block at once, keeps it, and at the end knows
//! whether every check holds. Each [`Lesson`] has an [`Exercise`], judged by proof where possible. Blocks do
//! not depend on the output format, so that the same page can become HTML: `terminal.rs` writes them in 80
//! columns, [`book`](fn@book) writes HTML, pictures are [`plot`], and [`statistics`] gives the uncertainty of
//! means.

mod book;
mod covering;
pub mod exercise;
mod page;
pub mod plot;
mod reading;
pub mod statistics;
mod syllabus;
mod terminal;

pub use book::book;
pub use covering::{Grid, coverings};
pub use exercise::Exercise;
pub use page::{Block, Page};
pub use plot::{Picture, fit_slope};
pub use reading::{Formulas, data, equation, formulas, values};
pub use syllabus::Lesson;
