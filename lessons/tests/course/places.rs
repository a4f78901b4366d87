//! The places of a lesson: what CONTRIBUTING lists under "A lesson" is there for each of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pushforward_course::lessons::LESSONS;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names of the Rust files of a folder, without `.rs`.
fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_string()).collect()
}

#[test]
fn every_lesson_has_all_its_files_and_its_entry() {
    let slugs: BTreeSet<String> = LESSONS.iter().map(|lesson| lesson.slug.to_string()).collect();
    for folder in ["lessons", "lessons/judges", "lessons/starts", "lessons/solutions"] {
        assert_eq!(names(folder), slugs, "{folder}, against the entries of lessons/src/lessons.rs");
    }
    let numbered = |prefix: &str| -> BTreeSet<String> {
        LESSONS.iter().map(|lesson| format!("{prefix}{:02}", lesson.number)).collect()
    };
    assert_eq!(names("lessons/exercises/src/bin"), numbered("exercise_"), "lessons/exercises/src/bin");
    let tests = names("lessons/tests/course/exercises");
    for test in numbered("lesson_") {
        assert!(tests.contains(&test), "lessons/tests/course/exercises/{test}.rs is missing");
    }
    let declared = fs::read_to_string(root().join("lessons/tests/course/exercises/mod.rs")).unwrap();
    for test in numbered("lesson_") {
        assert!(declared.contains(&format!("mod {test};")), "{test} is no module of the exercises' tests");
    }
}

#[test]
fn lessons_are_numbered_in_order_and_every_number_agrees() {
    for (k, lesson) in LESSONS.iter().enumerate() {
        assert_eq!(lesson.number as usize, k + 1, "{}", lesson.slug);
        assert!(lesson.slug.starts_with(&format!("{:02}_", lesson.number)), "{}", lesson.slug);
        assert_eq!(lesson.exercise.slug, lesson.slug);
        assert_eq!(lesson.exercise.number, lesson.number);
    }
}

#[test]
fn the_readme_lists_every_lesson() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for lesson in LESSONS {
        let row = format!("| {:02} | {} |", lesson.number, &lesson.slug[3..]);
        assert!(readme.contains(&row), "README.md has no row `{row}`");
    }
}

/// A trained section is named by the beginning of its heading: one that names nothing masks nothing.
#[test]
fn every_trained_section_is_a_heading_of_its_lesson() {
    for lesson in LESSONS {
        let text = fs::read_to_string(root().join(format!("lessons/{}.rs", lesson.slug))).unwrap();
        for heading in lesson.trained {
            let named = text.matches(&format!("\"{heading}")).count();
            assert!(named > 1, "{}: no heading begins with `{heading}`", lesson.slug);
        }
    }
}
