//! Every layer of the catalogue, with the range of its variables that tests may use.

pub use pushforward::layers::{Example as Entry, catalogue};
