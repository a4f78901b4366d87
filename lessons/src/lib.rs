//! Tools for writing lessons: pages of blocks, pictures, and checks with evidence.
//!
//! A lesson adds blocks to a [`Page`]; the page prints each block at once, keeps it, and at the end knows
//! whether every check holds. Each [`Lesson`] has an [`Exercise`], judged by proof where possible. Blocks do
//! not depend on the output format, so that the same page can become HTML: `terminal.rs` writes them in 80
//! columns, [`book`](fn@book) writes HTML, pictures are those of [`pushforward::plot`], and [`statistics`] gives the
//! uncertainty of means.

// The lessons are read as programs of a user: they name this crate as one.
extern crate self as pushforward_course;

mod afterwards;
mod book;
mod course_map;
mod covering;
mod data;
pub mod exercise;
mod lesson;
pub mod lessons;
mod page;
pub mod runner;
mod slope;
pub mod statistics;
mod terminal;

pub use book::book;
pub use covering::{Grid, coverings};
pub use data::data;
pub use exercise::Exercise;
pub use lesson::Lesson;
pub use page::{Block, Page};
pub use pushforward::derivation::{Formulas, equation, formulas};
pub use pushforward::plot::Picture;
pub use pushforward::program::values;
pub use slope::fit_slope;
