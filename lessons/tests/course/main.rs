//! The tests of the course, in one binary: how answers are judged, the pages of the book, the places of a lesson.

mod book;
mod exercises;
#[path = "../../../tests/notation_reader/mod.rs"]
mod notation_reader;
mod places;
#[path = "../../../tests/snapshot/mod.rs"]
mod snapshot;
