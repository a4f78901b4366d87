//! Blocks as text of 80 columns, with or without colour.

use super::exercise::Exercise;
use super::exercise::source::tidied;
use super::page::Block;
use pushforward::audit::Evidence;
use pushforward::derivation::Formulas;

/// Options of the text output.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// Whether to use ANSI colours.
    pub colour: bool,
    /// Whether to mask values that depend on the machine.
    pub masked: bool,
}

const WIDTH: usize = 80;

/// Returns a block as text, followed by a blank line.
pub(super) fn render(block: &Block, style: Style) -> String {
    let mut text = match block {
        Block::Title { number, text } => {
            let rule = "━".repeat(WIDTH);
            format!("{rule}\n{}\n{rule}\n", style.strong(&format!("Lesson {number:02}   {text}")))
        }
        Block::Question(text) => paragraphs(text, "", ""),
        Block::Prediction(text) => paragraphs(text, "  ? ", "    "),
        Block::Heading(text) => {
            let rule = "─".repeat(WIDTH.saturating_sub(text.chars().count() + 4));
            format!("── {} {rule}\n", style.strong(text))
        }
        Block::Prose(text) => paragraphs(text, "", ""),
        Block::Formula(formulas) => formula(formulas),
        Block::Listing(text) => listing(text),
        Block::Derivation(derivation) => listing(&derivation.to_string()),
        Block::Report(report) => listing(&report.to_string()),
        Block::Number { label, value, unit, measured } => number(label, *value, unit, *measured, style),
        Block::Table { headers, rows, measured } => table(headers, rows, *measured && style.masked),
        Block::Picture { picture, measured, file, .. } => {
            let file = match file {
                Ok(file) => format!("    written to {file}\n"),
                Err(reason) => paragraphs(&format!("no SVG was written: {reason}"), "    ", "    "),
            };
            match *measured && style.masked {
                true => format!("    <a picture of what was measured>\n{file}"),
                false => format!("{}{file}", picture.to_text(WIDTH, 20)),
            }
        }
        Block::Check { statement, evidence } => check(statement, evidence, style),
        Block::Misconception(text) => paragraphs(text, "  ! ", "    "),
        Block::Exercise(asked) => exercise(asked),
        Block::Note(text) => paragraphs(&tidied(text), "  · ", "    "),
        Block::ReadOn(text) => paragraphs(text, "  Read on: ", "    "),
        Block::Next(text) => paragraphs(text, "  Next: ", "    "),
    };
    if !block.is_compact() {
        text.push('\n');
    }
    text
}

impl Style {
    fn strong(self, text: &str) -> String {
        if self.colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_string() }
    }
}

/// Returns the mark of a claim, coloured by its evidence.
pub(super) fn mark(evidence: &Evidence, sign: &str, colour: bool) -> String {
    let code = match evidence {
        Evidence::Proven { .. } | Evidence::Checked { .. } => "32",
        Evidence::NotProven { .. } => "33",
        Evidence::Refuted { .. } => "31",
    };
    if colour { format!("\x1b[{code}m{sign}\x1b[0m") } else { sign.to_string() }
}

/// Wraps paragraphs; blank lines are kept.
fn paragraphs(text: &str, first: &str, rest: &str) -> String {
    let mut lines = Vec::new();
    for (k, paragraph) in text.split("\n\n").enumerate() {
        if k > 0 {
            lines.push(String::new());
        }
        let indent = if k == 0 { first } else { rest };
        lines.extend(wrap(paragraph, indent, rest));
    }
    lines.join("\n") + "\n"
}

/// Wraps words into lines of at most 80 columns; a longer word is broken.
pub(super) fn wrap(text: &str, first: &str, rest: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut empty) = (first.to_string(), true);
    for word in text.split_whitespace() {
        let mut word = word.to_string();
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::replace(&mut line, rest.to_string()));
            empty = true;
        }
        while line.chars().count() + word.chars().count() + usize::from(!empty) > WIDTH {
            let room = WIDTH - line.chars().count();
            let head: String = word.chars().take(room).collect();
            word = word.chars().skip(room).collect();
            lines.push(format!("{line}{head}"));
            line = rest.to_string();
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(&word);
        empty = false;
    }
    if !empty {
        lines.push(line);
    }
    lines
}

/// Writes formulas, broken before an operator where they are too long.
fn formula(formulas: &Formulas) -> String {
    let lines = formulas.0.iter().flat_map(|formula| wrap(&formula.text, "    ", "        "));
    lines.map(|line| line + "\n").collect()
}

