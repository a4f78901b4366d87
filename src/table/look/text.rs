//! A look as text: about ten lines that a terminal of 80 columns shows.

use std::fmt::{self, Formatter};

use super::column::{ColumnLook, Treatment};
use super::look::Look;
use crate::table::kind::{Kind, Limits};
use crate::table::number::{count, list, percent, shown};

/// Columns of a terminal.
const WIDTH: usize = 80;
/// Columns of a line's heading, with what is before and after it.
const MARGIN: usize = 14;
/// Names, values or hints under one heading.
const MOST: usize = 8;
/// Columns with ties that are named.
const TIES: usize = 4;

impl fmt::Display for Look {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (used, columns) = (self.used().len(), count(self.columns.len(), "column"));
        match used {
            used if used == self.columns.len() => write!(f, "{} of {columns}", count(self.rows, "row"))?,
            used => write!(f, "{} of {columns}; {used} of them are fitted", count(self.rows, "row"))?,
        }
        match f.alternate() {
            true => self.each_column(f)?,
            false => self.kinds(f)?,
        }
        self.missing(f)?;
        self.ties(f)?;
        self.suspects(f)?;
        self.repeats(f)?;
        self.relations(f)?;
        if used > 0 && self.has_too_few_rows() {
            let rows = count(self.rows, "row");
            let body = format!("{rows} cannot give a covariance of {}", count(used, "column"));
            line(f, "few rows", &body)?;
        }
        self.hints(f)
    }
}

impl Look {
    /// The columns by kind.
    fn kinds(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let headings = [
            "real",
            "positive",
            "bounded",
            "circular",
            "rounded",
            "category",
            "constant",
            "identifier",
            "date",
            "text",
        ];
        for heading in headings {
            for used in [true, false] {
                let of_kind = |column: &&ColumnLook| {
                    heading_of(&column.kind) == heading
                        && column.treatment != Treatment::Dependent
                        && column.treatment.is_used() == used
                };
                let columns: Vec<&ColumnLook> = self.columns.iter().filter(of_kind).collect();
                let names: Vec<String> = columns.iter().map(|column| with_parameter(column)).collect();
                if let Some(first) = columns.first() {
                    let fate = fate(first).map_or_else(String::new, |fate| format!(": {fate}"));
                    let body = format!("{}{fate}", list(&names, MOST));
                    line(f, heading, &body)?;
                }
            }
        }
        Ok(())
    }

    /// A line for each column, with the reason for its kind.
    fn each_column(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for column in &self.columns {
            let fate = fate(column).map_or_else(String::new, |fate| format!("; {fate}"));
            line(f, heading_of(&column.kind), &format!("{}: {}{fate}", with_parameter(column), column.why))?;
        }
        Ok(())
    }

    fn missing(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let holed = self.columns.iter().filter(|column| column.missing > 0 && column.distinct > 0);
        let parts: Vec<String> = holed
            .map(|column| format!("{} {}", called(&column.name), percent(column.missing, self.rows)))
            .collect();
        match parts.is_empty() {
            true => Ok(()),
            false => line(f, "missing", &format!("{} of the cells", list(&parts, MOST))),
        }
    }

    fn ties(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let part = |column: &ColumnLook| {
            let (value, rows) = column.most_common.clone().filter(|_| column.tied)?;
            let values = self.rows - column.missing;
            let nearly = if 100 * rows >= 99 * values { ", nearly constant" } else { "" };
            Some(format!("{} ({} are {value}{nearly})", called(&column.name), percent(rows, values)))
        };
        let parts: Vec<String> = self.columns.iter().filter_map(part).collect();
        match parts.is_empty() {
            true => Ok(()),
            false => {
                line(f, "ties", &format!("{}: noise keeps the density finite there", list(&parts, TIES)))
            }
        }
    }

    fn suspects(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for column in &self.columns {
            for (heading, marker) in [("marker?", true), ("outliers", false)] {
                let of_kind = || column.suspects.iter().filter(|suspect| suspect.marker == marker);
                let Some(first) = of_kind().next() else { continue };
                let values: Vec<String> = of_kind().map(ToString::to_string).collect();
                let advice = match marker {
                    true => format!("; if it means missing: --missing-marker {}", shown(first.value)),
                    false => ": kept".to_string(),
                };
                line(f, heading, &format!("{}: {}{advice}", called(&column.name), list(&values, 3)))?;
            }
        }
        Ok(())
    }

