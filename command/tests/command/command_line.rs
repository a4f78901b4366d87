//! The command line when piped. The learner's files are not read: a separate folder takes their place.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::snapshot::snapshot;

/// A learner of this name, with files as they were given.
struct Learner {
    folder: PathBuf,
}

impl Learner {
    fn new(name: &str) -> Learner {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("learner_{name}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let starts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lessons/starts");
        for entry in fs::read_dir(starts).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
        }
        Learner { folder }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pushforward"));
        command.args(arguments).current_dir(&self.folder);
        command.env("PUSHFORWARD_EXERCISES", &self.folder);
        command.env("PUSHFORWARD_PROGRESS", self.folder.join("progress.json"));
        command.output().unwrap()
    }

    /// What is printed by a command that does well.
    fn told(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let wide = text.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None, "a line is wider than 80 columns");
        assert!(!text.contains('\u{1b}'), "colour codes in a pipe");
        text
    }

    /// What is said by a command that is misused.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    }
}

#[test]
fn the_front_page_goes_on_with_the_first_lesson() {
    let text = Learner::new("new").told(&[]);
    let (page, lesson) = text.split_once("━━━").unwrap();
    snapshot("front_page", page);
    assert!(lesson.contains("Lesson 01") && lesson.contains("checks hold"));
}

#[test]
fn help_shows_examples() {
    let text = Learner::new("help").told(&["--help"]);
    snapshot("help", &text);
}

#[test]
fn the_list_is_json_where_it_is_wanted() {
    let learner = Learner::new("json");
    let lessons: serde_json::Value = serde_json::from_str(&learner.told(&["list", "--json"])).unwrap();
    assert_eq!(lessons.as_array().unwrap().len(), learner.told(&["list"]).lines().count());
    assert_eq!(lessons[6]["slug"], "07_triangular_is_cheap");
    assert_eq!(lessons[6]["exercise"], "lessons/exercises/07_triangular_is_cheap.rs");
    assert_eq!(lessons[6]["stage"], "not_started");
}

#[test]
fn hints_come_one_at_a_time() {
    let learner = Learner::new("hints");
    let all: Vec<String> = (0..4).map(|_| learner.told(&["hint", "7"])).collect();
    snapshot("hints", &all.join("-----\n"));
    // Without a number it is the next exercise.
    assert!(learner.told(&["hint"]).contains("cargo run --release -- hint 1"));
}

#[test]
fn hints_asked_for_at_once_are_all_counted() {
    let learner = Learner::new("at_once");
    std::thread::scope(|scope| {
        for exercise in ["1", "2", "3", "4", "5", "6", "7", "8"] {
            scope.spawn(|| learner.run(&["hint", exercise]));
        }
    });
    let kept = fs::read_to_string(learner.folder.join("progress.json")).unwrap();
    let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept["hints"].as_object().unwrap().len(), 8);
}

#[test]
fn what_is_not_there_is_answered_with_what_is_nearest() {
    let learner = Learner::new("typos");
    assert!(learner.refused(&["run", "99"]).contains("The nearest is 24_your_own_flow"));
    assert!(learner.refused(&["run", "triangluar"]).contains("The nearest is 07_triangular_is_cheap"));
    assert!(learner.refused(&["hint", "copling"]).contains("The nearest is 11_coupling"));
    assert!(learner.refused(&["chek", "7"]).contains("similar"));
}

#[test]
fn a_reset_loses_nothing() {
    let learner = Learner::new("reset");
    assert!(learner.told(&["reset", "7", "--yes"]).contains("is in its initial version"));
    let file = learner.folder.join("07_triangular_is_cheap.rs");
    let given = fs::read_to_string(&file).unwrap();
    // Without a terminal there is no confirmation.
    fs::write(&file, "// mine").unwrap();
    assert!(learner.refused(&["reset", "7"]).contains("--yes"));
    assert_eq!(fs::read_to_string(&file).unwrap(), "// mine");
    for (k, kept) in ["rs.bak", "rs.bak1"].into_iter().enumerate() {
        let mine = format!("// mine {k}");
        fs::write(&file, &mine).unwrap();
        assert!(learner.run(&["reset", "7", "--yes"]).status.success());
        assert_eq!(fs::read_to_string(&file).unwrap(), given);
        assert_eq!(fs::read_to_string(file.with_extension(kept)).unwrap(), mine);
    }
}

#[test]
fn the_catalogue_lists_layers_that_can_be_derived_and_audited() {
    let learner = Learner::new("catalogue");
    let text = learner.told(&["catalogue"]);
    for name in ["affine", "householder", "stick_breaking", "sylvester", "bernstein"] {
        assert!(text.lines().any(|line| line == name), "{text}");
    }
    assert!(text.contains("a bijection, proven") && text.contains("ln|det J| O(d³): ln(z₁)"), "{text}");
    assert!(learner.told(&["derive", "polar"]).contains("by sin-cos"));
    assert!(learner.told(&["audit", "normal_cdf"]).contains("one-to-one onto (0, 1)²"));
    for command in ["derive", "audit"] {
        let unknown = learner.run(&[command, "housholder"]);
        assert!(!unknown.status.success());
        let said = String::from_utf8_lossy(&unknown.stderr);
        assert!(
            said.contains("the nearest layer is `householder`, and `pushforward catalogue` lists all"),
            "{said}"
        );
    }
    let unknown = learner.run(&["derive", "xyz"]);
    assert!(
        String::from_utf8_lossy(&unknown.stderr).contains("`xyz`; `pushforward catalogue` lists all layers")
    );
}