/// Writes the question of an exercise, the file of the answer, and how to have it judged.
fn exercise(asked: &Exercise) -> String {
    let Exercise { number, question, proof, .. } = asked;
    format!(
        "{}\n{}\n    edit     {}\n    then     cargo run --release -- check {number}\n    stuck?   cargo run \
         --release -- hint {number}\n",
        paragraphs(question, "", ""),
        paragraphs(proof, "  · ", "    "),
        asked.file()
    )
}

/// Writes text without changes, indented by two; lines that are too long are continued.
fn listing(text: &str) -> String {
    let mut shown = String::new();
    for line in tidied(text).lines() {
        let indent = if line.chars().count() > WIDTH - 2 { "" } else { "  " };
        let characters: Vec<char> = line.chars().collect();
        if characters.is_empty() {
            shown.push('\n');
        }
        for piece in characters.chunks(WIDTH) {
            shown.push_str(&format!("{indent}{}\n", piece.iter().collect::<String>()).replace("  \n", "\n"));
        }
    }
    shown
}

fn number(label: &str, value: f64, unit: &str, measured: bool, style: Style) -> String {
    let shown = if measured && style.masked { "<measured>".to_string() } else { digits(value) };
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    let note = if measured { "   (measured here)" } else { "" };
    let dots = ".".repeat(46usize.saturating_sub(label.chars().count()).max(2));
    let line = format!("    {label} {dots} {shown}{unit}{note}");
    wrap(&line, "    ", "        ").iter().map(|line| format!("{line}\n")).collect()
}

/// Writes six significant digits; with an exponent where these would be 0.
pub(super) fn digits(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    if !(1e-4..1e7).contains(&size) {
        return format!("{value:.3e}");
    }
    let places = (5 - size.log10().floor() as i32).max(0) as usize;
    let text = format!("{value:.places$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}

/// Writes a table with columns as wide as their widest cell; the widest column is narrowed if the table is
/// too wide.
fn table(headers: &[String], rows: &[Vec<String>], masked: bool) -> String {
    let shown = |cell: &String, column: usize| match masked && column > 0 {
        true => "…".to_string(),
        false => cell.clone(),
    };
    let mut lines = vec![headers.to_vec()];
    lines.extend(rows.iter().map(|row| row.iter().enumerate().map(|(k, cell)| shown(cell, k)).collect()));
    let columns = headers.len();
    let cell = |line: &Vec<String>, column: usize| line.get(column).cloned().unwrap_or_default();
    let mut widths: Vec<usize> = (0..columns)
        .map(|column| lines.iter().map(|line| cell(line, column).chars().count()).max().unwrap_or(0))
        .collect();
    while widths.iter().sum::<usize>() + 2 * columns + 2 > WIDTH {
        let Some(widest) = (0..columns).max_by_key(|column| widths[*column]) else { break };
        widths[widest] -= 1;
    }
    let mut text = String::new();
    for (k, line) in lines.iter().enumerate() {
        let cells: Vec<String> = (0..columns)
            .map(|column| {
                let (cell, width) = (cell(line, column), widths[column]);
                let cut: String = match cell.chars().count() > width {
                    true => cell.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
                    false => cell,
                };
                // Numbers are right-aligned, words left-aligned; a header is aligned like its column.
                let is_number = rows.iter().any(|row| row.get(column).is_some_and(|cell| is_number(cell)));
                if is_number { format!("{cut:>width$}") } else { format!("{cut:<width$}") }
            })
            .collect();
        text.push_str(&format!("    {}\n", cells.join("  ").trim_end()));
        if k == 0 {
            let rules: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
            text.push_str(&format!("    {}\n", rules.join("  ")));
        }
    }
    text
}

/// Returns whether a cell is a number, with a short unit perhaps, and not words that begin with one.
pub(super) fn is_number(cell: &str) -> bool {
    let letters = cell.chars().filter(|c| c.is_alphabetic() && *c != 'e').count();
    cell.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit()) && letters < 4
}

fn check(statement: &str, evidence: &Evidence, style: Style) -> String {
    let lines = wrap(statement, "  X ", "    ");
    let mark = mark(evidence, evidence.mark(), style.colour);
    let mut text = String::new();
    for (k, line) in lines.iter().enumerate() {
        let line = if k == 0 { line.replacen("X", &mark, 1) } else { line.clone() };
        text.push_str(&format!("{line}\n"));
    }
    for line in tidied(&evidence.to_string()).lines() {
        let indent: String = line.chars().take_while(|c| *c == ' ').collect();
        wrap(line, &format!("      {indent}"), &format!("        {indent}"))
            .iter()
            .for_each(|line| text.push_str(&format!("{line}\n")));
    }
    text
}
