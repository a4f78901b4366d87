//! Pages of lessons: blocks, added one after another, printed at once and kept.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::exercise::Exercise;
use super::terminal::{Style, render};
use pushforward::audit::{Evidence, Report};
use pushforward::derivation::{Derivation, Formulas};
use pushforward::plot::Picture;

/// A block of a page.
#[derive(Clone, Debug)]
pub enum Block {
    /// The title of the lesson.
    Title {
        /// Its number.
        number: u32,
        /// The title.
        text: String,
    },
    /// The question that the lesson answers.
    Question(String),
    /// A question for the reader to answer before reading on.
    Prediction(String),
    /// The heading of a section.
    Heading(String),
    /// A paragraph.
    Prose(String),
    /// One or several lines of formulas, in every notation.
    Formula(Formulas),
    /// Preformatted text: an error, a program.
    Listing(String),
    /// A derivation.
    Derivation(Box<Derivation>),
    /// The report of an audit.
    Report(Box<Report>),
    /// A number with its unit; `measured` if it depends on this machine.
    Number {
        /// What the number is.
        label: String,
        /// Its value.
        value: f64,
        /// The unit; may be empty.
        unit: String,
        /// Whether it depends on the machine.
        measured: bool,
    },
    /// A table; `measured` if its numbers depend on this machine.
    Table {
        /// Names of the columns.
        headers: Vec<String>,
        /// Cells by row.
        rows: Vec<Vec<String>>,
        /// Whether the cells depend on the machine.
        measured: bool,
    },
    /// A picture, and the file of its SVG.
    Picture {
        /// The name of its file without `.svg`.
        name: String,
        /// The picture.
        picture: Box<Picture>,
        /// Whether it shows measurements on this machine.
        measured: bool,
        /// The file, or why it could not be written.
        file: Result<String, String>,
    },
    /// A claim and its evidence.
    Check {
        /// The claim.
        statement: String,
        /// The evidence.
        evidence: Evidence,
    },
    /// A common misconception.
    Misconception(String),
    /// The exercise.
    Exercise(Exercise),
    /// An aside.
    Note(String),
    /// Further reading: paper, equation, section.
    ReadOn(String),
    /// The next lesson.
    Next(String),
}

impl Block {
    /// Returns whether no blank line separates it from blocks of the same kind.
    pub(super) fn is_compact(&self) -> bool {
        matches!(self, Block::Check { .. } | Block::Number { .. })
    }
}

/// A lesson that is running.
#[derive(Debug)]
pub struct Page {
    slug: String,
    blocks: Vec<Block>,
    style: Style,
    /// Whether blocks are printed as they are added.
    told: bool,
}

impl Page {
    /// Begins a lesson; `slug` is the name of its file without `.rs`.
    ///
    /// Colour is used on a terminal unless `NO_COLOR` is set. If `PUSHFORWARD_MASK` is set, numbers that
    /// depend on the machine are masked, so that the page can be compared with a snapshot.
    pub fn new(number: u32, slug: &str, title: impl Into<String>) -> Page {
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let masked = std::env::var_os("PUSHFORWARD_MASK").is_some();
        let style = Style { colour, masked };
        let mut page = Page { slug: slug.to_string(), blocks: Vec::new(), style, told: true };
        page.add(Block::Title { number, text: title.into() });
        page
    }

    /// Begins a page that is no lesson and has no title; `told` says whether its blocks are printed.
    pub fn untitled(told: bool) -> Page {
        let colour = told && std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Page { slug: String::new(), blocks: Vec::new(), style: Style { colour, masked: false }, told }
    }

    /// Begins a lesson that prints nothing and writes no files: its blocks become a page of the book.
    pub fn silent(number: u32, slug: &str, title: impl Into<String>) -> Page {
        let style = Style { colour: false, masked: false };
        let mut page = Page { slug: slug.to_string(), blocks: Vec::new(), style, told: false };
        page.add(Block::Title { number, text: title.into() });
        page
    }

