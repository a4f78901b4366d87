//! The kind of a column, found from its name and values. Where two kinds fit, the simpler one is taken and
//! the other said.

use std::collections::HashMap;

use super::calendar::is_date;
use super::circular;
use super::step::coarse_step;
use super::summary::Summary;
use crate::table::kind::{Kind, Limits};
use crate::table::number::{count, shown};

/// A kind with its reason, and what else may fit.
pub(super) struct Detected {
    pub kind: Kind,
    pub why: String,
    pub hint: Option<String>,
}

impl Detected {
    fn new(kind: Kind, why: impl Into<String>) -> Detected {
        Detected { kind, why: why.into(), hint: None }
    }

    fn hint(self, hint: Option<String>) -> Detected {
        Detected { hint, ..self }
    }
}

/// Finds the kind of a column of numbers.
pub(super) fn of_numbers(name: &str, values: &[f64], lines: &[u64], summary: &Summary) -> Detected {
    if summary.rows == 0 {
        return Detected::new(Kind::Constant, "no cell has a value");
    }
    if summary.is_constant() {
        return Detected::new(Kind::Constant, format!("each value is {}", shown(summary.min())));
    }
    let counts_rows = counts_rows(values) || counts_lines(values, lines);
    let names_a_row = names_a_row(name.trim());
    if counts_rows && names_a_row {
        let no_name = if name.trim().is_empty() { "it has no name and " } else { "it " };
        return Detected::new(Kind::Identifier, format!("{no_name}counts the rows"));
    }
    let integers = summary.runs.iter().all(|(value, _)| value.fract() == 0.0);
    if names_a_row && !name.trim().is_empty() && integers && summary.runs.len() == values.len() {
        return Detected::new(Kind::Identifier, "its name says so, and no number repeats");
    }
    let hint =
        counts_rows.then(|| format!("it counts the rows; if it only does that: --kind {name}=identifier"));
    let named = (names_a_row && integers && !name.trim().is_empty())
        .then(|| format!("if its numbers are names: --kind {name}=identifier, or {name}=category"));
    let hint = hint.or(named);
    let circle = || {
        let kind = circular::suggestion(name, summary)?;
        Some(format!("if its ends meet: --kind {name}={kind}"))
    };
    let hint = hint.or_else(circle);
    if let Some(step) = coarse_step(summary) {
        let (distinct, rows) = (summary.runs.len(), summary.rows);
        let levels = (distinct <= 5 && integers && 10 * summary.most_common().1 < 9 * rows)
            .then(|| format!("if its {distinct} values are labels: --kind {name}=category"));
        let limits = limits(step, integers, summary);
        let skewed = match limits {
            Limits::None => "",
            Limits::From(_) => ", skewed as far as the least",
            _ => ", above 0, and its logarithm is less skewed",
        };
        let why =
            format!("multiples of {}, {distinct} values in {}{skewed}", shown(step), count(rows, "row"));
        let ends = (matches!(limits, Limits::None) && integers && step == 1.0)
            .then(|| ends(name, summary))
            .flatten();
        return Detected::new(Kind::Rounded { step, limits }, why).hint(hint.or(levels).or(ends));
    }
    if let Some((kind, why)) = bounded(name, summary) {
        return Detected::new(kind, why).hint(hint);
    }
    match summary.min() > 0.0 && logarithm_helps(summary, 0.0) {
        true => Detected::new(Kind::Positive, "above 0, and its logarithm is less skewed").hint(hint),
        false => Detected::new(Kind::Real, "no other kind fits").hint(hint),
    }
}

/// Whether a column of this name may name the rows: `id`, `order_id`, `OrderId`, `row_number`, …
fn names_a_row(name: &str) -> bool {
    let lower = name.to_lowercase();
    let whole = ["", "id", "index", "row", "rownames", "row_number", "unnamed: 0"];
    let ends = ["_id", " id", "-id", ".id"];
    whole.contains(&lower.as_str())
        || ends.iter().any(|end| lower.ends_with(end))
        || name.ends_with("Id")
        || name.ends_with("ID")
}

/// Whether the values are whole numbers one after another, such as 1, 2, 3 or 100001, 100002, in the order of the rows.
fn counts_rows(values: &[f64]) -> bool {
    let first = values[0];
    let counts = values.iter().enumerate().all(|(row, value)| *value == first + row as f64);
    first.fract() == 0.0 && values.len() > 2 && counts
}

/// Whether the values count the lines of the file that are rows: those that were left out leave gaps.
fn counts_lines(values: &[f64], lines: &[u64]) -> bool {
    let before = |row: usize| lines[row] as f64 - values[row];
    let first = if values.is_empty() { f64::NAN } else { before(0) };
    // From 0 or from 1, with a header or without.
    values.len() > 2 && [0.0, 1.0, 2.0].contains(&first) && (0..values.len()).all(|row| before(row) == first)
}

