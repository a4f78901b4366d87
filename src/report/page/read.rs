//! What was read of the table, and what was left out.

use std::fmt::Write;

use super::write::{Cell, digits, escape, number, table, words};
use crate::report::Report;
use crate::table::{count, list};

pub(super) fn section(report: &Report) -> String {
    let read = &report.read;
    let mut html = format!(
        "<p>{} of {} were read and scored.</p>\n",
        escape(&count(read.rows, "row")),
        escape(&report.table)
    );
    let mut notes: Vec<String> = report.said.clone();
    if read.dropped.rows > 0 {
        notes.push(read.dropped.to_string());
    }
    if !report.others.is_empty() {
        notes.push(format!("not in the model: {}", list(&report.others, 12)));
    }
    let impossible = &report.likelihood.impossible;
    if !impossible.is_empty() {
        let lines: Vec<String> = impossible.iter().map(ToString::to_string).collect();
        notes.push(format!(
            "{} of density 0, which are in no mean: line {}",
            count(lines.len(), "row"),
            list(&lines, 10)
        ));
    }
    if report.calibration.rows < read.rows {
        notes.push(format!(
            "{} of them, drawn at random, are compared with samples",
            count(report.calibration.rows, "row")
        ));
    }
    if !notes.is_empty() {
        html.push_str("<ul>\n");
        notes.iter().for_each(|note| {
            let _ = writeln!(html, "<li>{}</li>", escape(note));
        });
        html.push_str("</ul>\n");
    }
    let headers = ["column", "kind", "in the model", "missing", "different", "least", "median", "largest"];
    let headers: Vec<Cell> = headers
        .into_iter()
        .enumerate()
        .map(|(k, header)| if k < 3 { words(header) } else { number(header) })
        .collect();
    let rows: Vec<(&str, Vec<Cell>)> = read
        .columns
        .iter()
        .map(|column| {
            let range = match column.range {
                Some(range) => range.map(|value| number(digits(value, 6))).into(),
                None => vec![number(""), number(""), number("")],
            };
            let mut cells = vec![words(&column.name), words(&column.kind), words(&column.used)];
            cells.extend([number(column.missing.to_string()), number(column.distinct.to_string())]);
            cells.extend(range);
            ("", cells)
        })
        .collect();
    html + &table(&headers, &rows)
}
