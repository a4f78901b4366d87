//! Comparing a text with its snapshot. Every snapshot of the project lies in the top-level folder, which all test packages
//! reach by the same way; nothing is written where `CI` is set.
#![allow(dead_code, reason = "not every test binary masks rounding")]

/// Compares a text with the snapshot of this name.
pub fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Rounding differs in the last bits from machine to machine, and so does what is left of an error.
pub fn without_rounding(text: &str) -> String {
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
