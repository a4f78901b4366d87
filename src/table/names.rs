//! Names of columns as a user gives them.

/// Returns the known name that is most like a given one, if any is like it.
///
/// Names are compared by the crate of the feature `csv`; without it only upper and lower case are.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let lower = given.to_lowercase();
    let likeness = |name: &str| {
        let name = name.to_lowercase();
        if name == lower { 1.0 } else { similarity(&lower, &name) }
    };
    let mut best = (0.8, None);
    for name in known {
        let likeness = likeness(name);
        if likeness > best.0 {
            best = (likeness, Some(name));
        }
    }
    best.1.map(str::to_string)
}

#[cfg(feature = "csv")]
fn similarity(a: &str, b: &str) -> f64 {
    strsim::jaro_winkler(a, b)
}

#[cfg(not(feature = "csv"))]
fn similarity(_: &str, _: &str) -> f64 {
    0.0
}

/// Splits a list of names, which are separated by commas; a name with a comma is quoted, as in a CSV file.
///
/// ```
/// use pushforward::table::split_names;
///
/// assert_eq!(split_names("a,\"wind, max\""), ["a", "wind, max"]);
/// ```
#[cfg(feature = "csv")]
pub fn split_names(list: &str) -> Vec<String> {
    let mut reader =
        ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(list.as_bytes());
    let records = reader.records().filter_map(Result::ok);
    records.flat_map(|record| record.iter().map(|name| name.trim().to_string()).collect::<Vec<_>>()).collect()
}
