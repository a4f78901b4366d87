//! Why a certificate is not accepted.

use std::fmt;

/// Why a certificate was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection(String);

impl Rejection {
    pub(crate) fn new(message: impl Into<String>) -> Rejection {
        Rejection(message.into())
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Rejection {}

pub(super) type Checked<T> = Result<T, Rejection>;

pub(super) fn reject<T>(message: impl Into<String>) -> Checked<T> {
    Err(Rejection::new(message))
}
