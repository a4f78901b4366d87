//! The learner's progress.
//!
//! Progress follows from checks. A verdict is stored in a small file in `target/` with a fingerprint of the text that
//! was checked; a file that was edited since is checked again. If the stored file is lost, exercises are checked
//! again.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Exercise;

/// The stage of an exercise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The file is the initial version.
    NotStarted,
    /// It was edited since its last verdict.
    Edited,
    /// It was checked, and something is missing.
    NotYet,
    /// It was checked, and is correct.
    Passed,
    /// An earlier version was correct; the present one is not, or was not checked: the learner tries something.
    Experiment,
}

impl Stage {
    /// Returns whether a version of the answer has passed.
    pub fn has_passed(self) -> bool {
        matches!(self, Stage::Passed | Stage::Experiment)
    }
}

/// The stored state.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Progress {
    /// The number of hints shown, by exercise.
    hints: BTreeMap<String, usize>,
    /// The last verdict on each exercise.
    verdicts: BTreeMap<String, Judged>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Judged {
    fingerprint: u64,
    passed: bool,
    /// The fingerprint of the judge that passed a version of the answer, if one did.
    #[serde(default)]
    passed_by: Option<u64>,
}

/// Returns the root of the repository that this program was built from.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the course lies in the repository")
}

/// Returns the path of the learner's file.
pub fn answer(exercise: &Exercise) -> PathBuf {
    match std::env::var_os("PUSHFORWARD_EXERCISES") {
        Some(folder) => Path::new(&folder).join(format!("{}.rs", exercise.slug)),
        None => root().join(exercise.file()),
    }
}

/// Returns the path of the initial version.
pub fn start(exercise: &Exercise) -> PathBuf {
    root().join("lessons/starts").join(format!("{}.rs", exercise.slug))
}

fn store() -> PathBuf {
    std::env::var_os("PUSHFORWARD_PROGRESS")
        .map_or_else(|| root().join("target/pushforward/progress.json"), PathBuf::from)
}

fn fingerprint(exercise: &Exercise) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    fs::read(answer(exercise)).ok()?.hash(&mut hasher);
    // If the judge has changed, its verdict is outdated.
    fingerprint_of_judge(exercise)?.hash(&mut hasher);
    Some(hasher.finish())
}

fn fingerprint_of_judge(exercise: &Exercise) -> Option<u64> {
    let judge = root().join("lessons/judges").join(format!("{}.rs", exercise.slug));
    let mut hasher = DefaultHasher::new();
    fs::read(judge).ok()?.hash(&mut hasher);
    Some(hasher.finish())
}

impl Progress {
    /// Loads the stored state; empty if there is none, or it cannot be read.
    pub fn load() -> Progress {
        fs::read_to_string(store()).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// Loads, changes and stores the state under a lock. If it cannot be written, exercises are only checked again.
    fn update<T>(&mut self, change: impl FnOnce(&mut Progress) -> T) -> T {
        let file = store();
        let _ = file.parent().map_or(Ok(()), fs::create_dir_all);
        // The file itself is replaced, so the lock is on a separate one; it is released when `lock` is dropped.
        let lock = File::create(file.with_extension("lock")).and_then(|lock| lock.lock().map(|()| lock));
        *self = Progress::load();
        let changed = change(self);
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        let partial = file.with_extension("part");
        let _ = fs::write(&partial, text).and_then(|()| fs::rename(&partial, &file));
        drop(lock);
        changed
    }

    /// Returns the stage of an exercise.
    pub fn stage(&self, exercise: &Exercise) -> Stage {
        let (mine, given) = (fs::read(answer(exercise)).ok(), fs::read(start(exercise)).ok());
        if mine.is_none() || mine == given {
            return Stage::NotStarted;
        }
        match self.verdicts.get(exercise.slug) {
            Some(judged) if fingerprint(exercise) == Some(judged.fingerprint) => match judged.passed {
                true => Stage::Passed,
                false => self.without_pass(exercise, Stage::NotYet),
            },
            _ => self.without_pass(exercise, Stage::Edited),
        }
    }

    /// Returns this stage, unless an earlier version has passed the same judge.
    fn without_pass(&self, exercise: &Exercise, stage: Stage) -> Stage {
        let passed_by = self.verdicts.get(exercise.slug).and_then(|judged| judged.passed_by);
        match passed_by.is_some() && passed_by == fingerprint_of_judge(exercise) {
            true => Stage::Experiment,
            false => stage,
        }
    }

    /// Stores a verdict for the present file.
    pub fn judged(&mut self, exercise: &Exercise, passed: bool) {
        let Some(fingerprint) = fingerprint(exercise) else { return };
        self.update(|kept| {
            let before = kept.verdicts.get(exercise.slug).and_then(|judged| judged.passed_by);
            let passed_by = if passed { fingerprint_of_judge(exercise) } else { before };
            kept.verdicts.insert(exercise.slug.to_string(), Judged { fingerprint, passed, passed_by })
        });
    }

    /// Returns the number of hints to show: one more than the last time, three at most.
    pub fn next_hint(&mut self, exercise: &Exercise) -> usize {
        self.update(|kept| {
            let shown = kept.hints.entry(exercise.slug.to_string()).or_insert(0);
            *shown = (*shown + 1).min(exercise.hints.len());
            *shown
        })
    }

    /// Removes hints and verdict of an exercise that is reset.
    pub fn forget(&mut self, exercise: &Exercise) {
        self.update(|kept| {
            kept.hints.remove(exercise.slug);
            kept.verdicts.remove(exercise.slug);
        });
    }
}
