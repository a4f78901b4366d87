//! How verdicts reach the runner: these tests run this test program again, as a judge with a misbehaving
//! answer.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use pushforward_course::exercise::{Handed, Passed, VERDICT_FILE, handed};

use pushforward_course::lessons::change_of_variables::judge::EXERCISE;

const TOKEN: &str = "0123456789abcdef";

/// Runs one of the judges below in a process of its own; what it left behind, and how it ended.
fn judged(name: &str) -> (Handed, ExitStatus) {
    let file: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("verdict_{name}"));
    let _ = std::fs::remove_file(&file);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            &format!("exercises::handover::{name}"),
            "--ignored",
            "--nocapture",
            "--test-threads",
            "1",
        ])
        .env(VERDICT_FILE, &file)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{TOKEN}").unwrap();
    let status = child.wait().unwrap();
    (handed(&file, TOKEN), status)
}

/// Whether this process was started by one of these tests.
fn is_judge() -> bool {
    std::env::var_os(VERDICT_FILE).is_some()
}

#[test]
#[ignore = "a judge, run by the tests below"]
fn passes() {
    if is_judge() {
        EXERCISE.check(|| Ok(Passed::new("it holds.")));
    }
}

#[test]
#[ignore = "a judge, run by the tests below"]
fn exits() {
    if is_judge() {
        EXERCISE.check(|| std::process::exit(0));
    }
}

#[test]
#[ignore = "a judge, run by the tests below"]
fn aborts() {
    if is_judge() {
        EXERCISE.check(|| std::process::abort());
    }
}

/// An answer that writes the file itself, and one that runs a judge of its own.
#[test]
#[ignore = "a judge, run by the tests below"]
fn forges() {
    if is_judge() {
        EXERCISE.check(|| {
            std::fs::write(std::env::var_os(VERDICT_FILE).unwrap(), "passed").unwrap();
            EXERCISE.check(|| Ok(Passed::new("it holds.")));
            std::process::exit(0)
        });
    }
}

#[test]
fn a_verdict_comes_with_the_token() {
    assert_eq!(judged("passes").0, Handed::Passed);
}

#[test]
fn an_exit_is_not_a_pass() {
    let (left, status) = judged("exits");
    assert_eq!((left, status.code()), (Handed::Begun, Some(0)));
}

#[test]
fn an_abort_is_not_a_pass() {
    let (left, status) = judged("aborts");
    assert_eq!(left, Handed::Begun);
    assert!(!status.success());
}

#[test]
fn what_an_answer_writes_is_not_a_pass() {
    assert_ne!(judged("forges").0, Handed::Passed);
}
