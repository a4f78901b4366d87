//! `fit`, `score`, `sample`, `describe`, `derive`: a table in, a density out, and nothing lost on the way.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder of its own.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("pushforward-tables-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_pushforward"))
            .args(arguments)
            .current_dir(&self.0)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    pub fn told(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?} is refused");
        String::from_utf8(output.stderr).unwrap()
    }

    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Two columns that depend on one another, and a label.
pub fn table() -> String {
    let row = |k: u32| {
        let (a, b) = (f64::from(k) * 0.618_034 % 1.0, f64::from(k) * 0.414_214 % 1.0);
        let x = (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos();
        let y = x + (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).sin();
        format!("{x},{y},{}\n", ["left", "right"][k as usize % 2])
    };
    format!("x,y,side\n{}", (0..200).map(row).collect::<String>())
}

#[test]
fn a_table_is_fitted_scored_and_sampled() {
    let folder = Folder::new("round");
    folder.file("table.csv", &table());
    let told = folder.told(&["fit", "table.csv", "-o", "table.model", "--model", "mixture"]);
    assert!(told.contains("200 rows of 3 columns; 2 of them are fitted"), "{told}");
    assert!(told.contains("20 rows that were kept apart: mean ln p = "), "{told}");
    assert!(told.contains("The model is in table.model."), "{told}");
    assert_eq!(folder.names(), ["table.csv", "table.model"]);

    folder.told(&["score", "table.model", "table.csv", "-o", "scores.csv"]);
    let scores = fs::read_to_string(folder.0.join("scores.csv")).unwrap();
    let lines: Vec<&str> = scores.lines().collect();
    assert_eq!(lines.len(), 201);
    assert_eq!(lines[0], "line,log_p,error,rank");
    assert!(lines[1].starts_with("2,-"), "{}", lines[1]);
    assert_eq!(
        folder.told(&["score", "table.model", "table.csv"]),
        scores,
        "to standard output as to a file"
    );

    let top = folder.told(&["score", "table.model", "table.csv", "--top", "3"]);
    assert_eq!(top.lines().count(), 4, "{top}");

    let samples = folder.told(&["sample", "table.model", "-n", "50"]);
    assert_eq!(samples.lines().count(), 51);
    assert_eq!(samples.lines().next(), Some("x,y"));
    assert_eq!(samples, folder.told(&["sample", "table.model", "-n", "50"]), "the seed decides");
    assert_ne!(samples, folder.told(&["sample", "table.model", "-n", "50", "--seed", "1"]));

    let about = folder.told(&["describe", "table.model"]);
    assert!(about.contains("A density of 2 columns:"), "{about}");
    let json: serde_json::Value =
        serde_json::from_str(&folder.told(&["describe", "table.model", "--json"])).unwrap();
    assert_eq!(json["columns"][0]["name"], "x");
    assert!(folder.told(&["derive", "table.model"]).contains("ln|det J|"));
    let audited = folder.told(&["audit", "table.model", "--certificate", "table.certificate"]);
    assert!(audited.contains("6 proven") && audited.contains("0 refuted"), "{audited}");
    folder.told(&["verify", "table.certificate"]);
}

#[test]
fn a_conditional_density_takes_values_or_a_table_of_them() {
    let folder = Folder::new("given");
    folder.file("table.csv", &table());
    folder.told(&[
        "fit",
        "table.csv",
        "-o",
        "g.model",
        "--given",
        "side",
        "--model",
        "coupling",
        "--time",
        "2s",
    ]);
    let drawn = folder.told(&["sample", "g.model", "-n", "4", "--given", "side=left"]);
    assert_eq!(drawn.lines().count(), 5);
    folder.file("sides.csv", "side\nleft\nright\nleft\n");
    assert_eq!(folder.told(&["sample", "g.model", "--given", "sides.csv"]).lines().count(), 4);
    assert_eq!(folder.told(&["score", "g.model", "table.csv"]).lines().count(), 201);

    let missing = folder.refused(&["sample", "g.model", "-n", "4"]);
    assert!(missing.contains("conditioned on side"), "{missing}");
    let other = folder.refused(&["sample", "g.model", "--given", "sied=left"]);
    assert!(other.contains("`sied` is no column of this model; they are: x, y, side"), "{other}");
    let level = folder.refused(&["sample", "g.model", "--given", "side=middle"]);
    assert!(level.contains("the levels are: left, right"), "{level}");
}

#[test]
fn nothing_is_written_over_and_a_bad_path_is_noticed_before_the_fit() {
    let folder = Folder::new("safe");
    let table = table();
    folder.file("table.csv", &table);
    let over = folder.refused(&["fit", "table.csv", "-o", "table.csv"]);
    assert!(over.contains("table.csv") && !over.contains("fitting"), "{over}");
    assert_eq!(fs::read_to_string(folder.0.join("table.csv")).unwrap(), table);
    let nowhere = folder.refused(&["fit", "table.csv", "-o", "no/such/table.model"]);
    assert!(nowhere.contains("no/such") && !nowhere.contains("fitting"), "{nowhere}");
    folder.told(&["fit", "table.csv", "-o", "table.model", "--model", "gaussian"]);
    for target in ["table.csv", "table.model"] {
        let over = folder.refused(&["score", "table.model", "table.csv", "-o", target]);
        assert!(over.contains(target), "{over}");
    }
    assert_eq!(folder.names(), ["table.csv", "table.model"]);
    if Path::new("/dev/full").exists() {
        for command in [
            vec!["score", "table.model", "table.csv", "-o", "/dev/full"],
            vec!["sample", "table.model", "-n", "5", "-o", "/dev/full"],
            vec!["fit", "table.csv", "-o", "/dev/full", "--model", "gaussian"],
        ] {
            let full = folder.refused(&command);
            assert!(full.contains("/dev/full"), "{full}");
        }
    }
}

#[test]
fn what_is_wrong_with_a_table_an_option_or_a_model_is_said() {
    let folder = Folder::new("wrong");
    folder.file("table.csv", &table());
    folder.file("same.csv", "a,b,a\n1,2,3\n2,3,4\n");
    folder.file("empty.csv", "");
    folder.file("few.csv", "a,b\n1,2\n3,5\n");
    folder.file("huge.csv", "a,b\n1,2\n3,5\n1e200,5\n");
    folder.told(&["fit", "table.csv", "-o", "table.model", "--model", "gaussian"]);
    let cases: [(&[&str], &str); 11] = [
        (&["fit", "table.csv", "--columns", "x,z"], "`z`"),
        (&["fit", "same.csv"], "2 columns named `a`"),
        (&["fit", "empty.csv"], "empty.csv is empty"),
        (&["fit", "few.csv"], "rows are too few"),
        (&["fit", "huge.csv"], "line 4, column `a`"),
        (&["fit", "none.csv"], "none.csv"),
        (&["fit", "table.csv", "--kind", "x=positiv"], "did you mean `positive`"),
        (&["fit", "table.csv", "--time", "5x"], "`x` is no unit of time"),
        (&["fit", "table.csv", "--model", "gausian"], "gaussian"),
        (&["score", "table.csv", "table.csv"], "this is not a model file"),
        (&["score", "table.model", "few.csv"], "`x`"),
    ];
    for (arguments, told) in cases {
        let refused = folder.refused(arguments);
        assert!(refused.contains(told), "{arguments:?}: {refused}");
    }
}

#[test]
fn standard_input_and_output_are_files_too() {
    let folder = Folder::new("pipes");
    let path = folder.file("table.csv", &table());
    folder.told(&["fit", "table.csv", "-o", "table.model", "--model", "gaussian"]);
    let piped = Command::new(env!("CARGO_BIN_EXE_pushforward"))
        .args(["score", "table.model", "-"])
        .current_dir(&folder.0)
        .stdin(fs::File::open(path).unwrap())
        .output()
        .unwrap();
    assert!(piped.status.success());
    assert_eq!(String::from_utf8(piped.stdout).unwrap(), folder.told(&["score", "table.model", "table.csv"]));
    let json = folder.told(&["fit", "table.csv", "--model", "gaussian", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["fit"]["candidates"][0]["name"], "Gaussian");
    assert!(json["test"]["mean"].as_f64().unwrap().is_finite());
}

#[test]
fn what_is_known_of_a_row_may_be_any_part_of_it() {
    let folder = Folder::new("known");
    folder.file("table.csv", &table());
    folder.told(&["fit", "table.csv", "-o", "t.model", "--kind", "side=text", "--model", "mixture"]);
    // Missing cells are integrated out.
    folder.file("holes.csv", "x,y\n0.3,\n,0.1\n,\n0.3,0.1\n");
    let scored = folder.run(&["score", "t.model", "holes.csv"]);
    let told = String::from_utf8(scored.stderr).unwrap();
    assert!(
        told.contains("2 of 4 rows have missing values") && told.contains("1 of 4 rows have no score"),
        "{told}"
    );
    let rows = String::from_utf8(scored.stdout).unwrap();
    let cells: Vec<Vec<&str>> = rows.lines().map(|line| line.split(',').collect()).collect();
    assert!(cells[1][1].parse::<f64>().unwrap() < 0.0 && cells[1][3].is_empty(), "{rows}");
    assert_eq!(cells[3][1..], ["", "", ""]);
    // Any columns may be given, as values or as a table.
    let drawn = folder.told(&["sample", "t.model", "-n", "3", "--given", "y=0.5"]);
    assert!(drawn.lines().skip(1).all(|line| line.ends_with(",0.5")), "{drawn}");
    let quantiles = ["sample", "t.model", "--given", "table.csv", "--columns", "x", "--quantiles", "0.1,0.9"];
    let told = folder.told(&quantiles);
    assert!(told.starts_with("x_0.1,x_0.9,effective\n") && told.lines().count() == 201, "{told}");
    let all = folder.refused(&["sample", "t.model", "--given", "table.csv"]);
    assert!(all.contains("has all columns of the model; say with --columns"), "{all}");
    // Why rows are unlikely, within 80 columns.
    let told = folder.told(&["score", "t.model", "table.csv", "--explain", "--top", "2"]);
    assert!(told.contains("of the training rows") && told.lines().count() == 3 + 2 * 4, "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    folder.told(&["score", "t.model", "table.csv", "--explain", "-o", "why.csv"]);
    let why = fs::read_to_string(folder.0.join("why.csv")).unwrap();
    assert!(why.lines().nth(1).unwrap().contains("expected"), "{why}");
}

#[test]
fn categories_groups_weights_and_a_table_of_test_rows() {
    let folder = Folder::new("parts");
    let with_weights = |text: &str| -> String {
        let more = |(k, line): (usize, &str)| match k {
            0 => format!("{line},patient,w\n"),
            _ => format!("{line},{},{}\n", k / 5, 1 + k % 2),
        };
        text.lines().enumerate().map(more).collect()
    };
    folder.file("table.csv", &with_weights(&table()));
    folder.file("later.csv", &with_weights(&table().lines().take(60).collect::<Vec<_>>().join("\n")));
    let fit = ["fit", "table.csv", "-o", "t.model", "--model", "gaussian"];
    let more = ["--groups", "patient", "--weights", "w", "--test", "later.csv"];
    let told = folder.told(&[&fit[..], &more].concat());
    assert!(told.contains("On 59 rows that were kept apart"), "{told}");
    assert!(told.contains("2 of them are fitted") && !told.contains("identifier"), "{told}");
    assert!(
        told.contains("rows of one `patient` stay together") && told.contains("`w` is the weight"),
        "{told}"
    );
    let unknown = folder.refused(&[&fit[..], &["--weights", "v"]].concat());
    assert!(unknown.contains("`v`"), "{unknown}");
    let fit = ["fit", "table.csv", "-o", "c.model", "--model", "autoregressive", "--time", "3s"];
    folder.told(&[&fit[..], &["--columns", "x,y,side", "--kind", "side=category"]].concat());
    let described = folder.told(&["describe", "c.model"]);
    assert!(described.contains("2 levels: left, right"), "{described}");
    let page = folder.told(&["report", "c.model", "table.csv", "-o", "-", "--no-audit"]);
    assert!(page.contains("category: left, right") && page.contains("<h3>Categories</h3>"));
    let drawn = folder.told(&["sample", "c.model", "-n", "40"]);
    assert!(
        drawn.starts_with("x,y,side\n") && drawn.contains(",left") && drawn.contains(",right"),
        "{drawn}"
    );
    let drawn = folder.told(&["sample", "c.model", "-n", "5", "--given", "side=left,x=1"]);
    assert!(drawn.lines().skip(1).all(|line| line.starts_with("1,") && line.ends_with(",left")), "{drawn}");
    assert_eq!(folder.told(&["score", "c.model", "table.csv"]).lines().count(), 201);
}

#[test]
fn a_fit_is_done_again_and_gone_on_with() {
    let folder = Folder::new("again");
    folder.file("table.csv", &table());
    let fit = ["fit", "table.csv", "--columns", "x,y", "--seed", "3"];
    folder.told(&[&fit[..], &["-o", "a.model", "--model", "autoregressive", "--time", "3s"]].concat());
    folder.told(&["fit", "table.csv", "--columns", "x,y", "-o", "b.model", "--like", "a.model"]);
    let scores = |model: &str| folder.told(&["score", model, "table.csv"]);
    assert_eq!(scores("a.model"), scores("b.model"));
    let told = folder.told(&[&fit[..], &["-o", "a.model", "--resume", "a.model", "--time", "0s"]].concat());
    assert!(told.contains("The model is in a.model"), "{told}");
    assert_eq!(folder.names(), ["a.model", "b.model", "table.csv"]);
}

#[test]
fn a_marker_of_missing_values_is_kept_by_the_model_and_by_fits_like_it() {
    let folder = Folder::new("marker");
    let marked = |(k, line): (usize, &str)| match k {
        0 => format!("{line},n\n"),
        k if k % 40 == 3 => format!("-999,{},{k}\n", &line[line.find(',').unwrap() + 1..]),
        k => format!("{line},{k}\n"),
    };
    folder.file("table.csv", &table().lines().enumerate().map(marked).collect::<String>());
    // The advice of the look is taken as it stands.
    let advice = folder.told(&["fit", "table.csv", "--model", "gaussian"]);
    assert!(advice.contains("--missing-marker -999"), "{advice}");
    let fit = ["fit", "table.csv", "--columns", "x,y", "--model", "gaussian", "--kind", "y=rounded:0.001"];
    let told = folder.told(&[&fit[..], &["--missing-marker", "-999", "-o", "a.model"]].concat());
    assert!(told.contains("missing where a cell is -999") && told.contains("5 of 200 rows"), "{told}");
    assert!(folder.told(&["describe", "a.model"]).contains("missing where a cell is -999"));
    let scores = |arguments: &[&str]| folder.told(&[&["score"], arguments, &["table.csv"]].concat());
    let kept = scores(&["a.model"]);
    assert_eq!(kept, scores(&["--missing-marker", "-999", "a.model"]));
    // The mean of the others, and no density far out.
    let line: Vec<&str> = kept.lines().nth(3).unwrap().split(',').collect();
    assert!(line[1].parse::<f64>().unwrap() > -20.0 && line[3].is_empty(), "{line:?}");
    // Nothing of it needs to be said again.
    let like = folder.told(&["fit", "table.csv", "--like", "a.model", "-o", "b.model"]);
    assert!(like.contains("5 of 200 rows") && like.contains("y (0.001)"), "{like}");
    assert_eq!(scores(&["b.model"]), kept);
    let page = folder.told(&["report", "a.model", "table.csv", "-o", "-", "--no-audit"]);
    assert!(page.contains("195 rows of table.csv were read"));
}

#[test]
fn what_is_printed_ends_with_a_pipe_and_fails_with_a_full_disk() {
    let folder = Folder::new("printed");
    folder.file("table.csv", &table());
    folder.told(&["fit", "table.csv", "-o", "t.model", "--model", "gaussian"]);
    let commands: [&[&str]; 5] = [
        &["describe", "t.model"],
        &["describe", "t.model", "--json"],
        &["derive", "t.model"],
        &["score", "t.model", "table.csv", "--top", "3"],
        &["fit", "table.csv", "-o", "u.model", "--model", "gaussian"],
    ];
    let run = |arguments: &[&str], to: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pushforward"));
        command.args(arguments).current_dir(&folder.0).stdin(Stdio::null()).stdout(to);
        command.stderr(Stdio::piped()).output().unwrap()
    };
    for arguments in commands {
        // A pipe that nobody reads.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = run(arguments, writer.into());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !said.contains("panicked"), "{arguments:?}: {said}");
        if Path::new("/dev/full").exists() {
            let full = fs::File::options().write(true).open("/dev/full").unwrap();
            let output = run(arguments, full.into());
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
            assert!(said.contains("standard output cannot be written"), "{arguments:?}: {said}");
        }
    }
    // What is kept in a file is kept.
    assert!(folder.names().contains(&"u.model".to_string()));
}

#[test]
fn samples_have_the_columns_that_are_asked_for_and_nothing_is_begun_that_fails() {
    let folder = Folder::new("chosen");
    folder.file("table.csv", &table());
    folder.told(&["fit", "table.csv", "-o", "t.model", "--model", "gaussian"]);
    let drawn = folder.told(&["sample", "t.model", "-n", "3", "--columns", "y"]);
    assert!(drawn.starts_with("y\n") && drawn.lines().count() == 4, "{drawn}");
    let drawn = folder.told(&["sample", "t.model", "--given", "table.csv", "--columns", "x"]);
    assert!(drawn.starts_with("x\n") && drawn.lines().count() == 201, "{drawn}");
    let refused = folder.refused(&["sample", "t.model", "--columns", "z"]);
    assert!(refused.contains("`z` is no column that this model draws; they are: x, y"), "{refused}");
    let far = folder.run(&["sample", "t.model", "--given", "x=1e300"]);
    let said = String::from_utf8_lossy(&far.stderr);
    assert!(!far.status.success() && far.stdout.is_empty(), "{said}");
    // A model is no file of certificates.
    let refused = folder.refused(&["verify", "t.model"]);
    assert!(refused.contains("certificates") && refused.contains("audit MODEL --certificate"), "{refused}");
}

#[test]
fn a_small_table_is_told_that_it_gets_no_network() {
    let folder = Folder::new("small");
    folder.file("table.csv", &table());
    let told = folder.told(&["fit", "table.csv"]);
    assert!(told.contains("162 rows: networks are not tried below 250 rows"), "{told}");
    let told = folder.told(&["fit", "table.csv", "--model", "gaussian"]);
    assert!(!told.contains("networks"), "{told}");
    let help = folder.told(&["fit", "--help"]);
    assert!(help.contains("from 250 rows to fit to on") && help.contains("Couplings are no"), "{help}");
    let help = folder.told(&["score", "--help"]);
    assert!(["line ", "log_p ", "error ", "rank "].iter().all(|name| help.contains(name)), "{help}");
}

#[test]
fn the_least_likely_rows_have_six_digits_and_impossible_ones_their_reason() {
    let folder = Folder::new("digits");
    let more = |(k, line): (usize, &str)| match k {
        0 => format!("{line},n\n"),
        k => {
            let u = (k as f64 * 0.754_877_666).fract();
            format!("{line},{}\n", 1.0 + (-1.5 * (1.0 - u).ln()).floor())
        }
    };
    let text: String = table().lines().enumerate().map(more).collect();
    folder.file("table.csv", &text);
    folder.file("new.csv", &format!("{text}0.5,0.25,left,0\n"));
    let fit = ["fit", "table.csv", "-o", "t.model", "--model", "gaussian", "--test", "new.csv"];
    let told = folder.told(&fit);
    assert!(told.contains("n (1, from 1)"), "{told}");
    assert!(told.contains("line 202: n = 0, must be 1 or above"), "{told}");
    let told = folder.told(&["score", "t.model", "new.csv", "--top", "3"]);
    let longest = told.lines().skip(1).flat_map(str::split_whitespace).map(str::len).max().unwrap();
    assert!(longest <= 9, "{told}");
    let told = folder.told(&["score", "t.model", "new.csv", "--explain", "--top", "1"]);
    assert!(told.contains("line 202: ln p = -inf") && told.contains("must be 1 or above"), "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    let drawn = folder.told(&["sample", "t.model", "-n", "500", "--columns", "n"]);
    assert!(drawn.lines().skip(1).all(|n| n.parse::<f64>().unwrap() >= 1.0), "{drawn}");
}
