//! Reports: claims with their evidence, for people and for machines.

use std::fmt;

use super::evidence::Evidence;

/// What a claim is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Topic {
    /// Number of inputs and outputs.
    Shape,
    /// The recording is the same at each call.
    Purity,
    /// The declared structure of the Jacobian.
    Structure,
    /// f is finite on the domain.
    Finite,
    /// The Jacobian itself.
    Jacobian,
    /// det J is not 0 and has one sign.
    Determinant,
    /// det J is not 0 and has one sign but on a set of measure 0.
    DeterminantAlmostEverywhere,
    /// ln|det J|.
    LogDet,
    /// How many digits of ln|det J| are correct.
    Accuracy,
    /// A log-determinant written by hand.
    GivenLogDet,
    /// How far ln|det J| of a quadrature is from that of the integral.
    Approximation,
    /// The determinant chain rule of a composition.
    ChainRule,
    /// f⁻¹, derived or given by the layer.
    Inverse,
    /// An inverse written by hand equals the derived one.
    GivenInverse,
    /// ln|det J_{f⁻¹}(x)| = -ln|det J_f(z)|.
    InverseLogDet,
    /// The exact solutions of a continuous layer's equation, of which f is an approximation.
    ExactFlow,
    /// The layer of which f is the inverse is a bijection.
    Turned,
    /// No two points have the same image.
    Injective,
    /// The images lie in the codomain and fill it.
    Codomain,
    /// The density integrates to 1.
    Mass,
}

/// A statement and its evidence.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Claim {
    /// Its topic.
    pub topic: Topic,
    /// The statement.
    pub statement: String,
    /// The evidence.
    pub evidence: Evidence,
    /// The certificates that the checker accepted, for proven and for refuted claims.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub certificates: Vec<String>,
}

impl Claim {
    pub(super) fn new(topic: Topic, statement: impl Into<String>, evidence: Evidence) -> Claim {
        Claim { topic, statement: statement.into(), evidence, certificates: Vec::new() }
    }

    /// Builds a proven or refuted claim with the certificates that the checker accepted.
    pub(super) fn certified(
        topic: Topic,
        statement: impl Into<String>,
        evidence: Evidence,
        certificates: Vec<String>,
    ) -> Claim {
        Claim { certificates, ..Claim::new(topic, statement, evidence) }
    }
}

/// All claims about one bijection.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Report {
    /// Name of the bijection.
    pub subject: String,
    /// Number of variables.
    pub dim: usize,
    /// The seed of points and parameters.
    pub seed: u64,
    /// The claims, in the order of the audit.
    pub claims: Vec<Claim>,
    /// Structures that could be declared, and their gain.
    pub advice: Vec<String>,
}

impl Report {
    pub(super) fn new(subject: &str, dim: usize, seed: u64) -> Report {
        Report { subject: subject.to_string(), dim, seed, claims: Vec::new(), advice: Vec::new() }
    }

    pub(super) fn push(&mut self, claim: Claim) {
        self.claims.push(claim);
    }

    pub(super) fn extend(&mut self, claims: impl IntoIterator<Item = Claim>) {
        self.claims.extend(claims);
    }

    /// Returns the first claim about a topic.
    pub fn claim(&self, topic: Topic) -> Option<&Claim> {
        self.claims.iter().find(|claim| claim.topic == topic)
    }

    /// Returns the claims that are refuted.
    pub fn refuted(&self) -> impl Iterator<Item = &Claim> {
        self.claims.iter().filter(|claim| matches!(claim.evidence, Evidence::Refuted { .. }))
    }

    /// Returns whether nothing is refuted.
    pub fn has_no_refutation(&self) -> bool {
        self.refuted().next().is_none()
    }

    /// The certificates of all claims as one text, the input of `pushforward verify`.
    pub fn certificates(&self) -> String {
        self.claims.iter().flat_map(|claim| &claim.certificates).cloned().collect()
    }

    /// The report as JSON.
    #[cfg(feature = "serde")]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report holds nothing that JSON cannot say")
    }
}

/// Two less than the 80 columns of a terminal, so that a lesson can indent it.
const WIDTH: usize = 78;
const INDENT: &str = "      ";

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.dim == 1 { "" } else { "s" };
        writeln!(f, "Audit of {}, {} variable{plural}, seed {}", self.subject, self.dim, self.seed)?;
        writeln!(f, "{}", "─".repeat(WIDTH))?;
        for claim in &self.claims {
            let evidence = &claim.evidence;
            for (k, line) in wrapped(&claim.statement, WIDTH - 15).iter().enumerate() {
                match k {
                    0 => writeln!(f, " {} {:<10}  {line}", evidence.mark(), evidence.label())?,
                    _ => writeln!(f, "{:15}{line}", "")?,
                }
            }
            for line in evidence.detail().lines().flat_map(|line| wrapped(line, WIDTH - 15)) {
                writeln!(f, "{:15}{line}", "")?;
            }
        }
        for advice in &self.advice {
            for (k, line) in wrapped(advice, WIDTH - INDENT.len()).iter().enumerate() {
                writeln!(f, "{}{line}", if k == 0 { "   →  " } else { INDENT })?;
            }
        }
        let count = |word: &str| self.claims.iter().filter(|claim| claim.evidence.label() == word).count();
        write!(
            f,
            "{}\n {} proven, {} checked, {} not proven, {} refuted",
            "─".repeat(WIDTH),
            count("proven"),
            count("checked"),
            count("not proven"),
            count("refuted")
        )
    }
}

/// Wraps text at spaces into lines of at most `width` characters; leading spaces are repeated on every line.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let indent: String = text.chars().take_while(|c| *c == ' ').collect();
    let mut lines = Vec::new();
    let mut line = indent.clone();
    for word in text.trim_start().split(' ') {
        let fits = line.chars().count() + 1 + word.chars().count() <= width;
        if line.len() > indent.len() {
            if fits {
                line.push(' ');
            } else {
                lines.push(std::mem::replace(&mut line, format!("{indent}  ")));
            }
        }
        line.push_str(word);
        while line.chars().count() > width {
            let rest: String = line.chars().skip(width).collect();
            let head: String = line.chars().take(width).collect();
            lines.push(head);
            line = format!("{indent}  {rest}");
        }
    }
    lines.push(line);
    lines
}
