//! The table that a bench ends with: a row for each case, a column for each series, ratios within the run.

use std::fmt::Write;

use pushforward_course::fit_slope;

use super::bench::Measurement;

/// Maximum width of a table.
const WIDTH: usize = 80;

/// The layout of a bench's table.
pub struct Layout<'a> {
    /// One line above it.
    pub title: &'a str,
    /// The heading of the cases.
    pub cases: &'a str,
    /// Series and their baselines: a time is followed by its multiple of the baseline's.
    pub baselines: &'a [(&'a str, &'a str)],
    /// Series whose exponent is fitted, and the smallest size that counts.
    pub exponents: &'a [(&'a str, f64)],
    /// The letter for the size.
    pub size: &'a str,
    /// Maximum exponents.
    pub at_most: Option<f64>,
    /// Lines below it.
    pub notes: Vec<String>,
}

/// A fitted power law of one series.
pub struct Exponent<'a> {
    pub series: &'a str,
    pub exponent: f64,
    pub from: f64,
    pub to: f64,
}

/// Fits the exponents of a layout, where there are at least two sizes.
pub fn exponents<'a>(layout: &Layout<'a>, measurements: &[Measurement]) -> Vec<Exponent<'a>> {
    let fit = |(series, least): &(&'a str, f64)| {
        let points: Vec<(f64, f64)> = measurements
            .iter()
            .filter(|m| m.series == *series && m.size >= *least)
            .map(|m| (m.size, m.seconds))
            .collect();
        let (exponent, _) = fit_slope(&points);
        let sizes = || points.iter().map(|point| point.0);
        let (from, to) = (sizes().fold(f64::INFINITY, f64::min), sizes().fold(0.0, f64::max));
        exponent.is_finite().then_some(Exponent { series, exponent, from, to })
    };
    layout.exponents.iter().filter_map(fit).collect()
}

/// The table with its title, its exponents and its notes.
pub fn draw(layout: &Layout, measurements: &[Measurement]) -> String {
    let series = distinct(measurements.iter().map(|m| m.series.as_str()));
    let cases = distinct(measurements.iter().map(|m| m.case.as_str()));
    let of = |series: &str, case: &str| {
        measurements.iter().find(|m| m.series == series && m.case == case).map(|m| m.seconds)
    };
    let mut rows =
        vec![[layout.cases].into_iter().chain(series.iter().copied()).map(String::from).collect::<Vec<_>>()];
    for case in cases {
        let mut row = vec![case.to_string()];
        for series in &series {
            let baseline = layout.baselines.iter().find(|(own, _)| own == series);
            let other = baseline.and_then(|(_, other)| of(other, case));
            row.push(match (of(series, case), other) {
                (Some(own), Some(other)) => format!("{} ({}×)", time(own), figures(own / other)),
                (Some(own), None) => time(own),
                (None, _) => String::new(),
            });
        }
        rows.push(row);
    }
    let mut text = format!("{}\n{}", layout.title, aligned(&rows));
    for (series, other) in layout.baselines {
        let _ = writeln!(text, "(×) of {series}: multiples of {other}");
    }
    for Exponent { series, exponent, from, to } in exponents(layout, measurements) {
        let size = layout.size;
        let asked = match layout.at_most {
            Some(most) if exponent <= most => format!(" (≤ {most}: reached)"),
            Some(most) => format!(" (≤ {most}: missed)"),
            None => String::new(),
        };
        let _ = writeln!(text, "{series}: time ~ {size}^{exponent:.2}{asked} for {size} from {from} to {to}");
    }
    layout.notes.iter().for_each(|note| text.push_str(&format!("{note}\n")));
    text
}

/// Rows in columns, the first to the left and the others to the right, with a rule below the headings.
pub fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |k: usize| {
        rows.iter().filter_map(|row| row.get(k)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    // Two spaces between columns, or one if that is too wide.
    let gap = if widths.iter().sum::<usize>() + 2 * columns > WIDTH { 1 } else { 2 };
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (k, cell) in row.iter().enumerate() {
            let width = widths[k];
            match k {
                0 => line.push_str(&format!("{cell:<width$}")),
                _ => line.push_str(&format!("{:gap$}{cell:>width$}", "")),
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
        if number == 0 {
            text.push_str(&"─".repeat(widths.iter().sum::<usize>() + gap * (columns - 1)));
            text.push('\n');
        }
    }
    text
}

/// Returns each once, in the order of first appearance.
fn distinct<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    all.for_each(|one| {
        if !seen.contains(&one) {
            seen.push(one);
        }
    });
    seen
}

/// Formats three figures and a unit.
pub fn time(seconds: f64) -> String {
    let (factor, unit) = match seconds {
        s if s < 1e-6 => (1e9, "ns"),
        s if s < 1e-3 => (1e6, "µs"),
        s if s < 1.0 => (1e3, "ms"),
        _ => (1.0, "s"),
    };
    format!("{} {unit}", figures(seconds * factor))
}

/// Formats three figures, whole numbers from 100 on.
pub fn figures(value: f64) -> String {
    match value {
        v if v < 9.995 => format!("{v:.2}"),
        v if v < 99.95 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}
