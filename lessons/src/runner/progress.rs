//! How far the learner is.
//!
//! Progress is what the checks say. A verdict holds for the text that was judged, so a small file in `target/` keeps it
//! with a fingerprint of that text; a file that was edited since is judged again. Losing the file loses nothing.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Exercise;

/// Where an exercise stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The file is as it was given.
    NotStarted,
    /// It was edited since it was judged last.
    Edited,
    /// It was judged, and something is missing.
    NotYet,
    /// It was judged, and it holds.
    Passed,
}

/// What is kept between runs.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Hints that were shown, by the exercise.
    hints: BTreeMap<String, usize>,
    /// The last verdict on each exercise.
    verdicts: BTreeMap<String, Judged>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Judged {
    fingerprint: u64,
    passed: bool,
}

/// The root of the repository that this program was built from.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the course lies in the repository")
}

/// The learner's file.
pub fn answer(exercise: &Exercise) -> PathBuf {
    match std::env::var_os("PUSHFORWARD_EXERCISES") {
        Some(folder) => Path::new(&folder).join(format!("{}.rs", exercise.slug)),
        None => root().join(exercise.file()),
    }
}

/// The file as it was given.
pub fn start(exercise: &Exercise) -> PathBuf {
    root().join("lessons/starts").join(format!("{}.rs", exercise.slug))
}

fn store() -> PathBuf {
    std::env::var_os("PUSHFORWARD_PROGRESS")
        .map_or_else(|| root().join("target/pushforward/progress.json"), PathBuf::from)
}

fn fingerprint(exercise: &Exercise) -> Option<u64> {
    let judge = root().join("lessons/judges").join(format!("{}.rs", exercise.slug));
    let mut hasher = DefaultHasher::new();
    fs::read(answer(exercise)).ok()?.hash(&mut hasher);
    // Where the judge has changed, its verdict is old.
    fs::read(judge).ok()?.hash(&mut hasher);
    Some(hasher.finish())
}

impl Progress {
    /// What was kept; nothing where there is nothing, or nothing that can be read.
    pub fn load() -> Progress {
        fs::read_to_string(store()).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// Reads, changes and keeps it while no other process does. A cache that cannot be written only costs another check.
    fn update<T>(&mut self, change: impl FnOnce(&mut Progress) -> T) -> T {
        let file = store();
        let _ = file.parent().map_or(Ok(()), fs::create_dir_all);
        // The file itself is renamed over, so the lock is on one beside it; it is released when `lock` is dropped.
        let lock = File::create(file.with_extension("lock")).and_then(|lock| lock.lock().map(|()| lock));
        *self = Progress::load();
        let changed = change(self);
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        let partial = file.with_extension("part");
        let _ = fs::write(&partial, text).and_then(|()| fs::rename(&partial, &file));
        drop(lock);
        changed
    }

    /// Where an exercise stands.
    pub fn stage(&self, exercise: &Exercise) -> Stage {
        let (mine, given) = (fs::read(answer(exercise)).ok(), fs::read(start(exercise)).ok());
        if mine.is_none() || mine == given {
            return Stage::NotStarted;
        }
        match self.verdicts.get(exercise.slug) {
            Some(judged) if fingerprint(exercise) == Some(judged.fingerprint) => match judged.passed {
                true => Stage::Passed,
                false => Stage::NotYet,
            },
            _ => Stage::Edited,
        }
    }

    /// Keeps a verdict on the file as it is.
    pub fn judged(&mut self, exercise: &Exercise, passed: bool) {
        if let Some(fingerprint) = fingerprint(exercise) {
            self.update(|kept| {
                kept.verdicts.insert(exercise.slug.to_string(), Judged { fingerprint, passed })
            });
        }
    }

    /// How many hints to show now: one more than the last time, three at most.
    pub fn next_hint(&mut self, exercise: &Exercise) -> usize {
        self.update(|kept| {
            let shown = kept.hints.entry(exercise.slug.to_string()).or_insert(0);
            *shown = (*shown + 1).min(exercise.hints.len());
            *shown
        })
    }

    /// Forgets hints and verdict of an exercise that begins anew.
    pub fn forget(&mut self, exercise: &Exercise) {
        self.update(|kept| {
            kept.hints.remove(exercise.slug);
            kept.verdicts.remove(exercise.slug);
        });
    }
}