    /// Adds a block and prints it.
    pub fn add(&mut self, block: Block) {
        if !self.told {
            self.blocks.push(block);
            return;
        }
        let mut text = render(&block, self.style);
        // No blank line between checks and numbers, but one after them.
        if self.blocks.last().is_some_and(Block::is_compact) && !block.is_compact() {
            text.insert(0, '\n');
        }
        // A closed pipe is no error; the checks continue and determine the exit code.
        let _ = std::io::stdout().write_all(text.as_bytes());
        let _ = std::io::stdout().flush();
        self.blocks.push(block);
    }

    /// The blocks so far.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Adds the question that the lesson answers.
    pub fn question(&mut self, text: impl Into<String>) {
        self.add(Block::Question(text.into()));
    }

    /// Adds a question for the reader to answer before reading on.
    pub fn predict(&mut self, text: impl Into<String>) {
        self.add(Block::Prediction(text.into()));
    }

    /// Adds the heading of a section.
    pub fn heading(&mut self, text: impl Into<String>) {
        self.add(Block::Heading(text.into()));
    }

    /// Adds a paragraph; line breaks in it are ignored.
    pub fn prose(&mut self, text: impl Into<String>) {
        self.add(Block::Prose(text.into()));
    }

    /// Adds formulas, one a line: from a tape, or typed.
    pub fn formula(&mut self, formulas: impl Into<Formulas>) {
        self.add(Block::Formula(formulas.into()));
    }

    /// Adds preformatted text.
    pub fn listing(&mut self, text: impl Into<String>) {
        self.add(Block::Listing(text.into()));
    }

    /// Adds a whole derivation.
    pub fn derivation(&mut self, derivation: &Derivation) {
        self.add(Block::Derivation(Box::new(derivation.clone())));
    }

    /// Adds the report of an audit, whatever its result.
    pub fn report(&mut self, report: &Report) {
        self.add(Block::Report(Box::new(report.clone())));
    }

    /// Adds a number that is the same on every machine.
    pub fn number(&mut self, label: impl Into<String>, value: f64, unit: &str) {
        let (label, unit) = (label.into(), unit.to_string());
        self.add(Block::Number { label, value, unit, measured: false });
    }

    /// Adds a number measured on this machine.
    pub fn measured(&mut self, label: impl Into<String>, value: f64, unit: &str) {
        let (label, unit) = (label.into(), unit.to_string());
        self.add(Block::Number { label, value, unit, measured: true });
    }

    /// Adds a table that is the same on every machine.
    pub fn table(&mut self, headers: &[&str], rows: Vec<Vec<String>>) {
        let headers = headers.iter().map(|header| header.to_string()).collect();
        self.add(Block::Table { headers, rows, measured: false });
    }

    /// Adds a table with measurements on this machine.
    pub fn measured_table(&mut self, headers: &[&str], rows: Vec<Vec<String>>) {
        let headers = headers.iter().map(|header| header.to_string()).collect();
        self.add(Block::Table { headers, rows, measured: true });
    }

    /// Adds a picture, and writes it to `out/lessons/SLUG/NAME.svg` (`PUSHFORWARD_OUT` replaces `out`). A
    /// picture that cannot be written is still shown, with the reason.
    pub fn picture(&mut self, name: &str, picture: Picture) {
        self.draw(name, picture, false);
    }

    /// Adds a picture of measurements on this machine.
    pub fn measured_picture(&mut self, name: &str, picture: Picture) {
        self.draw(name, picture, true);
    }

