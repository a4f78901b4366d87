//! What a cell says.

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell {
    /// A finite number.
    Number(f64),
    /// Nothing: it is empty, or has a marker of missing values.
    Missing,
    /// A number that is infinite, or too large for one: inf, 1e999.
    Infinite,
    /// Something else.
    Text,
}

/// How cells are read.
#[derive(Clone, Debug)]
pub(super) struct CellReader {
    decimal_comma: bool,
    /// Markers of missing values that are texts.
    texts: Vec<String>,
    /// Those that are numbers, however they are written.
    numbers: Vec<f64>,
}

impl CellReader {
    pub fn new(markers: &[String], decimal_comma: bool) -> CellReader {
        let number = |text: &String| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        CellReader {
            decimal_comma,
            texts: markers.iter().map(|marker| marker.trim().to_string()).collect(),
            numbers: markers.iter().filter_map(number).collect(),
        }
    }

    /// Reads a cell.
    pub fn read(&self, text: &str) -> Cell {
        // Most cells are numbers without blanks around them.
        match self.number(text).or_else(|| self.number(text.trim())) {
            Some(number) if number.is_finite() && !self.numbers.contains(&number) => Cell::Number(number),
            Some(number) if number.is_finite() || self.is_marker(text) => Cell::Missing,
            Some(number) if number.is_infinite() => Cell::Infinite,
            _ if self.is_marker(text) => Cell::Missing,
            _ => Cell::Text,
        }
    }

    /// Whether a cell, read as text, has no value.
    pub fn is_marker(&self, text: &str) -> bool {
        let text = text.trim();
        self.texts.iter().any(|marker| marker.eq_ignore_ascii_case(text))
    }

    fn number(&self, text: &str) -> Option<f64> {
        match self.decimal_comma {
            false => text.parse().ok().or_else(|| grouped(text, ',', '.')),
            true if text.contains('.') => grouped(text, '.', ','),
            true => text.replacen(',', ".", 1).parse().ok(),
        }
    }
}

/// A number whose thousands are grouped and that has a decimal sign, so that both signs are clear: 1.234,5 or
/// 1,234.5.
fn grouped(text: &str, group: char, point: char) -> Option<f64> {
    let (whole, part) = text.split_once(point)?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = whole.trim_start_matches(['-', '+']).split(group);
    let first = groups.next().is_some_and(|first| (1..=3).contains(&first.len()) && digits(first));
    let others: Vec<&str> = groups.collect();
    let three = !others.is_empty() && others.iter().all(|group| group.len() == 3 && digits(group));
    (first && three && digits(part))
        .then(|| format!("{}.{part}", whole.replace(group, "")).parse().ok())
        .flatten()
}

/// A number with a comma, such as 3,5 or 1.234,5: is the comma surely decimal? It is not in 1,500, which
/// may be 1500.
pub(super) fn decimal_comma(text: &str) -> Option<bool> {
    let text = text.trim();
    if grouped(text, '.', ',').is_some() {
        return Some(true);
    }
    let (whole, part) = text.split_once(',')?;
    let number = |text: &str| text.parse::<f64>().is_ok_and(f64::is_finite);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if text.contains('.') || !number(&format!("{whole}.{part}")) {
        return None;
    }
    let whole = whole.trim_start_matches(['-', '+']);
    let groups = part.len() == 3 && digits(part) && (1..=3).contains(&whole.len()) && !whole.starts_with('0');
    Some(!groups)
}
