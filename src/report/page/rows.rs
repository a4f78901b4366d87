//! The least likely rows.

use super::write::{Cell, across, digits, escape, marked, number, table, with_error, words};
use crate::model::Score;
use crate::report::{OddRow, Report};
use crate::table::count;

/// Columns that have a column of the list; of more, the values farthest out are named in one.
const MOST: usize = 10;
/// Values that are named then.
const NAMED: usize = 6;

pub(super) fn section(report: &Report) -> String {
    let names: Vec<&String> = report.needs().collect();
    let wide = names.len() > MOST;
    let mut headers = vec![number("line"), number("ln p"), number("lower than")];
    match wide {
        true => headers.push(words("the values that lie farthest out")),
        false => headers.extend(names.iter().map(|name| number(escape(name)))),
    }
    let mut rows: Vec<(&str, Vec<Cell>)> = Vec::new();
    for row in &report.oddest {
        // An error that two decimals do not show is none.
        let log_prob = match row.score {
            Score { log_prob, .. } if !log_prob.is_finite() => digits(log_prob, 1),
            Score { log_prob, error, .. } if error < 0.05 => format!("{log_prob:.2}"),
            Score { log_prob, error, .. } => with_error(log_prob, error),
        };
        let lower = match row.score.rank {
            None => String::new(),
            Some(0.0) => "all".to_string(),
            Some(rank) => format!("{:.1} %", 100.0 * (1.0 - rank)),
        };
        let mut cells = vec![number(row.line.to_string()), number(log_prob), number(lower)];
        match wide {
            true => cells.push(marked(farthest(&names, row), "wide")),
            false => cells.extend(
                row.values
                    .iter()
                    .map(|value| marked(escape(&value.text), if value.is_far() { "n far" } else { "n" })),
            ),
        }
        let told = !row.reasons.is_empty();
        rows.push((if told { "before" } else { "" }, cells));
        if told {
            let reasons: Vec<String> = row.reasons.iter().map(|reason| escape(reason)).collect();
            rows.push(("why", vec![across(reasons.join("; "), headers.len())]));
        }
    }
    format!(
        "<p>The {} that the model finds least likely, with their line in the file; «lower than» tells what share of the rows of \
         the fit are more likely. Below each row are its least likely values, and what they would be expected to be given the \
         others of the row (half of them are below the first number, 90 % are in the range). Marked values are farther out than 99 % of all samples in their column by itself; a row \
         without one is odd by how its values go together.</p>\n{}",
        count(report.oddest.len(), "row"),
        table(&headers, &rows)
    )
}

/// The values that lie farthest out among samples, with their names.
fn farthest(names: &[&String], row: &OddRow) -> String {
    let out = |place: &usize| row.values[*place].below.map_or(1.0, |below| below.min(1.0 - below));
    let mut places: Vec<usize> = (0..row.values.len()).collect();
    places.sort_by(|a, b| out(a).total_cmp(&out(b)));
    let one = |place: &usize| {
        let value = &row.values[*place];
        let text = format!("{} = {}", escape(names[*place]), escape(&value.text));
        if value.is_far() { format!("<b class=\"bad\">{text}</b>") } else { text }
    };
    places.iter().take(NAMED).map(one).collect::<Vec<_>>().join(", ")
}
