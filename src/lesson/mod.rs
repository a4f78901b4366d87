//! What lessons are written with: a page of blocks, pictures, and checks that carry evidence.
//!
//! A lesson says what it has to say to a [`Page`]; the page prints each block at once, keeps it, and in the
//! end knows whether every check held. The blocks know nothing of terminals, so that the same page can become
//! HTML; how they look at 80 columns is `terminal.rs`, pictures are [`plot`], and [`statistics`]
//! says how sure a mean is.

mod covering;
mod page;
pub mod plot;
mod reading;
pub mod statistics;
mod terminal;

pub use covering::{Grid, coverings};
pub use page::{Block, Page};
pub use plot::{Picture, fit_slope};
pub use reading::{formulas, values};
