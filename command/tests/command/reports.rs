//! `report` and `compare`: a page on a model and a table, and densities by cross-validation.

use std::fs;

use crate::tables::{Folder, table};

#[test]
fn a_report_is_one_page_about_the_rows_of_the_table() {
    let folder = Folder::new("report");
    folder.file("table.csv", &table());
    folder.told(&["fit", "table.csv", "-o", "table.model", "--model", "gaussian"]);
    let told = folder.told(&["report", "table.model", "table.csv"]);
    assert_eq!(told, "The report is in report.html.\n");
    assert_eq!(folder.names(), ["report.html", "table.csv", "table.model"]);
    let page = fs::read_to_string(folder.0.join("report.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    for told in [
        "table.model on table.csv",
        "200 rows of table.csv were read and scored",
        "not in the model: side",
        "pushforward sample table.model -n 1000 -o rows.csv",
        "one-to-one and onto",
        "■ proven",
    ] {
        assert!(page.contains(told), "{told}");
    }
    let short = folder.told(&["report", "table.model", "table.csv", "-o", "-", "--no-audit", "--rows", "50"]);
    assert!(short.contains("50 rows are compared") && short.contains("Not audited for this report"));
}

#[test]
fn a_report_is_not_written_over_what_it_reads() {
    let folder = Folder::new("report_safe");
    folder.file("table.csv", &table());
    folder.file("other.csv", "x,z\n1,2\n");
    folder.told(&["fit", "table.csv", "-o", "table.model", "--model", "gaussian"]);
    for target in ["table.csv", "table.model", "no/such/report.html"] {
        let refused = folder.refused(&["report", "table.model", "table.csv", "-o", target]);
        assert!(refused.contains(target) && !refused.contains("scoring"), "{refused}");
    }
    let other = folder.refused(&["report", "table.model", "other.csv"]);
    assert!(other.contains("other.csv") && other.contains("`y`"), "{other}");
    folder.file("empty.csv", "x,y\n");
    let empty = folder.refused(&["report", "table.model", "empty.csv"]);
    assert!(empty.contains("empty.csv: it has no rows"), "{empty}");
    let full = folder.run(&["report", "table.model", "table.csv", "--no-audit", "-o", "/dev/full"]);
    assert_eq!(full.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&full.stderr).contains("/dev/full"));
}

#[test]
fn densities_are_compared_on_rows_that_their_fits_did_not_see() {
    let folder = Folder::new("compare");
    folder.file("table.csv", &table());
    let arguments = ["compare", "table.csv", "--models", "gaussian,mixture", "--folds", "4"];
    let told = folder.told(&arguments);
    assert!(told.contains("of 200 rows, each by a fit to the other 3 of 4 folds"), "{told}");
    assert!(told.contains("the best") && told.contains("--model"), "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    let json = folder.told(&[&arguments[..], &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let densities = json["comparison"]["densities"].as_array().unwrap();
    assert_eq!((densities.len(), &densities[1]["choice"]), (2, &serde_json::json!("mixture")));
    let best = json["comparison"]["best"].as_u64().unwrap() as usize;
    assert_eq!(densities[best]["difference"], 0.0);
    assert_eq!(folder.names(), ["table.csv"]);
}

#[test]
fn rows_are_compared_by_their_weights() {
    let folder = Folder::new("compare_weights");
    let weighted = |(k, line): (usize, String)| match k {
        0 => format!("{line},w\n"),
        // Every fourth row counts for nothing, the others for twice as much.
        k => format!("{line},{}\n", if k % 4 == 0 { 0 } else { 2 }),
    };
    let lines = table().lines().map(str::to_string).collect::<Vec<_>>();
    folder.file("table.csv", &lines.into_iter().enumerate().map(weighted).collect::<String>());
    let arguments = ["compare", "table.csv", "--models", "gaussian", "--folds", "4", "--weights", "w"];
    let told = folder.told(&arguments);
    assert!(told.contains("Weighted mean ln p, in nats, of 150 rows"), "{told}");
    let refused = folder.refused(&["compare", "table.csv", "--models", "gaussian", "--weights", "x"]);
    assert!(refused.contains("weights are 0 or more"), "{refused}");
}

#[test]
fn densities_that_take_no_categories_are_skipped_and_named() {
    let folder = Folder::new("compare_category");
    folder.file("table.csv", &table());
    let arguments = ["compare", "table.csv", "--kind", "side=category", "--time", "1s", "--folds", "2"];
    let told = folder.told(&arguments);
    assert!(told.contains("Not compared: gaussian and mixture"), "{told}");
    assert!(told.contains("  coupling ") && told.contains("  auto "), "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
}

#[test]
fn what_cannot_be_compared_is_said() {
    let folder = Folder::new("compare_wrong");
    folder.file("table.csv", &table());
    let cases: [(&[&str], &str); 5] = [
        (&["--models", "gaussian,gaussian"], "--models names gaussian twice"),
        (&["--models", "gausian"], "gaussian"),
        (&["--folds", "1"], "2..=1000"),
        (&["--columns", "x,z"], "`z`"),
        (&["--given", "side", "--models", "mixture"], "not conditioned on columns"),
    ];
    for (options, told) in cases {
        let refused = folder.refused(&[&["compare", "table.csv"], options].concat());
        assert!(refused.contains(told), "{options:?}: {refused}");
    }
}
