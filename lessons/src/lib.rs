//! What lessons are written with: a page of blocks, pictures, and checks that carry evidence.
//!
//! A lesson says what it has to say to a [`Page`]; the page prints each block at once, keeps it, and in the
//! end knows whether every check held. Each [`Lesson`] asks an [`Exercise`], which is judged, by proof where it can be.
//! The blocks know nothing of terminals, so that the same page can become HTML: how they look at 80 columns is
//! `terminal.rs`, how they look in a browser [`book`](fn@book), pictures are [`plot`], and [`statistics`] says how sure
//! a mean is.

// The lessons are read as programs of a user: they name this crate as one.
extern crate self as pushforward_course;

mod book;
mod covering;
mod data;
pub mod exercise;
pub mod lessons;
mod page;
pub mod plot;
pub mod runner;
pub mod statistics;
mod syllabus;
mod terminal;

pub use book::book;
pub use covering::{Grid, coverings};
pub use data::data;
pub use exercise::Exercise;
pub use page::{Block, Page};
pub use plot::{Picture, fit_slope};
pub use pushforward::derivation::{Formulas, equation, formulas};
pub use pushforward::program::values;
pub use syllabus::Lesson;
