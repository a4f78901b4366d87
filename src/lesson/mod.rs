//! What lessons are written with: a page of blocks, pictures, and checks that carry evidence.
//!
//! A lesson says what it has to say to a [`Page`]; the page prints each block at once, keeps it, and in the
//! end knows whether every check held. Each [`Lesson`] asks an [`Exercise`], which is judged, by proof where it can be.
//! The blocks know nothing of terminals, so that the same page can become HTML: how they look at 80 columns is
//! `terminal.rs`, how they look in a browser [`book`](fn@book), pictures are [`plot`], and [`statistics`] says how sure
//! a mean is.

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
