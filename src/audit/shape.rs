//! Dimension and purity: settled by the recording.

use super::evidence::Evidence;
use super::report::{Claim, Topic};
use super::subject::Subject;

pub(super) fn claims(subject: &Subject) -> Vec<Claim> {
    let d = subject.d;
    let reason = "the shapes of the recording, which came out the same twice".to_string();
    let plural = if d == 1 { "" } else { "s" };
    let statement = format!("forward maps {d} variable{plural} to {d} and is a pure recording");
    vec![Claim::new(Topic::Shape, statement, Evidence::Proven { reason })]
}