/// What may hold of a scale, such as ratings from 1 to 10: it ends sharply on both sides, which does not show that it has to.
fn ends(name: &str, summary: &Summary) -> Option<String> {
    const MOST_LEVELS: usize = 11;
    const SHARP: f64 = 0.03;
    let sharp = |run: &(f64, usize)| run.1 as f64 >= SHARP * summary.rows as f64;
    let (first, last) = (summary.runs.first()?, summary.runs.last()?);
    let is_scale = summary.runs.len() <= MOST_LEVELS && sharp(first) && sharp(last);
    is_scale.then(|| {
        format!(
            "if it cannot lie outside of its values: --kind {name}=integer:{}..{}",
            shown(first.0),
            shown(last.0)
        )
    })
}

/// The limits of rounded values that are skewed as positive ones are. Counts end at the least one if that is 0 or 1; where
/// others end, a table does not show.
fn limits(step: f64, integers: bool, summary: &Summary) -> Limits {
    let min = summary.min();
    let limits = match min {
        min if integers && step == 1.0 && (min == 0.0 || min == 1.0) => Limits::From(min),
        min if min > 0.0 => Limits::Positive,
        _ => return Limits::None,
    };
    let (first, _) = limits.ends(step, min);
    let start = first - 0.5 * step;
    // Counts that end sharply: a density of them would go on below.
    const SHARP: f64 = 0.02;
    let ends_sharply = summary.runs[0].1 as f64 >= SHARP * summary.rows as f64;
    let (plain, logarithm) = skews(summary, start);
    let is_count =
        matches!(limits, Limits::From(_)) && ends_sharply && plain > 0.0 && logarithm.abs() < plain;
    if is_count || logarithm_helps(summary, start) { limits } else { Limits::None }
}

/// The bounds of a column that stays strictly within 0 and 1 or 0 and 100, if its name says that it is a
/// share, or if it comes near to both 0 and 1.
fn bounded(name: &str, summary: &Summary) -> Option<(Kind, String)> {
    const SHARES: [&str; 11] = [
        "fraction",
        "frac",
        "ratio",
        "share",
        "rate",
        "prob",
        "probability",
        "proportion",
        "percent",
        "pct",
        "humidity",
    ];
    let lower = name.to_lowercase();
    let named = lower.split(|sign: char| !sign.is_alphanumeric()).any(|word| SHARES.contains(&word));
    let (min, max) = (summary.min(), summary.max());
    let many = summary.rows >= 50 && summary.runs.len() > 20;
    let kind = |upper: f64| Kind::Bounded { lower: 0.0, upper };
    let open = |upper: f64| min > 0.0 && max < upper;
    match () {
        () if named && open(1.0) => {
            Some((kind(1.0), "its name says a share, and it is between 0 and 1".into()))
        }
        () if named && open(100.0) && max > 50.0 => {
            Some((kind(100.0), "its name says a share, and it is between 0 and 100".into()))
        }
        () if many && open(1.0) && min < 0.02 && max > 0.98 => {
            Some((kind(1.0), "it is between 0 and 1, and comes near to both".into()))
        }
        () => None,
    }
}

/// Whether the logarithms of distances to a number below all are clearly less skewed.
fn logarithm_helps(summary: &Summary, start: f64) -> bool {
    let [low, high] = [0.05, 0.95].map(|share| summary.quantile(share) - start);
    let (plain, logarithm) = skews(summary, start);
    high > 3.0 * low && plain > 2.0_f64.ln() && logarithm.abs() < 0.6 * plain
}

/// The skewness of distances to a number below all, and that of their logarithms: judged by quantiles, which outliers do
/// not move.
fn skews(summary: &Summary, start: f64) -> (f64, f64) {
    let [low, middle, high] = [0.05, 0.5, 0.95].map(|share| summary.quantile(share) - start);
    let skew =
        |low: f64, middle: f64, high: f64| ((high - middle) / (middle - low).max(f64::MIN_POSITIVE)).ln();
    (skew(low, middle, high), skew(low.ln(), middle.ln(), high.ln()))
}

/// Finds the kind of a column of texts.
pub(super) fn of_texts(texts: &[Option<String>], counts: &HashMap<&str, usize>) -> Detected {
    let rows: usize = counts.values().sum();
    let distinct = counts.len();
    if rows == 0 {
        return Detected::new(Kind::Constant, "no cell has a value");
    }
    if texts.iter().flatten().all(|text| is_date(text)) {
        return Detected::new(Kind::Date, "each cell is a date or a time");
    }
    if distinct == 1 {
        let value = counts.keys().next().unwrap_or(&"");
        return Detected::new(Kind::Constant, format!("each value is `{value}`"));
    }
    // Levels of which each has several rows.
    if distinct <= 100 && 4 * distinct <= rows || distinct == 2 && rows > 2 {
        let why = format!("text of {distinct} levels in {}", count(rows, "row"));
        return Detected::new(Kind::Category { levels: levels(counts) }, why);
    }
    match distinct == rows {
        true => Detected::new(Kind::Identifier, "text that differs in each row"),
        false => Detected::new(Kind::Text, format!("text of {distinct} values in {}", count(rows, "row"))),
    }
}

/// The levels of a category, numbers in their order and texts in theirs.
pub(super) fn levels(counts: &HashMap<&str, usize>) -> Vec<String> {
    let mut levels: Vec<String> = counts.keys().map(ToString::to_string).collect();
    levels.sort_by(|a, b| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) => x.total_cmp(&y).then_with(|| a.cmp(b)),
        _ => a.cmp(b),
    });
    levels
}
