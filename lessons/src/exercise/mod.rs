//! Exercises: questions, and judges of answers: by proof where possible, at points otherwise.
//!
//! A learner edits one short file. A judge (`lessons/judges/NN_slug.rs`) examines what it defines and returns
//! a [`Judgement`]: [`Passed`] with the claims that hold, or [`NotYet`] with evidence: a path with the
//! learner's own source lines, a point and the two values there, the wrong term of a formula beside the
//! derived one. Judges use the functions of these files: `answer.rs` records a learner's answer, once;
//! `probes.rs` chooses the points; `compare.rs` compares two formulas; `dependence.rs` finds what depends on
//! what; `pieces.rs` checks whether a map covers an interval once. Nothing compares strings, and nothing that
//! a learner writes makes a judge panic: an open `todo!()` is caught and reported with its line.

mod answer;
mod attempt;
mod compare;
mod dependence;
mod equal;
mod handover;
mod normal_form;
mod pieces;
mod probes;
mod proof;
pub(crate) mod source;
mod space;
mod verdict;

pub use answer::{Allowed, Answer};
pub use compare::{Comparison, compared, terms_apart};
pub use dependence::{depends, draws, filled};
pub use handover::{Handed, VERDICT_FILE, handed};
pub use pieces::Pieces;
pub use probes::Probes;
pub use proof::{
    apart, defined, derived_log_det, formula, given_formula, one_to_one, place, points, recorded, shown,
    without_mistakes,
};
pub use space::Space;
pub use verdict::{Judgement, NotYet, Passed, Verdict};

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use self::handover::Handover;

/// An exercise, without its judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exercise {
    /// The number of its lesson.
    pub number: u32,
    /// The name of its file without `.rs`: `07_triangular_is_cheap`.
    pub slug: &'static str,
    /// What the learner is to write; paragraphs are separated by blank lines.
    pub question: &'static str,
    /// How an answer is judged.
    pub proof: &'static str,
    /// Three hints, each more detailed than the one before.
    pub hints: [&'static str; 3],
}

impl Exercise {
    /// The file that the learner edits, relative to the root of the repository.
    pub fn file(&self) -> String {
        format!("lessons/exercises/{}.rs", self.slug)
    }

    /// Judges an answer. A panic, usually an open `todo!()`, counts as an incomplete answer.
    pub fn judged(&self, judge: impl FnOnce() -> Judgement) -> Verdict {
        let judgement = attempt::caught(judge).unwrap_or_else(|panic| Err(panic.told()));
        Verdict { number: self.number, judgement }
    }

    /// Judges an answer, prints the verdict, passes it to the runner, and returns an exit code that says
    /// whether it passed.
    pub fn check(&self, judge: impl FnOnce() -> Judgement) -> ExitCode {
        let handover = Handover::begin();
        let verdict = self.judged(judge);
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        // A closed pipe is no error; the exit code still tells the result.
        let _ = std::io::stdout().write_all(verdict.to_text(colour).as_bytes());
        handover.end(verdict.passed());
        if verdict.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
