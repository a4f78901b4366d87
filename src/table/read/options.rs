//! What may be said about a file, and what was found about it.

use std::fmt;
use std::str::FromStr;

use crate::table::names::nearest;
use crate::table::number::list;

/// How a file is written, where that is known; what is `None` is found from its first rows.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadOptions {
    /// What stands between cells.
    pub delimiter: Option<Delimiter>,
    /// Whether numbers have a decimal comma.
    pub decimal_comma: Option<bool>,
    /// Whether the first line has the names of the columns.
    pub header: Option<bool>,
    /// The encoding of the text; without one UTF-8, or UTF-16 where the file starts with its mark.
    pub encoding: Option<Encoding>,
    /// Cells that mean that a value is missing, in upper or lower case.
    pub missing_markers: Vec<String>,
}

impl Default for ReadOptions {
    fn default() -> ReadOptions {
        let markers = ["", "NA", "N/A", "NaN", "null", "None", "?"];
        ReadOptions {
            delimiter: None,
            decimal_comma: None,
            header: None,
            encoding: None,
            missing_markers: markers.map(str::to_string).to_vec(),
        }
    }
}

/// What stands between cells: one ASCII character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delimiter(pub(super) u8);

impl Delimiter {
    /// A comma.
    pub const COMMA: Delimiter = Delimiter(b',');
    /// A semicolon.
    pub const SEMICOLON: Delimiter = Delimiter(b';');
    /// A tab.
    pub const TAB: Delimiter = Delimiter(b'\t');
    /// A vertical bar.
    pub const PIPE: Delimiter = Delimiter(b'|');
    /// A space.
    pub const SPACE: Delimiter = Delimiter(b' ');

    /// The delimiter as the value of an option.
    pub fn option(self) -> String {
        match self {
            Delimiter::TAB => "tab".to_string(),
            Delimiter::SPACE => "space".to_string(),
            Delimiter(byte) => char::from(byte).to_string(),
        }
    }
}

impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Delimiter::TAB => f.write_str("a tab"),
            Delimiter::SPACE => f.write_str("a space"),
            Delimiter(byte) => write!(f, "`{}`", char::from(byte)),
        }
    }
}

impl FromStr for Delimiter {
    type Err = String;

    /// Reads one character, or the name of one: tab, space, comma, semicolon, pipe.
    fn from_str(text: &str) -> Result<Delimiter, String> {
        match text {
            "tab" | "\\t" => Ok(Delimiter::TAB),
            "space" => Ok(Delimiter::SPACE),
            "comma" => Ok(Delimiter::COMMA),
            "semicolon" => Ok(Delimiter::SEMICOLON),
            "pipe" => Ok(Delimiter::PIPE),
            _ => match text.as_bytes() {
                [byte]
                    if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"\"\n\r.-+".contains(byte) =>
                {
                    Ok(Delimiter(*byte))
                }
                _ => Err(format!(
                    "`{text}` cannot separate cells; give one character, for example ';' or '|', or tab or space"
                )),
            },
        }
    }
}

/// The encoding of a text, by its name on the web: utf-8, utf-16le, latin1, windows-1251, shift_jis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding(pub(super) &'static encoding_rs::Encoding);

/// Encodings that a message offers.
const COMMON: [&str; 10] = [
    "utf-8",
    "utf-16le",
    "utf-16be",
    "latin1",
    "latin2",
    "windows-1251",
    "windows-1252",
    "shift_jis",
    "gb18030",
    "euc-kr",
];

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl FromStr for Encoding {
    type Err = String;

    fn from_str(label: &str) -> Result<Encoding, String> {
        let found = encoding_rs::Encoding::for_label(label.as_bytes());
        found.map(Encoding).ok_or_else(|| {
            let nearest = nearest(label, COMMON);
            let hint = nearest.map_or_else(String::new, |nearest| format!(" (did you mean `{nearest}`?)"));
            format!("`{label}` is not an encoding{hint}; some are {}", COMMON.join(", "))
        })
    }
}

/// How a file turned out to be written; its text has what differs from a CSV file with a header.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// What stands between cells.
    pub delimiter: Delimiter,
    /// Whether numbers have a decimal comma.
    pub decimal_comma: bool,
    /// Whether the first line has the names of the columns.
    pub header: bool,
    /// The number of columns.
    pub columns: usize,
    /// Whether it is a Parquet file; its rows count as lines, from 1.
    pub parquet: bool,
    /// Columns that have lists, which are left out; none but those of Parquet files.
    pub lists: Vec<String>,
}

impl Found {
    /// A text file.
    pub(super) fn of_text(delimiter: Delimiter, decimal_comma: bool, header: bool, columns: usize) -> Found {
        Found { delimiter, decimal_comma, header, columns, parquet: false, lists: Vec::new() }
    }

    /// A Parquet file.
    #[cfg(feature = "parquet")]
    pub(super) fn of_parquet(columns: usize, lists: Vec<String>) -> Found {
        Found { parquet: true, lists, ..Found::of_text(Delimiter::COMMA, false, true, columns) }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if self.delimiter != Delimiter::COMMA && self.columns > 1 {
            parts.push(format!("cells are separated by {}", self.delimiter));
        }
        if self.decimal_comma {
            parts.push("numbers have a decimal comma".to_string());
        }
        if !self.header {
            let names = match self.columns {
                1 => "column_1".to_string(),
                columns => format!("column_1 to column_{columns}"),
            };
            parts.push(format!(
                "the first line is a row of numbers, so columns are named {names} (--header if it has the names)"
            ));
        }
        if self.parquet {
            parts.push("it is a Parquet file, whose rows count as lines, from 1".to_string());
        }
        if !self.lists.is_empty() {
            let names: Vec<String> = self.lists.iter().map(|name| format!("`{name}`")).collect();
            parts.push(format!("lists are left out: {}", list(&names, 8)));
        }
        f.write_str(&parts.join("; "))
    }
}
