//! An adversarial test: programs that are nearly bijections, and bijections that look like non-bijections.
//!
//! Each program is plain data (a recipe) whose properties are known by construction. An audit may leave a
//! question open, but a false statement must never be proven and a true one never refuted.
//!
//! `PROPTEST_CASES=1000000 cargo test --release --test library adversary:: -- --nocapture` tries a million programs.

mod affine;
mod contractive;
mod edge;
mod fault;
mod hand;
mod line;
mod meant;
mod meeting;
mod named;
mod program;
mod recipe;
mod recorder;
mod singular;
mod step;
mod tally;
mod truth;

use std::sync::Mutex;

use crate::random_programs::Chooser;
use crate::random_programs::seeded::for_seeds_on_two_threads;
use program::Program;
use tally::Tally;

#[test]
fn no_planted_fault_is_proven() {
    let tally = Mutex::new(Tally::default());
    for_seeds_on_two_threads(200, |seed| {
        let mut choose = Chooser::new(seed);
        let program = Program::wrong(&mut choose);
        tally::look(&tally, seed, &program, Some("false proven"));
        Ok(())
    });
    tally.into_inner().unwrap().settle("faulty programs");
}

#[test]
fn no_true_bijection_is_refuted() {
    let tally = Mutex::new(Tally::default());
    for_seeds_on_two_threads(200, |seed| {
        let mut choose = Chooser::new(seed);
        let program = Program::right(&mut choose);
        tally::look(&tally, seed, &program, None);
        Ok(())
    });
    tally.into_inner().unwrap().settle("bijections");
}

#[test]
fn what_is_true_of_a_faulty_program_is_not_refuted() {
    let tally = Mutex::new(Tally::default());
    for_seeds_on_two_threads(100, |seed| {
        let mut choose = Chooser::new(seed);
        let program = Program::wrong(&mut choose);
        tally::look(&tally, seed, &program, Some("false refuted"));
        Ok(())
    });
    tally.into_inner().unwrap().settle("faulty programs");
}
