//! Passing the verdict to the runner, with a token that the answer cannot know.
//!
//! A learner's code runs in the judge's process, so it can end that process with any exit code, or crash it.
//! An exit code is therefore not a verdict. The runner names a file in the environment and sends a token
//! through standard input. The judge reads the token before any of the answer runs, notes in the file that it
//! has started, and writes the token there when an answer has passed, and only then.

use std::fs;
use std::path::{Path, PathBuf};

/// The environment variable that names the file.
pub const VERDICT_FILE: &str = "PUSHFORWARD_VERDICT";

const BEGUN: &str = "begun";
const NOT_YET: &str = "not yet";

/// The judge's side.
#[derive(Debug)]
pub(super) struct Handover {
    to: Option<(PathBuf, String)>,
}

/// What a judge has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handed {
    /// It has not started: there is no program.
    Nothing,
    /// It has started but has not reached a verdict.
    Begun,
    /// The answer is incomplete or wrong.
    NotYet,
    /// The answer is correct.
    Passed,
}

impl Handover {
    /// Reads the token before the answer runs; does nothing if there is no runner.
    pub fn begin() -> Handover {
        let Some(file) = std::env::var_os(VERDICT_FILE).map(PathBuf::from) else {
            return Handover { to: None };
        };
        let mut token = String::new();
        let _ = std::io::stdin().read_line(&mut token);
        let _ = fs::write(&file, BEGUN);
        Handover { to: Some((file, token.trim().to_string())) }
    }

    /// Writes the verdict.
    pub fn end(self, passed: bool) {
        if let Some((file, token)) = self.to {
            // If the file cannot be written there is no verdict, and the runner reports that.
            let _ = fs::write(&file, if passed { token.as_str() } else { NOT_YET });
        }
    }
}

/// Reads what a judge has written to a file; `token` is the token it was sent.
pub fn handed(file: &Path, token: &str) -> Handed {
    match fs::read_to_string(file) {
        Ok(text) if text == token && !token.is_empty() => Handed::Passed,
        Ok(text) if text == NOT_YET => Handed::NotYet,
        Ok(text) if !text.is_empty() => Handed::Begun,
        _ => Handed::Nothing,
    }
}
