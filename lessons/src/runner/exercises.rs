//! Checking exercises, hints, and resetting.

use std::fs;
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use super::judging::{Ended, built, run};
use super::progress::{Progress, Stage, answer, root, start};
use super::{find, say, wrapped};
use crate::Lesson;
use crate::lessons::LESSONS;

/// Checks one exercise, the next one, or all.
pub fn check(wanted: Option<&str>) -> ExitCode {
    let mut progress = Progress::load();
    let chosen: Vec<Lesson> = match wanted {
        Some("all") => LESSONS.to_vec(),
        Some(wanted) => match find::lesson(wanted) {
            Ok(lesson) => vec![*lesson],
            Err(reason) => return refuse("check", &reason),
        },
        None => next(&progress).into_iter().collect(),
    };
    if chosen.is_empty() {
        say("Every exercise is passed. What you can do now:   cargo run --release -- afterwards\n");
        return ExitCode::SUCCESS;
    }
    let mut passed = 0;
    for lesson in &chosen {
        let ended = judge(&mut progress, lesson, false);
        passed += usize::from(ended == Ended::Passed);
        if let Some(told) = ended.told(&lesson.exercise.file()) {
            say(&wrapped(&format!("✗ exercise {:02}: {told}", lesson.number), ""));
        }
    }
    if chosen.len() > 1 {
        say(&format!("\n{passed} of {} exercises passed\n", chosen.len()));
    } else if passed == 1 {
        match next_after(&progress, chosen[0].number) {
            Some(lesson) => say(&format!("  Next: cargo run --release -- run {}\n", lesson.number)),
            None => say(
                "  That was the last one: every exercise is passed. What you can do now:\n  cargo run --release -- afterwards\n",
            ),
        }
    }
    if passed == chosen.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Returns the first lesson whose exercise is not passed.
pub fn next(progress: &Progress) -> Option<Lesson> {
    LESSONS.iter().copied().find(|lesson| !progress.stage(lesson.exercise).has_passed())
}

/// Returns the next lesson whose exercise is not passed, or else the first such lesson.
fn next_after(progress: &Progress, number: u32) -> Option<Lesson> {
    let open = |lesson: &Lesson| !progress.stage(lesson.exercise).has_passed();
    LESSONS.iter().copied().find(|lesson| lesson.number > number && open(lesson)).or_else(|| next(progress))
}

/// Returns the stage of every exercise; files that have changed since their last verdict are checked again.
pub fn stages(progress: &mut Progress) -> Vec<Stage> {
    for lesson in LESSONS {
        if progress.stage(lesson.exercise) == Stage::Edited {
            // Compilation may take a while.
            if std::io::stderr().is_terminal() {
                eprintln!("checking exercise {:02} (your file has changed) …", lesson.number);
            }
            judge(progress, lesson, true);
        }
    }
    LESSONS.iter().map(|lesson| progress.stage(lesson.exercise)).collect()
}

/// The members of the workspace that `cargo run` selects. The features of shared dependencies follow from the selection:
/// with these packages beside the exercises they are the same, and the library is not compiled a second time for a check.
const BESIDE: [&str; 5] =
    ["pushforward", "pushforward-benches", "pushforward-command", "pushforward-course", "pushforward-tests"];

/// Compiles the learner's file with its judge and runs them. They are a separate package, so that a file that does
/// not compile does not affect the others.
fn judge(progress: &mut Progress, lesson: &Lesson, quiet: bool) -> Ended {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(["build", "--quiet", "--package", "pushforward-exercises"]);
    for package in BESIDE {
        command.args(["--package", package]);
    }
    let bin = format!("exercise_{:02}", lesson.number);
    command.args(["--bin", &bin]);
    // With the profile of this program, so that the library need not be compiled twice.
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let ended = match built(command, &bin, quiet) {
        Ok(program) => {
            let mut command = Command::new(program);
            command.current_dir(root());
            run(command, quiet)
        }
        Err(ended) => ended,
    };
    // Without cargo there is no verdict.
    if !matches!(ended, Ended::NoCargo(_)) {
        progress.judged(lesson.exercise, ended == Ended::Passed);
    }
    ended
}

/// Shows the hints so far and one more.
pub fn hint(wanted: Option<&str>) -> ExitCode {
    let mut progress = Progress::load();
    let lesson = match wanted.map(find::lesson) {
        Some(Ok(lesson)) => *lesson,
        Some(Err(reason)) => return refuse("hint", &reason),
        None => match next(&progress) {
            Some(lesson) => lesson,
            None => return refuse("hint", "every exercise is passed."),
        },
    };
    let shown = progress.next_hint(lesson.exercise);
    let hints = &lesson.exercise.hints;
    for (k, hint) in hints.iter().take(shown).enumerate() {
        say(&wrapped(&format!("{} of {}: {hint}", k + 1, hints.len()), "  "));
    }
    match shown == hints.len() {
        false => say(&format!("\nThe next hint:   cargo run --release -- hint {}\n", lesson.number)),
        true => say(&format!("\nNo more hints. A solution:   lessons/solutions/{}.rs\n", lesson.slug)),
    }
    ExitCode::SUCCESS
}

/// Restores the initial version of a file, keeping a backup of the present one.
pub fn reset(wanted: &str, yes: bool) -> ExitCode {
    let lesson = match find::lesson(wanted) {
        Ok(lesson) => lesson,
        Err(reason) => return refuse("reset", &reason),
    };
    let mut progress = Progress::load();
    if progress.stage(lesson.exercise) == Stage::NotStarted && answer(lesson.exercise).exists() {
        say(&format!("{} is in its initial version.\n", lesson.exercise.file()));
        return ExitCode::SUCCESS;
    }
    if !yes {
        let question = format!(
            "Reset {} to its initial version? A backup of the present file is kept. [y/N] ",
            lesson.exercise.file()
        );
        if !std::io::stdin().is_terminal() {
            return refuse("reset", "stdin is not a terminal; pass --yes.");
        }
        say(&question);
        let mut reply = String::new();
        let _ = std::io::stdin().lock().read_line(&mut reply);
        if !matches!(reply.trim(), "y" | "Y" | "yes") {
            say("Nothing was changed.\n");
            return ExitCode::SUCCESS;
        }
    }
    match put_back(lesson) {
        Ok(kept) => {
            progress.forget(lesson.exercise);
            say(&format!("{} is in its initial version.\n", lesson.exercise.file()));
            if let Some(kept) = kept {
                let shown = kept.strip_prefix(root()).unwrap_or(&kept);
                say(&format!("Your version was saved to {}.\n", shown.display()));
            }
            ExitCode::SUCCESS
        }
        Err(error) => refuse("reset", &error.to_string()),
    }
}

/// Renames the present file to a free name, and copies the initial one.
fn put_back(lesson: &Lesson) -> std::io::Result<Option<PathBuf>> {
    let file = answer(lesson.exercise);
    let given = fs::read(start(lesson.exercise))?;
    let mut kept = None;
    if file.exists() {
        let name = |k: usize| match k {
            0 => file.with_extension("rs.bak"),
            k => file.with_extension(format!("rs.bak{k}")),
        };
        let free = (0..).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0));
        fs::rename(&file, &free)?;
        kept = Some(free);
    }
    let partial = file.with_extension("part");
    fs::write(&partial, given).and_then(|()| fs::rename(&partial, &file))?;
    Ok(kept)
}

/// Prints the reason, and returns the exit code of wrong usage.
fn refuse(command: &str, reason: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "pushforward {command}: {reason}");
    ExitCode::from(2)
}
