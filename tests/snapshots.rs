//! Snapshots of the output for people: lessons, audits, formulas. Read a changed snapshot line by line.

use std::process::Command;

use pushforward::prelude::*;

/// Every snapshot of the project lies in the top-level folder; nothing is written where `CI` is set.
macro_rules! snapshot {
    ($name:expr, $text:expr) => {{
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!($name, $text));
    }};
}

/// The output of a lesson, as it is when piped.
fn output_of(executable: &str) -> String {
    let output = Command::new(executable)
        .env("PUSHFORWARD_MASK", "1")
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .output()
        .expect("the lesson runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("lessons print UTF-8")
}

/// Rounding differs in the last bits from machine to machine, and so does what is left of an error.
fn without_rounding(text: &str) -> String {
    let text = text.replace("(exactly)", "(to within <rounding>)");
    ["worst error ", "to within "].into_iter().fold(text, |text, before| {
        let mut parts = text.split(before);
        let mut masked = parts.next().unwrap_or_default().to_string();
        for part in parts {
            let end = part.find([' ', ',', ')', '\n']).unwrap_or(part.len());
            masked.push_str(&format!("{before}<rounding>{}", &part[end..]));
        }
        masked
    })
}

/// A trained flow differs a little wherever `exp` does: its digits, and the rows of pictures drawn from it, are left out.
fn without_training(text: &str) -> String {
    let drawn =
        |line: &&str| !line.chars().any(|c| ('\u{2800}'..='\u{28ff}').contains(&c) || "░▒▓█│┤".contains(c));
    let masked = text.lines().filter(drawn).map(|line| {
        line.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect::<String>() + "\n"
    });
    masked.collect()
}

/// The same for the sections under these headings; the others hold numbers that are the same everywhere.
fn without_training_under(headings: &[&str], text: &str) -> String {
    let mut trained = false;
    let mut masked = String::new();
    for line in without_rounding(text).split_inclusive('\n') {
        if let Some(heading) = line.strip_prefix("── ") {
            trained = headings.iter().any(|trained| heading.starts_with(trained));
        }
        masked.push_str(&if trained { without_training(line) } else { line.to_string() });
    }
    masked
}

macro_rules! lessons {
    ($($test:ident $executable:literal $mask:expr;)*) => {
        $(
            #[test]
            fn $test() {
                let output = output_of(env!(concat!("CARGO_BIN_EXE_", $executable)));
                let wide = output.lines().find(|line| line.chars().count() > 80);
                assert_eq!(wide, None, "a line is wider than 80 columns");
                assert!(!output.contains('\u{1b}'), "colour codes in a pipe");
                let mask: fn(&str) -> String = $mask;
                snapshot!(concat!("lesson_", $executable), mask(&output));
            }
        )*
    };
}

lessons! {
    lesson_01 "01_change_of_variables" without_rounding;
    lesson_02 "02_the_tape" without_rounding;
    lesson_03 "03_jacobian_and_volume" without_rounding;
    lesson_04 "04_absolute_value" without_rounding;
    lesson_05 "05_two_forms" without_rounding;
    lesson_06 "06_chain_rule_of_determinants" without_rounding;
    lesson_07 "07_triangular_is_cheap" without_rounding;
    lesson_08 "08_first_flow" without_training;
    lesson_09 "09_write_forward_get_the_rest" without_rounding;
    lesson_10 "10_invertibility_is_architecture" |text| {
        let trained = ["A network that", "Two points, one z", "How much probability", "Built in"];
        without_training_under(&trained, text)
    };
    lesson_11 "11_coupling" |text| {
        let trained = ["What one layer", "The grid through", "What the scale"];
        without_training_under(&trained, text)
    };
    lesson_12 "12_autoregressive" |text| without_training_under(&["Real data"], text);
    lesson_13 "13_maximum_likelihood_is_forward_kl" |text| without_training_under(&["All along training"], text);
    lesson_14 "14_one_pass_sampling" |text| without_training_under(&["And a chain"], text);
    lesson_15 "15_simple_bases" |text| without_training_under(&["Five bases", "Where it does"], text);
    lesson_16 "16_anomalies" |text| {
        let trained = ["Ten columns", "First caveat", "Second caveat"];
        without_training_under(&trained, text)
    };
    lesson_17 "17_inverse_problems" |text| {
        let trained = ["By hand", "Two causes", "The posterior", "Is it calibrated"];
        without_training_under(&trained, text)
    };
    lesson_18 "18_five_paradigms" |text| {
        let trained = ["Five models", "Is ln p", "What must", "Whose samples", "All of it"];
        without_training_under(&trained, text)
    };
    lesson_19 "19_reparameterisation" |text| {
        let trained = ["Learned", "Any flow", "The posterior"];
        without_training_under(&trained, text)
    };
    lesson_20 "20_continuous_flows" |text| {
        let trained = ["The tape does", "Diffusion is", "Trained without"];
        without_training_under(&trained, text)
    };
}

/// x₁ = z₁,  x₂ = z₂·exp(tanh z₁) + z₁²
struct Bend;

impl Bijection for Bend {
    fn dim(&self) -> usize {
        2
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z1, z2) = (z.at(0), z.at(1));
        stack([z1, z2 * z1.tanh().exp() + z1.powi(2)])
    }
}

/// The same with a declaration that is false.
struct Bent;

impl Bijection for Bent {
    fn dim(&self) -> usize {
        2
    }
    fn structure(&self) -> Structure {
        Structure::UpperTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        Bend.forward(z)
    }
}

#[test]
fn an_audit() {
    snapshot!("audit_bend", without_rounding(&audit(&Bend).expect("it records").to_string()));
}

#[test]
fn an_audit_as_json() {
    let report = audit(&Bend).expect("it records");
    let json = serde_json::to_string_pretty(&report).expect("a report is plain data");
    let keys: Vec<&str> = json.lines().filter(|line| !line.contains("worst")).collect();
    snapshot!("audit_bend_json", keys.join("\n"));
}

#[test]
fn an_error_with_its_path() {
    let error = record(&Bent).expect_err("x₂ depends on z₁").to_string();
    let masked = error.lines().map(|line| {
        // Source lines move when this file is edited.
        match line.find("tests/snapshots.rs:") {
            Some(at) => format!("{}tests/snapshots.rs:<line>\n", &line[..at]),
            None => format!("{line}\n"),
        }
    });
    snapshot!("error_false_declaration", masked.collect::<String>());
}
