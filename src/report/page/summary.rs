//! The head of the page: what it is about, and the figures that matter most.

use super::write::{digits, escape, file_name, probability, with_error};
use crate::report::Report;
use crate::table::{count, list};

/// The p-value below which rows and samples as a whole are said to differ.
const LEVEL: f64 = 0.01;
/// So few rows tell nothing.
const FEW: usize = 20;

pub(super) fn section(report: &Report) -> String {
    let (fit, calibration) = (&report.fit, &report.calibration);
    let given = match report.given.as_slice() {
        [] => String::new(),
        names => format!(" given {}", escape(&list(names, 4))),
    };
    let mut html = format!(
        "<header>\n<h1>{} on {}</h1>\n<p>A density of {}{given}, in {}, and the rows of {}.</p>\n</header>\n",
        escape(file_name(&report.model)),
        escape(file_name(&report.table)),
        count(report.columns.len() + report.categories.len(), "column"),
        escape(&report.model),
        escape(&report.table)
    );
    let right = calibration.columns.iter().filter(|column| !calibration.differs(column)).count()
        + calibration.categories.iter().filter(|category| !calibration.differs_in(category)).count();
    let (energy, classifier) = (&calibration.energy, &calibration.classifier);
    let figures = [
        (
            "Mean ln p of the rows",
            with_error(report.likelihood.mean, report.likelihood.error),
            format!(
                "nats; {} of {} held out in the fit",
                with_error(fit.score, fit.error),
                count(fit.held_out, "row")
            ),
        ),
        (
            "Columns as in the model",
            format!("{right} of {}", calibration.columns.len() + calibration.categories.len()),
            match calibration.categories.is_empty() {
                true => "by the rank of each value among samples".to_string(),
                false => "by the rank of each value among samples, or how often levels occur".to_string(),
            },
        ),
        (
            "Energy distance",
            with_error(energy.distance, energy.error),
            format!("0 if rows are as samples; {}", probability(energy.p)),
        ),
        (
            "Rows told from samples",
            format!("AUC {:.3} ± {:.3}", classifier.auc.area, classifier.auc.error),
            format!("½ if rows are as samples; {}", probability(classifier.p)),
        ),
    ];
    html.push_str("<dl class=\"figures\">\n");
    for (name, value, said) in figures {
        html.push_str(&format!("<div><dt>{name}</dt><dd>{value}<small>{said}</small></dd></div>\n"));
    }
    html.push_str("</dl>\n");
    html + &verdict(report)
        + "<p class=\"note\">Nothing in a model says which rows it was fitted to. Rows that it was fitted to look more like its \
           samples than new rows do, so make the report of rows that were kept apart.</p>\n"
}

/// The columns by which trees tell rows from samples, above all; empty where they do not.
pub(super) fn by_columns(report: &Report) -> String {
    const NAMED: usize = 3;
    // What stands out of equal parts.
    const MORE: f64 = 1.3;
    let importance = &report.calibration.classifier.importance;
    if report.calibration.classifier.p >= LEVEL {
        return String::new();
    }
    // Numbers of given columns stand behind those of modelled ones.
    let mut columns: Vec<(f64, &String)> = importance.iter().copied().zip(&report.columns).collect();
    columns.retain(|(part, _)| *part > MORE / importance.len() as f64);
    columns.sort_by(|a, b| b.0.total_cmp(&a.0));
    columns.truncate(NAMED);
    match columns.is_empty() {
        true => String::new(),
        false => {
            let names = columns.iter().map(|(_, name)| format!("<b>{}</b>", escape(name)));
            format!(", above all by {}", list(&names.collect::<Vec<_>>(), NAMED))
        }
    }
}

/// One paragraph: whether the rows look like samples, and where they do not.
fn verdict(report: &Report) -> String {
    let calibration = &report.calibration;
    let mut said = Vec::new();
    let differing: Vec<String> = calibration
        .columns
        .iter()
        .filter(|column| calibration.differs(column))
        .map(|column| format!("<b>{}</b> ({})", escape(&column.column), column.difference.words()))
        .chain(
            calibration
                .categories
                .iter()
                .filter(|category| calibration.differs_in(category))
                .map(|category| format!("<b>{}</b> (other shares of levels)", escape(&category.column))),
        )
        .collect();
    if !differing.is_empty() {
        said.push(format!("The rows are not distributed as samples in {}.", list(&differing, 6)));
    }
    if calibration.energy.p < LEVEL {
        said.push(format!(
            "As a whole they differ from samples by an energy distance of {}, {} % of the largest that is possible.",
            digits(calibration.energy.distance, 2),
            digits(100.0 * calibration.energy.share, 2)
        ));
    }
    if calibration.classifier.p < LEVEL {
        said.push(format!(
            "Decision trees tell a row from a sample in {:.0} of 100 pairs, where guessing does in 50{}.",
            100.0 * calibration.classifier.auc.area,
            by_columns(report)
        ));
    }
    if !report.likelihood.impossible.is_empty() {
        let rows = count(report.likelihood.impossible.len(), "row");
        said.push(format!("The model gives no probability to {rows}."));
    }
    let (class, said) = match said.is_empty() {
        true if calibration.rows < FEW => {
            let rows = count(calibration.rows, "row");
            ("", format!("{rows} of the table are too few to be told from samples of the model, or not."))
        }
        true => {
            let rows = count(calibration.rows, "row");
            ("good", format!("Nothing here tells {rows} of the table from samples of the model."))
        }
        false => ("bad", said.join(" ")),
    };
    format!("<p class=\"verdict {class}\">{said}</p>\n")
}
