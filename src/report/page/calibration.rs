//! Calibration: rows compared with samples, as a whole and by column.

use super::summary::by_columns;
use super::write::{Cell, digits, escape, legend, marked, number, probability, table, with_error, words};
use crate::plot::Picture;
use crate::report::{Calibration, ColumnCalibration, Difference, LevelCount, Report};
use crate::table::count;

/// Columns with a picture; of more, those with the largest distances.
const SHOWN: usize = 12;

impl Difference {
    /// What differs, about values of rows.
    pub(super) fn words(self) -> &'static str {
        match self {
            Difference::Lower => "lower than samples",
            Difference::Higher => "higher than samples",
            Difference::Wider => "farther out than samples",
            Difference::Narrower => "closer to the middle than samples",
            Difference::Shape => "another shape",
        }
    }
}

pub(super) fn section(report: &Report) -> String {
    let calibration = &report.calibration;
    let given = match report.given.is_empty() {
        true => "",
        false => ", drawn given the values of the row",
    };
    let mut html = format!(
        "<p>If the model is right, rows of the table are as samples of it. {} are compared with {} samples each{given}. Small \
         p-values say that they differ by more than chance explains.</p>\n<h3>As a whole</h3>\n",
        count(calibration.rows, "row"),
        calibration.samples
    );
    html.push_str(&whole(report));
    if calibration.left_out > 0 {
        html.push_str(&format!(
            "<p class=\"note\">{} with a value that no sample can have {} in neither of the two.</p>\n",
            count(calibration.left_out, "row"),
            if calibration.left_out == 1 { "is" } else { "are" }
        ));
    }
    html + "<h3>Column by column</h3>\n" + &columns(calibration) + &categories(calibration)
}

/// Levels that are listed of a category.
const LEVELS: usize = 20;

fn categories(calibration: &Calibration) -> String {
    if calibration.categories.is_empty() {
        return String::new();
    }
    let mut rows = Vec::new();
    for category in &calibration.categories {
        let said = match calibration.differs_in(category) {
            true => marked("<span class=\"bad\">other shares</span>", ""),
            false => marked("<span class=\"good\">as samples</span>", ""),
        };
        let first = [words(&category.column), number(probability(category.p)), said];
        let mut listed: Vec<&LevelCount> = category.levels.iter().collect();
        // Of many levels those that differ most.
        let distance = |level: &LevelCount| (level.rows as f64 - level.expected).abs();
        if listed.len() > LEVELS {
            listed.sort_by(|a, b| distance(b).total_cmp(&distance(a)));
            listed.truncate(LEVELS);
        }
        let mut first = Some(first);
        for level in listed {
            let [name, p, said] = first.take().unwrap_or_else(|| [words(""), number(""), words("")]);
            let (own, expected) = (number(level.rows.to_string()), number(digits(level.expected, 4)));
            rows.push(("", vec![name, words(&level.level), own, expected, p, said]));
        }
    }
    let headers = [
        words("category"),
        words("level"),
        number("rows"),
        number("in samples"),
        number("chance"),
        words("levels are"),
    ];
    format!(
        "<h3>Categories</h3>\n<p>How many rows have each level, and how many of as many samples; p is by Pearson's χ² test.</p>\n{}",
        table(&headers, &rows)
    )
}

fn whole(report: &Report) -> String {
    let Calibration { energy, classifier, .. } = &report.calibration;
    let row = |name: &str, value: String, p: f64| {
        ("", vec![marked(name, "label"), number(value), number(probability(p))])
    };
    let rows = [
        row("energy distance", with_error(energy.distance, energy.error), energy.p),
        row(
            "AUC of a classifier",
            format!("{:.3} ± {:.3}", classifier.auc.area, classifier.auc.error),
            classifier.p,
        ),
    ];
    format!(
        "{}<ul>\n<li>The energy distance is in standard deviations of columns, and about 0 for equal distributions; this is {} % \
         of the largest that is possible. Its error is by leaving out one pair after the other, p by exchanging rows and \
         samples at random.</li>\n<li>The classifier is a forest of decision trees that is asked about pairs it was not grown \
         from. The AUC is the probability that it finds the row of a row and a sample: ½ if nothing tells them apart, 1 if \
         everything does{}.</li>\n</ul>\n",
        table(&[words("test"), number("value"), number("chance")], &rows),
        digits(100.0 * energy.share.max(0.0), 2),
        by_columns(report).replacen(", above all", ". It finds it above all", 1)
    )
}

fn columns(calibration: &Calibration) -> String {
    let mut columns: Vec<&ColumnCalibration> = calibration.columns.iter().collect();
    let rows: Vec<(&str, Vec<Cell>)> = columns.iter().map(|column| row(calibration, column)).collect();
    let headers = [words("column"), number("distance D"), number("chance"), words("values of rows are")];
    let mut html = format!(
        "<p>The rank of a row's value among the samples for the row lies anywhere between 0 and 1 with equal probability, if the \
         model is right (probability integral transform). D is the largest distance between the distribution of ranks and the \
         uniform one; p is by Kolmogorov and Smirnov. A column differs if p is below 0.01 divided by the number of columns. \
         Equal and rounded values have their rank at random within their step.</p>\n{}",
        table(&headers, &rows)
    );
    if columns.len() > SHOWN {
        columns.sort_by(|a, b| b.test.distance.total_cmp(&a.test.distance));
        columns.truncate(SHOWN);
        html.push_str(&format!("<p class=\"note\">Pictures of the {SHOWN} largest distances.</p>\n"));
    }
    let figure = |column: &&ColumnCalibration| {
        format!(
            "<figure><figcaption>{}</figcaption>\n{}</figure>\n",
            escape(&column.column),
            histogram(column, calibration.rows).to_panel_svg()
        )
    };
    html.push_str(&legend(&[
        ("area", 0, "ranks of rows among samples, as a multiple of what is expected"),
        ("line", 9, "between these lines are 99 of 100 bins by chance"),
    ]));
    let figures: String = columns.iter().map(figure).collect();
    html + &format!("<div class=\"panels solid ranks\">\n{figures}</div>\n")
}

fn row(calibration: &Calibration, column: &ColumnCalibration) -> (&'static str, Vec<Cell>) {
    let said = match calibration.differs(column) {
        true => marked(format!("<span class=\"bad\">{}</span>", column.difference.words()), ""),
        false => marked("<span class=\"good\">as samples</span>", ""),
    };
    let distance = number(format!("{:.3}", column.test.distance));
    ("", vec![words(&column.column), distance, number(probability(column.test.p)), said])
}

fn histogram(column: &ColumnCalibration, rows: usize) -> Picture {
    let count = column.bins.len() as f64;
    let bin = |(k, height): (usize, &f64)| {
        let place = |edge: usize| edge as f64 / count;
        [(place(k), *height), (place(k + 1), *height)]
    };
    let steps: Vec<(f64, f64)> = column.bins.iter().enumerate().flat_map(bin).collect();
    const TWO_SIDED_99: f64 = 2.576;
    let band = TWO_SIDED_99 * ((count - 1.0) / rows.max(1) as f64).sqrt();
    let level = |height: f64| vec![(0.0, height), (1.0, height)];
    let highest = column.bins.iter().copied().fold(1.0 + band, f64::max);
    let alt = format!(
        "Histogram of the ranks of {} among samples; bins between 0 and {highest:.1} times the expected number",
        column.column
    );
    Picture::new(column.column.as_str(), alt)
        .axes("rank among samples", "")
        .within((0.0, 1.0), (0.0, highest))
        .area("", steps)
        .grid("", vec![level((1.0 - band).max(0.0)), level(1.0 + band)])
}
