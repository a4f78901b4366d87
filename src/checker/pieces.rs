//! Maps that are given piece by piece.

use super::claim::reject;
use super::Rejection;
use super::text::Certificate;

pub(super) fn check(_certificate: &Certificate) -> Result<(), Rejection> {
    reject("pieces")
}

pub(super) fn determinant(_certificate: &Certificate, _sign: &str) -> Result<(), Rejection> {
    reject("pieces")
}
