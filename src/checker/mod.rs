//! A second program that checks the claims of the first.
//!
//! The audit says *proven* only of what this module accepts. It reads a certificate: programs as text, the
//! sets of the variables, a claim, and formulas that help to check it. It shares no code with the tape, the
//! sweeps and the proofs; it is written to be simple rather than fast.
//!
//! *What it trusts*: its own files, and dashu for integers, fractions, and correctly rounded elementary
//! functions; hashes (rustc-hash) find equal scalars, which are then compared. *What it does*: it writes a program out as scalar functions (`scalar.rs`) and asks four
//! questions about them: which inputs a scalar depends on, which values it has and whether it is defined
//! (`range.rs`, intervals of 192 bits rounded outwards, `interval.rs`, `elementary.rs`), what its derivative
//! is (`slope.rs`), and whether two are equal (`normal`, a normal form in exact fractions). `limit.rs`
//! computes limits at the ends of an interval. `claim.rs` has the arguments.
//!
//! Each answer is one-sided: what cannot be shown is rejected, and a rejection says nothing about the claim.

mod analytic;
mod bottleneck;
mod cases;
mod claim;
mod contraction;
mod coupled;
mod determinant;
mod elementary;
mod evaluate;
mod flow;
mod function;
mod interval;
mod limit;
mod map;
mod matrices;
mod norm;
mod normal;
mod pieces;
mod polar;
mod proper;
mod range;
mod refute;
mod rejection;
mod scalar;
mod sign;
mod slope;
mod stages;
mod text;
mod triangular;
mod written_out;

pub(crate) use evaluate::missed_variable;
pub use evaluate::{log_abs_det, values};
pub use rejection::Rejection;

/// Checks every certificate of a text; returns the claims that hold, in order.
///
/// # Errors
/// The first claim that cannot be shown to hold.
pub fn verify(certificates: &str) -> Result<Vec<String>, Rejection> {
    Checker::default().verify(certificates)
}

/// A checker that remembers which maps it accepted as bijections: certificates of an inverse and of a chain hold those
/// of their layers.
#[derive(Default)]
pub(crate) struct Checker {
    bijections: claim::Bijections,
}

impl Checker {
    /// As [`verify`].
    pub fn verify(&mut self, certificates: &str) -> Result<Vec<String>, Rejection> {
        let mut claims = Vec::new();
        for certificate in text::read(certificates)? {
            claim::check(&certificate, &mut self.bijections)?;
            claims.push(certificate.claim.join(" "));
        }
        Ok(claims)
    }
}
