//! The truth about a program, and the verdict of an audit.

use pushforward::audit::{AuditOptions, Report, Topic, audit_with};
use pushforward::prelude::*;

/// What is asked of a bijection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Two recordings are the same program.
    Pure,
    /// J has its declared zeros.
    Structure,
    /// f(z) is a number for all z and parameters.
    Defined,
    /// det J is not 0 and has one sign.
    Determinant,
    /// No two points have the same image.
    OneToOne,
    /// One-to-one, and each point of the codomain is an image.
    Onto,
    /// The log-determinant that is derived.
    LogDet,
    /// The log-determinant written by hand.
    GivenLogDet,
    /// f⁻¹, as derived or given, brings z home.
    Inverse,
    /// The inverse written by hand.
    GivenInverse,
    /// p integrates to 1.
    Mass,
}

/// What is true; `None` where this generator does not know.
#[derive(Clone, Copy, Debug)]
pub struct Truth {
    pub pure: Option<bool>,
    pub structure: Option<bool>,
    pub defined: Option<bool>,
    pub determinant: Option<bool>,
    pub one_to_one: Option<bool>,
    pub onto: Option<bool>,
    pub given_log_det: Option<bool>,
    pub given_inverse: Option<bool>,
}

impl Truth {
    /// A bijection, rightly declared.
    pub const ALL: Truth = Truth {
        pure: Some(true),
        structure: Some(true),
        defined: Some(true),
        determinant: Some(true),
        one_to_one: Some(true),
        onto: Some(true),
        given_log_det: Some(true),
        given_inverse: Some(true),
    };

    /// Nothing is known.
    pub const NONE: Truth = Truth {
        pure: None,
        structure: None,
        defined: None,
        determinant: None,
        one_to_one: None,
        onto: None,
        given_log_det: None,
        given_inverse: None,
    };

    /// Whether it is true, if that is known.
    pub fn of(&self, question: Question) -> Option<bool> {
        let all = |facts: &[Option<bool>]| {
            if facts.contains(&Some(false)) {
                Some(false)
            } else {
                facts.iter().all(|fact| *fact == Some(true)).then_some(true)
            }
        };
        match question {
            Question::Pure => self.pure,
            Question::Structure => self.structure,
            Question::Defined => self.defined,
            Question::Determinant => self.determinant,
            Question::OneToOne => self.one_to_one,
            Question::Onto => all(&[self.one_to_one, self.onto]),
            Question::LogDet => all(&[self.one_to_one, self.structure]).filter(|holds| *holds),
            Question::GivenLogDet => self.given_log_det,
            Question::Inverse => all(&[self.one_to_one, self.given_inverse]),
            Question::GivenInverse => all(&[self.one_to_one, self.given_inverse]),
            Question::Mass => all(&[self.one_to_one, self.onto]),
        }
    }
}

/// What an audit says.
pub struct Verdicts {
    pub claims: Vec<Verdict>,
}

pub struct Verdict {
    pub question: Question,
    pub word: &'static str,
    pub statement: String,
    pub detail: String,
}

impl Verdicts {
    /// The word of the first claim about a question; "nothing" when none was made.
    pub fn word(&self, question: Question) -> &'static str {
        let claim = self.claims.iter().find(|claim| claim.question == question);
        claim.map_or("nothing", |claim| claim.word)
    }

    /// The first claim that says the contrary of what is true: a sort of contradiction, or of any.
    pub fn contradicting(&self, truth: &Truth, only: Option<&str>) -> Option<(&'static str, &Verdict)> {
        let contradictions =
            self.claims.iter().filter_map(|claim| match (claim.word, truth.of(claim.question)) {
                ("proven", Some(false)) => Some(("false proven", claim)),
                ("refuted", Some(true)) => Some(("false refuted", claim)),
                _ => None,
            });
        contradictions.into_iter().find(|(sort, _)| only.is_none_or(|only| only == *sort))
    }
}

/// Everything that these tests ask of the library. What cannot be recorded at all has no claims, and no proof.
pub fn verdicts(layer: &dyn Bijection) -> Verdicts {
    let settings = AuditOptions { seed: 0, points: 8, decide_only: true, ..AuditOptions::default() };
    match audit_with(layer, &settings) {
        Ok(report) => Verdicts { claims: said(&report) },
        Err(_) => Verdicts { claims: Vec::new() },
    }
}

fn said(report: &Report) -> Vec<Verdict> {
    let mut claims = Vec::new();
    for claim in &report.claims {
        let mut push = |question| {
            let (word, detail) = (claim.evidence.label(), claim.evidence.detail());
            claims.push(Verdict { question, word, statement: claim.statement.clone(), detail });
        };
        // A claim about one layer of several is not one about the whole.
        let of_a_layer = claim.statement.contains(": ");
        match claim.topic {
            Topic::Purity => push(Question::Pure),
            Topic::Structure if !of_a_layer => push(Question::Structure),
            Topic::Finite => push(Question::Defined),
            Topic::Determinant if !of_a_layer => push(Question::Determinant),
            Topic::Injective if claim.statement.contains("onto") => {
                // Said together with one-to-one: what refutes both need not refute that.
                if claim.evidence.label() != "refuted" {
                    push(Question::OneToOne);
                }
                push(Question::Onto);
            }
            Topic::Injective => push(Question::OneToOne),
            Topic::LogDet | Topic::InverseLogDet | Topic::ChainRule | Topic::Jacobian => {
                push(Question::LogDet)
            }
            Topic::GivenLogDet if !of_a_layer => push(Question::GivenLogDet),
            // Wherever it is defined: that says nothing of a z where it is not.
            Topic::Inverse if claim.statement.contains("wherever") => {}
            Topic::Inverse => push(Question::Inverse),
            Topic::GivenInverse if !of_a_layer => push(Question::GivenInverse),
            Topic::Codomain if claim.statement.starts_with("every x") => push(Question::Onto),
            Topic::Mass => push(Question::Mass),
            _ => {}
        }
    }
    claims
}
