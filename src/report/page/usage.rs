//! How to use the model file, and the terms of the page.

use super::write::escape;
use crate::report::Report;

pub(super) fn section(report: &Report) -> String {
    let model = quoted(&report.model);
    let given = match report.given.as_slice() {
        [] => String::new(),
        names => format!(
            " --given {}",
            quoted(&names.iter().map(|name| format!("{name}=…")).collect::<Vec<_>>().join(","))
        ),
    };
    let commands = [
        (format!("pushforward score {model} new.csv -o scores.csv"), "ln p of each row of a table"),
        (format!("pushforward score {model} new.csv --top 20"), "its least likely rows"),
        (format!("pushforward sample {model} -n 1000{given} -o rows.csv"), "new rows"),
        (format!("pushforward describe {model}"), "columns, flows, how it was fitted"),
        (format!("pushforward derive {model}"), "the formulas of its layers"),
        (
            format!("pushforward audit {model} --certificate {}", quoted(&format!("{}.txt", report.model))),
            "what is proven, with certificates",
        ),
        (format!("pushforward report {model} new.csv -o report.html"), "this page for other rows"),
    ];
    let lines: String =
        commands.iter().map(|(command, about)| format!("# {about}\n{}\n", escape(command))).collect();
    let needs: Vec<String> = report.needs().map(|name| format!("<code>{}</code>", escape(name))).collect();
    format!(
        "<pre>{}</pre>\n<p>A table needs the columns {}; others may be there, too. In code: <code>Model::load</code>, \
         <code>score</code>, <code>sample</code>.</p>\n",
        lines.trim_end(),
        needs.join(", ")
    )
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,".contains(c);
    if word.chars().all(plain) { word.to_string() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

pub(super) fn terms(_report: &Report) -> String {
    "<dl>\n<dt><b>ln p</b></dt><dd>The natural logarithm of the density of a row, in the units of the table: one nat is a factor \
     of 2.718. For rounded columns it is that of the mean density over the row's cell.</dd>\n\
     <dt><b>± </b></dt><dd>One standard error.</dd>\n\
     <dt><b>chance, p</b></dt><dd>How often rows that are samples of the model would differ from samples as much. For the tests as \
     a whole it is counted from random exchanges of rows and samples, which makes it exact.</dd>\n</dl>\n"
        .to_string()
}
