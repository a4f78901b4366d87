//! Pictures of columns and of pairs of columns: rows of the table beside samples of the model.

use super::write::{escape, legend, short};
use crate::plot::Picture;
use crate::report::{ColumnPair, Marginal, Report};
use crate::table::count;

pub(super) fn marginals(report: &Report) -> String {
    let figure = |marginal: &Marginal| {
        format!(
            "<figure><figcaption>{}</figcaption>\n{}</figure>\n",
            escape(&marginal.column),
            histogram(marginal).to_panel_svg()
        )
    };
    let figures: String = report.marginals.iter().map(figure).collect();
    format!(
        "<p>Values in the units of the table, and the share of the rows in each bin in per cent. The picture leaves out the \
         outermost 0.2 % of the rows on each side.</p>\n{}<div class=\"panels solid\">\n{figures}</div>\n",
        legend(&[
            ("area", 0, &format!("{} of the table", count(report.calibration.rows, "row"))),
            ("line", 1, "samples of the model")
        ])
    )
}

fn histogram(marginal: &Marginal) -> Picture {
    let steps = |shares: &[f64]| -> Vec<(f64, f64)> {
        let bin = |(k, share): (usize, &f64)| {
            let height = 100.0 * share;
            [(marginal.edges[k], height), (marginal.edges[k + 1], height)]
        };
        shares.iter().enumerate().flat_map(bin).collect()
    };
    let highest = |shares: &[f64]| shares.iter().copied().fold(0.0, f64::max);
    let (rows, samples) = (highest(&marginal.rows), highest(&marginal.samples));
    let (low, high) = marginal.range();
    let column = &marginal.column;
    let alt = format!(
        "Histogram of {column} from {low:.4} to {high:.4}; the highest bin has {:.1} % of the rows and {:.1} % of the samples",
        100.0 * rows,
        100.0 * samples
    );
    let picture = Picture::new(column.as_str(), alt);
    let picture = if marginal.logarithmic { picture.log_x() } else { picture };
    picture
        .within(marginal.range(), (0.0, 100.0 * rows.max(samples)))
        .area("rows", steps(&marginal.rows))
        .line("samples", steps(&marginal.samples))
}

pub(super) fn pairs(report: &Report) -> String {
    if report.pairs.is_empty() {
        return "<p>There is only one column.</p>\n".to_string();
    }
    let figures: String = report.pairs.iter().map(|pair| twins(report, pair)).collect();
    format!(
        "<p>The pairs whose columns depend on one another most among the rows, by the distance correlation of their ranks \
         (0 for independent columns, 1 for a monotone relation); a column is shown in two pairs at most. First rows of the \
         table, then as many samples. Rounded values are spread over their step.</p>\n{}<div class=\"twins\">\n{figures}</div>\n",
        legend(&[("area", 0, "rows of the table"), ("area", 1, "samples of the model")])
    )
}

fn twins(report: &Report, pair: &ColumnPair) -> String {
    let (x, y) = (&report.marginals[pair.columns.0], &report.marginals[pair.columns.1]);
    let picture = |what: &str, points: &[(f64, f64)], first: bool| {
        let alt = format!("{} {what} by {} and {}", points.len(), x.column, y.column);
        let mut picture = Picture::new(format!("{what}: {} and {}", x.column, y.column), alt)
            .axes(&short(&x.column), "")
            .within(x.range(), y.range());
        if x.logarithmic {
            picture = picture.log_x();
        }
        if y.logarithmic {
            picture = picture.log_y();
        }
        if !first {
            // Marks have colours by their number: an empty one takes the first.
            picture = picture.scatter("", Vec::new());
        }
        picture.scatter(what, points.to_vec()).to_panel_svg()
    };
    format!(
        "<figure><figcaption>{} against {} <small>dependence {:.2}</small></figcaption>\n<div class=\"both\">{}{}</div></figure>\n",
        escape(&y.column),
        escape(&x.column),
        pair.dependence,
        picture("rows", &pair.rows, true),
        picture("samples", &pair.samples, false)
    )
}
