//! The tests of the command, in one binary: what it says when piped, and every lesson as it runs it.

mod command_line;
mod exports;
mod graphs;
mod lessons;
mod reports;
#[path = "../../../tests/snapshot/mod.rs"]
mod snapshot;
mod tables;
