//! Pieces of HTML: numbers, tables, legends.

use std::fmt::Write;

use crate::table::{rounded, shown};
pub(super) use crate::typeset::html_words as escape;

/// Writes a number with so many significant digits at most.
pub(super) fn digits(value: f64, significant: usize) -> String {
    match value {
        value if value.is_finite() => shown(rounded(value, significant)),
        value if value.is_nan() => "unknown".to_string(),
        value => (if value > 0.0 { "∞" } else { "-∞" }).to_string(),
    }
}

/// Writes a value and its standard error to the digits that the error leaves: `-15.45 ± 0.42`.
pub(super) fn with_error(value: f64, error: f64) -> String {
    if !(value.is_finite() && error.is_finite()) {
        return digits(value, 4);
    }
    let places = if error > 0.0 { (1.0 - error.log10().floor()).clamp(0.0, 6.0) as usize } else { 3 };
    format!("{value:.places$} ± {error:.places$}")
}

/// Writes a p-value.
pub(super) fn probability(p: f64) -> String {
    // Not to be broken over lines.
    const SPACE: char = '\u{a0}';
    match p < 0.001 {
        true => format!("p{SPACE}&lt;{SPACE}0.001"),
        false => format!("p{SPACE}={SPACE}{p:.*}", if p < 0.1 { 3 } else { 2 }),
    }
}

/// A cell of a table.
pub(super) struct Cell {
    html: String,
    class: &'static str,
    /// The number of columns that it spans.
    span: usize,
}

/// A cell with marked text, and its class.
pub(super) fn marked(html: impl Into<String>, class: &'static str) -> Cell {
    Cell { html: html.into(), class, span: 1 }
}

/// A cell that spans columns.
pub(super) fn across(html: String, span: usize) -> Cell {
    Cell { html, class: "", span }
}

/// A cell with words.
pub(super) fn words(text: &str) -> Cell {
    marked(escape(text), "")
}

/// A cell with a number.
pub(super) fn number(text: impl Into<String>) -> Cell {
    marked(text, "n")
}

/// Writes a table that scrolls by itself where it is wider than the page; a row has a class and its cells.
pub(super) fn table(headers: &[Cell], rows: &[(&str, Vec<Cell>)]) -> String {
    let class = |class: &str| if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    let mut html = String::from("<div class=\"scroll\"><table>\n<thead><tr>");
    for cell in headers {
        let _ = write!(html, "<th{}>{}</th>", class(cell.class), cell.html);
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for (kind, cells) in rows {
        let _ = write!(html, "<tr{}>", class(kind));
        for cell in cells {
            let span = if cell.span > 1 { format!(" colspan=\"{}\"", cell.span) } else { String::new() };
            let _ = write!(html, "<td{}{span}>{}</td>", class(cell.class), cell.html);
        }
        html.push_str("</tr>\n");
    }
    html + "</tbody>\n</table></div>\n"
}

/// Writes the meaning of marks: the class of the sample, the number of the colour, words.
pub(super) fn legend(entries: &[(&str, usize, &str)]) -> String {
    let entry = |(key, colour, words): &(&str, usize, &str)| {
        format!(
            "<li><span class=\"c{colour}\"><span class=\"key {key}\"></span></span>{}</li>",
            escape(words)
        )
    };
    format!("<ul class=\"legend\">{}</ul>\n", entries.iter().map(entry).collect::<String>())
}

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().filter(|name| !name.is_empty()).unwrap_or(path)
}

/// Shortens a name for an axis.
pub(super) fn short(name: &str) -> String {
    const MOST: usize = 34;
    match name.chars().count() {
        count if count <= MOST => name.to_string(),
        _ => name.chars().take(MOST - 1).chain(['…']).collect(),
    }
}
