//! Kinds that a user gives to columns by name.

use std::fmt;
#[cfg(feature = "csv")]
use std::str::FromStr;

use super::kind::{Kind, KindError};
#[cfg(feature = "csv")]
use super::names::split_names;

/// The kinds given to some columns; those of the others are found by [`Look::of`](super::Look::of).
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Kinds(Vec<(String, Kind)>);

impl Kinds {
    /// Returns kinds that give none.
    pub fn new() -> Kinds {
        Kinds::default()
    }

    /// Gives a column its kind.
    ///
    /// # Errors
    /// [`KindError::Twice`] for a column that was given one before.
    pub fn with(mut self, column: &str, kind: Kind) -> Result<Kinds, KindError> {
        if let Some(first) = self.get(column) {
            let (first, second) = (first.to_string(), kind.to_string());
            return Err(KindError::Twice { column: column.to_string(), first, second });
        }
        self.0.push((column.to_string(), kind));
        Ok(self)
    }

    /// The kind that was given to a column.
    pub fn get(&self, column: &str) -> Option<&Kind> {
        self.0.iter().find(|(name, _)| name == column).map(|(_, kind)| kind)
    }

    /// Columns and their kinds, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Kind)> {
        self.0.iter().map(|(name, kind)| (name.as_str(), kind))
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (name, kind)) in self.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            match name.contains([',', '"', '\n']) {
                true => write!(f, "{comma}\"{}={kind}\"", name.replace('"', "\"\""))?,
                false => write!(f, "{comma}{name}={kind}")?,
            }
        }
        Ok(())
    }
}

#[cfg(feature = "csv")]
impl FromStr for Kinds {
    type Err = KindError;

    /// Reads a list of columns with their kinds; an entry with a comma in the column's name is quoted.
    ///
    /// ```
    /// use pushforward::table::{Kind, Kinds};
    ///
    /// let kinds: Kinds = "a=positive,\"wind, max=circular:360\"".parse().unwrap();
    /// assert_eq!(kinds.get("wind, max"), Some(&Kind::Circular { start: 0.0, period: 360.0 }));
    /// ```
    fn from_str(text: &str) -> Result<Kinds, KindError> {
        let mut kinds = Kinds::new();
        for entry in split_names(text).iter().filter(|entry| !entry.is_empty()) {
            // A name may hold the sign, a kind does not.
            let (name, kind) =
                entry.rsplit_once('=').ok_or_else(|| KindError::Pair { given: entry.clone() })?;
            kinds = kinds.with(name.trim(), kind.parse()?)?;
        }
        Ok(kinds)
    }
}
