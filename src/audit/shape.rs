//! Dimension and purity of the recording.

use super::evidence::Evidence;
use super::report::{Claim, Topic};
use super::subject::{RECORDINGS, Subject};

pub(super) fn claims(subject: &Subject) -> Vec<Claim> {
    let d = subject.d;
    let plural = if d == 1 { "" } else { "s" };
    let reason = "the shapes of the recorded program".to_string();
    let shape = Claim::new(
        Topic::Shape,
        format!("forward maps {d} variable{plural} to {d}"),
        Evidence::Proven { reason },
    );
    // Calling a function cannot prove that it records the same program each time.
    let evidence = Evidence::Checked { points: RECORDINGS, worst: 0.0, tolerance: 0.0, seed: None };
    let purity =
        Claim::new(Topic::Purity, "forward is pure: it records the same program at each call", evidence);
    vec![shape, purity]
}
