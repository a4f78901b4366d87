//! The densities that were tried in the fit, with their learning curves.

use super::write::{Cell, escape, legend, number, table, with_error, words};
use crate::model::{Candidate, Epoch};
use crate::plot::Picture;
use crate::report::Report;
use crate::table::count;

pub(super) fn section(report: &Report) -> String {
    let fit = &report.fit;
    let mut html = format!(
        "<p>Fitted to {} by pushforward {} with seed {}. Each density was judged by {} that were held out; the model is their \
         mixture with the shares that make these most likely.</p>\n",
        count(fit.rows, "row"),
        escape(&fit.library),
        fit.seed,
        count(fit.held_out, "other")
    );
    let headers = [words("density"), number("held-out ln p, nats"), number("time"), number("share")];
    let mut rows: Vec<(&str, Vec<Cell>)> = fit.candidates.iter().map(row).collect();
    let total = with_error(fit.score, fit.error);
    rows.push(("total", vec![words("the model: their mixture"), number(total), number(""), number("100 %")]));
    html.push_str(&table(&headers, &rows));
    if !fit.left_out.is_empty() {
        html.push_str("<p>Columns of the table of the fit that are not in the model:</p>\n<ul>\n");
        for column in &fit.left_out {
            html.push_str(&format!(
                "<li><code>{}</code>: {}</li>\n",
                escape(&column.name),
                escape(&column.why)
            ));
        }
        html.push_str("</ul>\n");
    }
    html + &curves(&fit.candidates)
}

fn row(candidate: &Candidate) -> (&'static str, Vec<Cell>) {
    let kept = candidate.weight > 0.0;
    let share = if kept { format!("{:.0} %", 100.0 * candidate.weight) } else { "–".to_string() };
    let seconds = match candidate.seconds {
        seconds if seconds < 10.0 => format!("{seconds:.1} s"),
        seconds => format!("{seconds:.0} s"),
    };
    let cells = vec![
        words(&candidate.name),
        number(with_error(candidate.held_out, candidate.error)),
        number(seconds),
        number(share),
    ];
    (if kept { "" } else { "out" }, cells)
}

fn curves(candidates: &[Candidate]) -> String {
    let trained: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.epochs.len() > 1).collect();
    if trained.is_empty() {
        return String::new();
    }
    let panels: String = trained
        .into_iter()
        .map(|candidate| {
            let caption = escape(&candidate.name);
            format!(
                "<figure><figcaption>{caption}</figcaption>\n{}</figure>\n",
                curve(candidate).to_panel_svg()
            )
        })
        .collect();
    let keys = legend(&[("line", 0, "training rows"), ("dashed", 1, "held-out rows")]);
    format!(
        "<h3>Learning curves</h3>\n<p>Mean ln p, in nats, of standardised columns by epoch. The parameters that were kept are \
         those of the best epoch for the held-out rows; they are averaged over steps, which the training curve is not.</p>\n\
         {keys}<div class=\"panels\">\n{panels}</div>\n"
    )
}

fn curve(candidate: &Candidate) -> Picture {
    let epochs = &candidate.epochs;
    // The first epochs are far below: without them the rest can be seen.
    let later = &epochs[(epochs.len() / 10).min(epochs.len() - 2)..];
    let values = || later.iter().flat_map(|point| [point.training, point.held_out]);
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    let last = epochs.last().map_or(1.0, |point| point.epoch as f64);
    let points = |value: fn(&Epoch) -> f64| -> Vec<(f64, f64)> {
        epochs.iter().map(|point| (point.epoch as f64, value(point))).collect()
    };
    let alt = format!("Mean ln p of training and held-out rows by epoch, from {low:.2} to {high:.2}");
    Picture::new(&candidate.name, alt)
        .axes("epoch", "")
        .within((0.0, last), (low, high))
        .line("training rows", points(|point| point.training))
        .line("held-out rows", points(|point| point.held_out))
}
