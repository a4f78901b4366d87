//! Judgements, and their output in a terminal.

use crate::terminal::{mark, wrap};
use pushforward::audit::{Claim, Evidence, Report, Topic};

/// The result of judging an answer.
pub type Judgement = Result<Passed, NotYet>;

/// A correct answer, with the claims that were asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Passed {
    /// What is now shown.
    pub headline: String,
    /// Each claim and its evidence.
    pub claims: Vec<(String, Evidence)>,
}

impl Passed {
    /// Builds the judgement of a correct answer.
    pub fn new(headline: impl Into<String>) -> Passed {
        Passed { headline: headline.into(), claims: Vec::new() }
    }

    /// Adds a claim.
    pub fn with(mut self, statement: impl Into<String>, evidence: Evidence) -> Passed {
        self.claims.push((statement.into(), evidence));
        self
    }
}

/// What is missing or wrong, with evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct NotYet {
    /// What is wrong, in a sentence.
    pub headline: String,
    /// The evidence: paths, points, terms.
    pub evidence: Vec<String>,
    /// What to do about it.
    pub advice: Option<String>,
}

impl NotYet {
    /// Builds a judgement of an incomplete or wrong answer; the sentence continues "exercise 07: ".
    pub fn new(headline: impl Into<String>) -> NotYet {
        NotYet { headline: headline.into(), evidence: Vec::new(), advice: None }
    }

    /// Adds evidence, on separate lines.
    pub fn because(mut self, evidence: impl Into<String>) -> NotYet {
        self.evidence.push(evidence.into());
        self
    }

    /// Adds advice.
    pub fn advise(mut self, advice: impl Into<String>) -> NotYet {
        self.advice = Some(advice.into());
        self
    }

    /// Returns an error for an audit's claim that is not as required: it must be proven, or at least checked.
    pub fn unless(report: &Report, topic: Topic, proven: bool, headline: &str) -> Result<Claim, NotYet> {
        let Some(claim) = report.claim(topic) else {
            return Err(NotYet::new(headline).because("the audit stopped before this claim"));
        };
        let holds = if proven { claim.evidence.label() == "proven" } else { claim.evidence.holds() };
        if holds {
            return Ok(claim.clone());
        }
        let known = format!("{}: {}", claim.evidence.label(), claim.statement);
        Err(NotYet::new(headline).because(known).because(claim.evidence.detail()))
    }
}

/// The judgement of an exercise.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The number of the exercise.
    pub number: u32,
    /// The result.
    pub judgement: Judgement,
}

impl Verdict {
    /// Returns whether the answer passed.
    pub fn passed(&self) -> bool {
        self.judgement.is_ok()
    }

    /// Writes the verdict in at most 80 columns.
    pub fn to_text(&self, colour: bool) -> String {
        let number = self.number;
        let mut text = String::new();
        let mut say = |line: &str, first: &str, rest: &str| {
            wrap(line, first, rest).iter().for_each(|line| text.push_str(&format!("{line}\n")));
        };
        match &self.judgement {
            Ok(passed) => {
                let sign = mark(&Evidence::Proven { reason: String::new() }, "✓", colour);
                say(&format!("@ exercise {number:02}: {}", passed.headline), "", "  ");
                for (statement, evidence) in &passed.claims {
                    say(&format!("{} {statement}", evidence.mark()), "    ", "      ");
                    say(&evidence.to_string(), "        ", "        ");
                }
                text = text.replacen('@', &sign, 1);
            }
            Err(wrong) => {
                let sign = mark(&Evidence::Refuted { witness: String::new() }, "✗", colour);
                say(&format!("@ exercise {number:02}: {}", wrong.headline), "", "  ");
                for line in wrong.evidence.iter().flat_map(|evidence| evidence.lines()) {
                    let indent: String = line.chars().take_while(|c| *c == ' ').collect();
                    say(line, &format!("    {indent}"), &format!("      {indent}"));
                }
                if let Some(advice) = &wrong.advice {
                    say(advice, "  ", "  ");
                }
                say(&format!("A hint: cargo run --release -- hint {number}"), "  ", "  ");
                text = text.replacen('@', &sign, 1);
            }
        }
        text
    }
}
