//! Numbers in messages.

/// Writes a number in full where that is short, and with an exponent where it is not: 0.1, 2922, 1e15.
pub(crate) fn shown(value: f64) -> String {
    let plain = format!("{value}");
    let exponent = format!("{value:e}");
    if plain.len() <= exponent.len().max(8) { plain } else { exponent }
}

/// The number of so many significant digits that is nearest.
pub(crate) fn rounded(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits.saturating_sub(1)).parse().unwrap_or(value)
}

/// A share in percent, with more digits where it is small.
pub(super) fn percent(part: usize, whole: usize) -> String {
    let share = 100.0 * part as f64 / whole.max(1) as f64;
    match share {
        share if part > 0 && share < 0.1 => "< 0.1 %".to_string(),
        share if share > 0.0 && share < 10.0 => format!("{share:.1} %"),
        share if part < whole && share > 99.0 => format!("{:.1} %", share.min(99.9)),
        share => format!("{share:.0} %"),
    }
}

/// "1 row", "2 rows".
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Lists words: "a", "a and b", "a, b and c", "a, b, c and 4 more".
pub(crate) fn list(words: &[String], most: usize) -> String {
    match words {
        [] => String::new(),
        [word] => word.clone(),
        _ if words.len() <= most => {
            format!("{} and {}", words[..words.len() - 1].join(", "), words[words.len() - 1])
        }
        _ => format!("{} and {} more", words[..most].join(", "), words.len() - most),
    }
}
