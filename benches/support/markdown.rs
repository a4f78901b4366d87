//! The side-by-side table.

use std::fmt::Write;

use super::rows::Target;
use super::table::{figures, time};

/// The measured quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Seconds,
    Mib,
}

/// A competitor and this library: pairs of measurements, taken one right after the other.
#[derive(Clone, Debug)]
pub struct Compared {
    pub name: String,
    /// Ours and theirs.
    pub pairs: Vec<(f64, f64)>,
}

/// A row with its results.
#[derive(Clone, Debug)]
pub struct Found {
    pub title: String,
    pub unit: Unit,
    pub target: Option<Target>,
    /// This library's results, where no competitor ran.
    pub alone: Vec<f64>,
    pub compared: Vec<Compared>,
    /// What did not run, and why.
    pub failed: Vec<(String, String)>,
}

/// Returns the median.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count => 0.5 * (values[(count - 1) / 2] + values[count / 2]),
    }
}

impl Compared {
    /// Returns their time as a multiple of ours, pair by pair: the smallest, the median, and the largest.
    pub fn ratios(&self) -> (f64, f64, f64) {
        let ratios = || self.pairs.iter().map(|(ours, theirs)| theirs / ours);
        let (low, high) = (ratios().fold(f64::INFINITY, f64::min), ratios().fold(0.0, f64::max));
        (low, median(ratios()), high)
    }
}

impl Found {
    /// The competitor with the smallest ratio.
    fn best(&self) -> Option<&Compared> {
        self.compared.iter().min_by(|a, b| a.ratios().1.total_cmp(&b.ratios().1))
    }

    /// This library's results, over all runs.
    pub fn ours(&self) -> f64 {
        let beside = self.compared.iter().flat_map(|one| &one.pairs).map(|(ours, _)| *ours);
        median(beside.chain(self.alone.iter().copied()))
    }

    /// Whether the target is reached, if it can be decided.
    pub fn reached(&self) -> Option<bool> {
        match self.target? {
            Target::Mib(most) => self.ours().is_finite().then(|| self.ours() <= most),
            Target::Ratio(least) => self.best().map(|best| best.ratios().1 >= least),
        }
    }
}

fn amount(unit: Unit, value: f64) -> String {
    match unit {
        _ if value.is_nan() => "-".to_string(),
        Unit::Seconds => time(value),
        Unit::Mib => format!("{value:.0} MiB"),
    }
}

/// The rows with the best competitor each, then all competitors.
pub fn table(rows: &[Found]) -> String {
    let mut text = String::from(
        "| what | ours | best of the others | theirs ÷ ours (least – most) | at least | |\n|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let (theirs, ratio) = match row.best() {
            None => ("-".to_string(), "-".to_string()),
            Some(best) => {
                let (low, middle, high) = best.ratios();
                let theirs = amount(row.unit, median(best.pairs.iter().map(|pair| pair.1)));
                let spread = if best.pairs.len() > 1 {
                    format!(" ({} – {})", figures(low), figures(high))
                } else {
                    String::new()
                };
                (format!("{theirs} ({})", best.name), format!("{}×{spread}", figures(middle)))
            }
        };
        let asked = match row.target {
            None => String::new(),
            Some(Target::Ratio(least)) => format!("{}×", figures(least)),
            Some(Target::Mib(most)) => format!("≤ {most:.0} MiB in all"),
        };
        let mark = match row.reached() {
            Some(true) => "reached",
            Some(false) => "missed",
            None => "",
        };
        let ours = amount(row.unit, row.ours());
        let title = row.title.replace('|', "\\|");
        let _ = writeln!(text, "| {title} | {ours} | {theirs} | {ratio} | {asked} | {mark} |");
    }
    if rows.iter().any(|row| row.compared.len() > 1) {
        text.push_str("\nEveryone (medians; in brackets theirs ÷ ours, taken in turn):\n\n");
    }
    for row in rows.iter().filter(|row| row.compared.len() > 1) {
        let each: Vec<String> = row
            .compared
            .iter()
            .map(|one| {
                let theirs = amount(row.unit, median(one.pairs.iter().map(|pair| pair.1)));
                format!("{} {theirs} ({}×)", one.name, figures(one.ratios().1))
            })
            .collect();
        let _ = writeln!(text, "- {}: ours {}; {}", row.title, amount(row.unit, row.ours()), each.join(", "));
    }
    let failed: Vec<String> = rows
        .iter()
        .flat_map(|row| row.failed.iter().map(|(name, why)| format!("- {}: {name}: {why}\n", row.title)))
        .collect();
    if !failed.is_empty() {
        let _ = write!(text, "\nDid not run:\n\n{}", failed.concat());
    }
    text
}
