//! How a verdict reaches the runner: with a token that the answer cannot know.
//!
//! A learner's code runs in the judge's process, so it can end that process with any exit code, or die in it. An exit code
//! is therefore no verdict. The runner names a file in the environment and sends a token through the standard input; the
//! judge takes the token out of it before any of the answer runs, notes in the file that it has begun, and writes the token
//! there when an answer has passed, and only then.

use std::fs;
use std::path::{Path, PathBuf};

/// The environment variable that names the file.
pub const VERDICT_FILE: &str = "PUSHFORWARD_VERDICT";

const BEGUN: &str = "begun";
const NOT_YET: &str = "not yet";

/// The judge's end of it.
#[derive(Debug)]
pub(super) struct Handover {
    to: Option<(PathBuf, String)>,
}

/// What a judge has left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handed {
    /// It has not begun: there is no program.
    Nothing,
    /// It has begun and came to no verdict.
    Begun,
    /// Something is missing or wrong.
    NotYet,
    /// The answer holds.
    Passed,
}

impl Handover {
    /// Takes the token, before the answer runs; nothing where no runner waits.
    pub fn begin() -> Handover {
        let Some(file) = std::env::var_os(VERDICT_FILE).map(PathBuf::from) else {
            return Handover { to: None };
        };
        let mut token = String::new();
        let _ = std::io::stdin().read_line(&mut token);
        let _ = fs::write(&file, BEGUN);
        Handover { to: Some((file, token.trim().to_string())) }
    }

    /// Hands the verdict over.
    pub fn end(self, passed: bool) {
        if let Some((file, token)) = self.to {
            // A file that cannot be written is no verdict, and the runner says so.
            let _ = fs::write(&file, if passed { token.as_str() } else { NOT_YET });
        }
    }
}

/// Reads what a judge has left in a file; `token` is what it was sent.
pub fn handed(file: &Path, token: &str) -> Handed {
    match fs::read_to_string(file) {
        Ok(text) if text == token && !token.is_empty() => Handed::Passed,
        Ok(text) if text == NOT_YET => Handed::NotYet,
        Ok(text) if !text.is_empty() => Handed::Begun,
        _ => Handed::Nothing,
    }
}