    fn repeats(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let repeats = &self.repeats;
        if repeats.rows == 0 {
            return Ok(());
        }
        let (rows, verb) = (count(repeats.rows, "row"), if repeats.rows == 1 { "repeats" } else { "repeat" });
        let first =
            repeats.lines.first().map_or_else(String::new, |line| format!(", the first in line {line}"));
        let body = format!("{rows} {verb} an earlier one{first}; copies go to one part of a split");
        line(f, "repeats", &body)
    }

    fn relations(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for relation in self.relations.iter().take(MOST) {
            line(f, "collinear", &format!("{relation}: {} is left out", called(&relation.column)))?;
        }
        match self.relations.len().saturating_sub(MOST) {
            0 => Ok(()),
            more => line(f, "collinear", &format!("{} more, left out likewise", count(more, "column"))),
        }
    }

    fn hints(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const HINTS: usize = 3;
        let hints = self.columns.iter().filter(|column| column.treatment != Treatment::Dependent);
        let hints: Vec<String> = hints
            .filter_map(|column| Some(format!("{}: {}", called(&column.name), column.hint.as_ref()?)))
            .collect();
        let most = if f.alternate() { hints.len() } else { HINTS };
        for hint in hints.iter().take(most) {
            line(f, "perhaps", hint)?;
        }
        match hints.len().saturating_sub(most) {
            0 => Ok(()),
            more => line(f, "perhaps", &format!("hints for {}", count(more, "more column"))),
        }
    }
}

/// The kind as a heading: integers are rounded numbers.
fn heading_of(kind: &Kind) -> &'static str {
    match kind {
        Kind::Rounded { .. } => "rounded",
        kind => kind.name(),
    }
}

/// A column's name, followed by the parameter of its kind.
fn with_parameter(column: &ColumnLook) -> String {
    let name = called(&column.name);
    match &column.kind {
        Kind::Bounded { lower, upper } => format!("{name} ({}..{})", shown(*lower), shown(*upper)),
        Kind::Circular { start, period } => format!("{name} ({}..{})", shown(*start), shown(start + period)),
        Kind::Rounded { step, limits } => {
            let limits = match limits {
                Limits::None => String::new(),
                Limits::Positive => ", above 0".to_string(),
                Limits::From(lower) => format!(", from {}", shown(*lower)),
                Limits::Within { lower, upper } => format!(", {} to {}", shown(*lower), shown(*upper)),
            };
            format!("{name} ({}{limits})", shown(*step))
        }
        Kind::Category { levels } => format!("{name} ({})", count(levels.len(), "level")),
        Kind::Constant => match &column.most_common {
            Some((value, _)) => format!("{name} ({value})"),
            None => format!("{name} (no values)"),
        },
        _ => name,
    }
}

/// What is done with the columns of a kind.
fn fate(column: &ColumnLook) -> Option<&'static str> {
    let text = match (&column.kind, column.treatment) {
        (_, Treatment::LeftOut | Treatment::Dependent) => "left out",
        (Kind::Positive, _) => "fitted as logarithms",
        (Kind::Bounded { .. }, _) => "fitted as logits",
        (Kind::Circular { .. }, _) => "fitted on a circle",
        (Kind::Rounded { .. }, _) => "fitted with noise of one step",
        (_, Treatment::Levels) => "a probability for each level",
        _ => return None,
    };
    Some(text)
}

/// A column's name, set apart where it has signs of the sentence.
fn called(name: &str) -> String {
    match name {
        name if name.trim().is_empty() => "(no name)".to_string(),
        name if name.contains([',', ':', '"']) => format!("`{name}`"),
        name => name.to_string(),
    }
}

/// Writes a heading and its text, broken into lines.
fn line(f: &mut Formatter<'_>, heading: &str, body: &str) -> fmt::Result {
    write!(f, "\n  {heading:width$}", width = MARGIN - 2)?;
    let mut column = MARGIN;
    for (number, word) in body.split(' ').enumerate() {
        let length = word.chars().count();
        if number > 0 && column + 1 + length > WIDTH {
            write!(f, "\n{:MARGIN$}", "")?;
            column = MARGIN;
        } else if number > 0 {
            write!(f, " ")?;
            column += 1;
        }
        write!(f, "{word}")?;
        column += length;
    }
    Ok(())
}
