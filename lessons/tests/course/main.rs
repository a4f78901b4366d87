//! The tests of the course, in one binary: what lessons say, how answers are judged, the pages of the book.

mod book;
mod exercises;
mod lessons;
#[path = "../../../tests/notation_reader/mod.rs"]
mod notation_reader;
mod places;
