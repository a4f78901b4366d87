//! The front page, the list of lessons, and running lessons.

use std::process::ExitCode;
use std::time::Instant;

use serde::Serialize;

use super::progress::{Progress, Stage};
use super::{exercises, find, say};
use crate::lessons::LESSONS;
use crate::{Page, afterwards as last, course_map};

/// Prints what this is, the lessons with the learner's progress, and the next step.
///
/// If no lesson was begun, the first one is printed as well: one command from a clone to a lesson.
pub fn front_page() -> ExitCode {
    say("pushforward: write a bijection, get its density.\n\n");
    say("You write x = f(z) once. A tape derives the Jacobian, proves its structure,\n");
    say("derives ln|det J|, audits every claim, and trains flows by maximum likelihood.\n\n");
    let mut progress = Progress::load();
    let stages = exercises::stages(&mut progress);
    listed(&stages);
    say(&format!("\n{} (in brackets):\n", course_map::TITLE));
    course_map::as_lines(LESSONS, 74).iter().for_each(|line| say(&format!("  {line}\n")));
    let passed = stages.iter().filter(|stage| stage.has_passed()).count();
    say(&format!("\n{passed} of {} exercises passed (✓); … is begun and not passed yet.\n\n", stages.len()));
    let begun = stages.iter().any(|stage| *stage != Stage::NotStarted);
    let Some(next) = exercises::next(&progress) else {
        say("What you can do now:   cargo run --release -- afterwards\n");
        return ExitCode::SUCCESS;
    };
    let number = next.number;
    match progress.stage(next.exercise) {
        Stage::NotStarted => say(&format!("Next:   cargo run --release -- run {number}\n")),
        _ => say(&format!("Next:   cargo run --release -- check {number}   ({})\n", next.exercise.file())),
    }
    say("More:   cargo run --release -- --help\n");
    if begun {
        return ExitCode::SUCCESS;
    }
    say("\nYou have not begun yet, so here is the first.\n\n");
    LESSONS[0].run()
}

/// Prints what a learner can do after the lessons.
pub fn afterwards() -> ExitCode {
    say(&format!("\n{}\n\n", last::TITLE));
    last::tell(&mut Page::untitled(true));
    ExitCode::SUCCESS
}

fn listed(stages: &[Stage]) {
    for (lesson, stage) in LESSONS.iter().zip(stages) {
        let sign = match stage {
            Stage::NotStarted => "·",
            Stage::Edited | Stage::NotYet => "…",
            Stage::Passed | Stage::Experiment => "✓",
        };
        say(&format!("  {sign} {:<35} {}\n", lesson.slug, lesson.about));
    }
}

/// A lesson in JSON.
#[derive(Serialize)]
struct Listed {
    number: u32,
    slug: &'static str,
    title: &'static str,
    about: &'static str,
    exercise: String,
    stage: Stage,
}

/// Prints the list of lessons, as text or JSON.
pub fn list(json: bool) -> ExitCode {
    let progress = Progress::load();
    let stages: Vec<Stage> = LESSONS.iter().map(|lesson| progress.stage(lesson.exercise)).collect();
    if !json {
        listed(&stages);
        return ExitCode::SUCCESS;
    }
    let lessons = LESSONS.iter().zip(stages).map(|(lesson, stage)| Listed {
        number: lesson.number,
        slug: lesson.slug,
        title: lesson.title,
        about: lesson.about,
        exercise: lesson.exercise.file(),
        stage,
    });
    match serde_json::to_string_pretty(&lessons.collect::<Vec<_>>()) {
        Ok(text) => {
            say(&format!("{text}\n"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("pushforward list: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a lesson by number or name, or all of them.
pub fn run(wanted: &str) -> ExitCode {
    if wanted == "all" {
        let begin = Instant::now();
        let failed: Vec<&str> = LESSONS
            .iter()
            .filter(|lesson| lesson.run() != ExitCode::SUCCESS)
            .map(|lesson| lesson.slug)
            .collect();
        say(&format!("{} lessons in {:.1} s\n", LESSONS.len(), begin.elapsed().as_secs_f64()));
        if failed.is_empty() {
            return ExitCode::SUCCESS;
        }
        eprintln!("pushforward run: checks failed in {}", failed.join(", "));
        return ExitCode::FAILURE;
    }
    match find::lesson(wanted) {
        Ok(lesson) => lesson.run(),
        Err(reason) => {
            eprintln!("pushforward run: {reason}");
            ExitCode::from(2)
        }
    }
}
