//! One run of a judge with a learner's answer, and its result.
//!
//! The answer runs in the judge's process and can end it in any way. Only what [`handed`] finds counts as a verdict;
//! everything else is reported as what it is: a file that does not compile, an early exit, a signal, a timeout.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::exercise::{Handed, VERDICT_FILE, handed};

/// Time limit of a judge; the longest fits a flow in a second or two, unoptimised in a minute.
const LIMIT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 1200 } else { 300 });

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The verdict: the answer is correct.
    Passed,
    /// The verdict: something is missing or wrong.
    NotYet,
    /// The judge did not start: the file does not compile.
    NotCompiled,
    /// The program exited before there was a verdict, with this exit code.
    Exited(i32),
    /// The system ended the program, by a signal if known.
    Killed(Option<i32>),
    /// The time limit was reached.
    TimedOut,
    /// Cargo could not be run.
    NoCargo(String),
}

impl Ended {
    /// Explains why there is no verdict.
    pub fn told(&self, file: &str) -> Option<String> {
        Some(match self {
            Ended::Passed | Ended::NotYet => return None,
            Ended::NotCompiled => format!(
                "{file} does not compile yet; the compiler says why above. Where it says that an {{integer}} cannot be \
                 added to or multiplied by a Var: write 2.0 instead of 2."
            ),
            Ended::Exited(code) => format!(
                "the program ended with the exit code {code} before there was a verdict. An answer must \
                 return a formula, not end the program."
            ),
            Ended::Killed(signal) => {
                let named = match signal {
                    Some(6) => " (signal 6, an abort)".to_string(),
                    Some(11) => " (signal 11)".to_string(),
                    Some(other) => format!(" (signal {other})"),
                    None => String::new(),
                };
                format!(
                    "the system ended the program{named} before there was a verdict. This happens when the \
                     stack overflows (is there an infinite recursion in {file}?) or when memory runs out."
                )
            }
            Ended::TimedOut => format!(
                "no verdict after {} seconds; the program was stopped. Is there an infinite loop in {file}?",
                LIMIT.as_secs()
            ),
            Ended::NoCargo(error) => format!("cargo cannot be run: {error}"),
        })
    }
}

/// Builds a program by this command of cargo, and returns its path. Errors of the compiler are shown unless `quiet`.
///
/// # Errors
/// [`Ended::NotCompiled`] and [`Ended::NoCargo`].
pub fn built(mut command: Command, bin: &str, quiet: bool) -> Result<PathBuf, Ended> {
    command.arg("--message-format=json-render-diagnostics").stdin(Stdio::null());
    command.stderr(if quiet { Stdio::null() } else { Stdio::inherit() });
    let output = command.output().map_err(|error| Ended::NoCargo(error.to_string()))?;
    if !output.status.success() {
        return Err(Ended::NotCompiled);
    }
    let program = |line: &str| -> Option<PathBuf> {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        (message["target"]["name"] == bin).then(|| message["executable"].as_str().map(PathBuf::from))?
    };
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter_map(program).next_back().ok_or(Ended::NotCompiled)
}

/// Runs a judge, with a token for its verdict.
pub fn run(command: Command, quiet: bool) -> Ended {
    run_for(command, quiet, LIMIT)
}

fn run_for(mut command: Command, quiet: bool, limit: Duration) -> Ended {
    let token = token();
    // A unique path: the token is different each time, and its hash does not reveal it.
    let file = verdict_file(&token);
    command.env(VERDICT_FILE, &file).stdin(Stdio::piped());
    if quiet {
        command.stdout(Stdio::null()).stderr(Stdio::null());
    }
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ended::NoCargo(error.to_string()),
    };
    if let Some(mut input) = child.stdin.take() {
        // If compilation fails nothing is read.
        let _ = writeln!(input, "{token}");
    }
    let mut begun: Option<Instant> = None;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) => {}
            Err(_) => break None,
        }
        if begun.is_none() && handed(&file, &token) != Handed::Nothing {
            begun = Some(Instant::now());
        }
        if begun.is_some_and(|begun| begun.elapsed() > limit) {
            let _ = child.kill();
            let _ = child.wait();
            break None;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let left = handed(&file, &token);
    let _ = std::fs::remove_file(&file);
    match (left, status) {
        (_, None) => Ended::TimedOut,
        (Handed::Passed, Some(_)) => Ended::Passed,
        (Handed::NotYet, Some(_)) => Ended::NotYet,
        (Handed::Nothing, Some(status)) => match signal(status) {
            Some(signal) => Ended::Killed(Some(signal)),
            None => Ended::NotCompiled,
        },
        (Handed::Begun, Some(status)) => match status.code() {
            Some(code) => Ended::Exited(code),
            None => Ended::Killed(signal(status)),
        },
    }
}

/// Returns an unpredictable number, from the random keys of hash tables.
fn token() -> String {
    let part = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", part(), part())
}

fn verdict_file(token: &str) -> PathBuf {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write(token.as_bytes());
    std::env::temp_dir().join(format!("pushforward-{}-{:016x}", std::process::id(), hasher.finish()))
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> Option<i32> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// The result for a shell script in the place of a judge.
    fn ended(script: &str) -> Ended {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run_for(command, true, Duration::from_millis(300))
    }

    #[test]
    fn only_the_token_is_a_pass() {
        assert_eq!(
            ended("read token; printf begun >$PUSHFORWARD_VERDICT; printf $token >$PUSHFORWARD_VERDICT"),
            Ended::Passed
        );
        assert_eq!(ended("read token; printf 'not yet' >$PUSHFORWARD_VERDICT; exit 1"), Ended::NotYet);
    }

    #[test]
    fn an_exit_is_no_verdict() {
        assert_eq!(ended("read token; printf begun >$PUSHFORWARD_VERDICT; exit 0"), Ended::Exited(0));
        assert_eq!(ended("read token; printf passed >$PUSHFORWARD_VERDICT; exit 0"), Ended::Exited(0));
    }

    #[test]
    fn a_signal_is_told_apart_from_a_file_that_does_not_compile() {
        assert_eq!(
            ended("read token; printf begun >$PUSHFORWARD_VERDICT; kill -ABRT $$"),
            Ended::Killed(Some(6))
        );
        assert_eq!(ended("exit 101"), Ended::NotCompiled);
    }

    #[test]
    fn a_run_without_an_end_is_stopped() {
        assert_eq!(
            ended("read token; printf begun >$PUSHFORWARD_VERDICT; while :; do :; done"),
            Ended::TimedOut
        );
    }

    #[test]
    fn a_command_that_is_not_there_is_said_to_be_so() {
        let missing = run_for(Command::new("/nowhere/cargo"), true, Duration::from_millis(100));
        assert!(matches!(missing, Ended::NoCargo(_)));
    }
}