    fn draw(&mut self, name: &str, picture: Picture, measured: bool) {
        let picture = Box::new(picture);
        if !self.told {
            let (name, file) = (name.to_string(), Ok(String::new()));
            return self.add(Block::Picture { name, picture, measured, file });
        }
        let out = std::env::var_os("PUSHFORWARD_OUT").map_or_else(|| PathBuf::from("out"), PathBuf::from);
        let folder = out.join("lessons").join(&self.slug);
        let file = folder.join(format!("{name}.svg"));
        let partial = folder.join(format!("{name}.svg.part"));
        let written = fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&partial, picture.to_svg()))
            .and_then(|()| fs::rename(&partial, &file));
        let shown = file.display().to_string();
        let file = written.map(|()| shown.clone()).map_err(|error| format!("{shown}: {error}"));
        self.add(Block::Picture { name: name.to_string(), picture, measured, file });
    }

    /// Adds a claim with its evidence.
    pub fn check(&mut self, statement: impl Into<String>, evidence: Evidence) {
        self.add(Block::Check { statement: statement.into(), evidence });
    }

    /// Adds a claim that two numbers agree within a tolerance.
    pub fn check_close(&mut self, statement: impl Into<String>, found: f64, expected: f64, tolerance: f64) {
        let worst = (found - expected).abs();
        let evidence = if worst <= tolerance {
            Evidence::Checked { points: 1, worst, tolerance, seed: None }
        } else {
            Evidence::Refuted { witness: format!("found {found}, expected {expected}") }
        };
        self.check(statement, evidence);
    }

    /// Adds a claim that a condition holds.
    pub fn check_that(&mut self, statement: impl Into<String>, holds: bool, witness: impl Into<String>) {
        let evidence = match holds {
            true => Evidence::Checked { points: 1, worst: 0.0, tolerance: 0.0, seed: None },
            false => Evidence::Refuted { witness: witness.into() },
        };
        self.check(statement, evidence);
    }

    /// Adds the report of an audit, and the check that nothing in it is refuted.
    pub fn audit(&mut self, report: &Report) {
        self.report(report);
        let refuted: Vec<&str> = report.refuted().map(|claim| claim.statement.as_str()).collect();
        self.check_that(
            format!("the audit of {} refutes nothing", report.subject),
            report.has_no_refutation(),
            refuted.join("; "),
        );
    }

    /// Adds a common misconception.
    pub fn misconception(&mut self, text: impl Into<String>) {
        self.add(Block::Misconception(text.into()));
    }

    /// Adds the exercise, with a heading.
    pub fn exercise(&mut self, exercise: &Exercise) {
        self.heading("Your turn");
        self.add(Block::Exercise(*exercise));
    }

    /// Adds an aside.
    pub fn note(&mut self, text: impl Into<String>) {
        self.add(Block::Note(text.into()));
    }

    /// Adds further reading.
    pub fn read_on(&mut self, text: impl Into<String>) {
        self.add(Block::ReadOn(text.into()));
    }

    /// Adds the next lesson, by the name of its binary.
    pub fn next(&mut self, text: impl Into<String>) {
        self.add(Block::Next(text.into()));
    }

    /// Returns the checks that do not hold.
    pub fn failed(&self) -> Vec<&str> {
        let failed = self.blocks.iter().filter_map(|block| match block {
            Block::Check { statement, evidence } if !evidence.holds() => Some(statement.as_str()),
            _ => None,
        });
        failed.collect()
    }

    /// Ends the lesson; fails if a check does not hold.
    pub fn finish(self) -> ExitCode {
        let checks = self.blocks.iter().filter_map(|block| match block {
            Block::Check { statement, evidence } => Some((statement, evidence.holds())),
            _ => None,
        });
        let (held, failed): (Vec<_>, Vec<_>) = checks.partition(|(_, holds)| *holds);
        let plural = if held.len() == 1 { " holds" } else { "s hold" };
        let mut text = format!("  {} check{plural}", held.len());
        if !failed.is_empty() {
            text.push_str(&format!(", {} do not:", failed.len()));
            failed.iter().for_each(|(statement, _)| text.push_str(&format!("\n    ✗ {statement}")));
        }
        text.push_str("\n\n");
        let _ = std::io::stdout().write_all(text.as_bytes());
        if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
