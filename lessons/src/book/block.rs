//! HTML of the blocks of a page.

use std::fmt::Write;

use super::prose::words;
use crate::exercise::Exercise;
use crate::exercise::source::tidied;
use crate::lesson::Lesson;
use crate::page::Block;
use crate::terminal::{digits, is_number};
use pushforward::audit::{Evidence, Report};
use pushforward::derivation::html::displayed;
use pushforward::derivation::html::escape;

/// The pages that a page may link to.
pub(super) struct Around<'a> {
    pub lessons: &'a [Lesson],
}

/// Returns the first picture of a lesson as a thumbnail for the contents; its description for blind readers
/// is on the lesson's own page.
pub(super) fn thumbnail(block: &Block) -> Option<String> {
    match block {
        Block::Picture { picture, .. } => Some(picture.to_thumbnail()),
        _ => None,
    }
}

/// Returns the HTML of all blocks in order.
pub(super) fn rendered(blocks: &[Block], around: &Around<'_>) -> String {
    blocks.iter().map(|block| one(block, around)).collect()
}

fn one(block: &Block, around: &Around<'_>) -> String {
    match block {
        Block::Title { number, text } => {
            format!("<header><p class=\"kicker\">Lesson {number:02}</p>\n<h1>{}</h1></header>\n", words(text))
        }
        Block::Question(text) => paragraphs(text, "question"),
        Block::Prediction(text) => aside("predict", "Before you read on", text),
        Block::Heading(text) => format!("<h2>{}</h2>\n", words(text)),
        Block::Prose(text) => paragraphs(text, ""),
        Block::Formula(formulas) => formulas.0.iter().map(displayed).collect(),
        Block::Listing(text) => format!("<pre>{}</pre>\n", escape(&tidied(text))),
        Block::Derivation(derivation) => format!(
            "<section class=\"derived\">\n<h3>{}</h3>\n{}</section>\n",
            derivation.html_title(),
            derivation.html_sections(4)
        ),
        Block::Report(report) => audited(report),
        Block::Number { label, value, unit, measured } => {
            let note = if *measured { "<small>measured here</small>" } else { "" };
            format!(
                "<p class=\"number\"><span>{}</span><span><b>{} {}</b>{note}</span></p>\n",
                words(label),
                digits(*value),
                escape(unit)
            )
        }
        Block::Table { headers, rows, measured } => table(headers, rows, *measured),
        Block::Picture { picture, measured, .. } => {
            let note = if *measured { " <small>Measured here.</small>" } else { "" };
            format!(
                "<figure>\n{}<figcaption>{}.{note}</figcaption>\n</figure>\n",
                picture.to_inline_svg(),
                words(picture.title().trim_end_matches('.'))
            )
        }
        Block::Check { statement, evidence } => {
            format!("<ul class=\"claims alone\">{}</ul>\n", claim(statement, evidence))
        }
        Block::Misconception(text) => aside("wrong", "", text),
        Block::Exercise(exercise) => asked(exercise),
        Block::Note(text) => aside("note", "", &tidied(text)),
        Block::ReadOn(text) => format!("<p class=\"read\"><b>Read on.</b> {}</p>\n", words(text)),
        Block::Next(text) => next(text, around),
    }
}

fn paragraphs(text: &str, class: &str) -> String {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    text.split("\n\n").map(|part| format!("<p{class}>{}</p>\n", words(part))).collect()
}

fn aside(class: &str, label: &str, text: &str) -> String {
    let label = match label {
        "" => String::new(),
        label => format!("<p class=\"label\">{label}</p>\n"),
    };
    format!("<aside class=\"{class}\">\n{label}{}</aside>\n", paragraphs(text, ""))
}

fn claim(statement: &str, evidence: &Evidence) -> String {
    format!(
        "<li class=\"{}\"><span class=\"mark\">{}</span><span class=\"said\">{}</span><small><b>{}</b> {}</small></li>\n",
        evidence.label().replace(' ', "-"),
        evidence.mark(),
        words(statement),
        evidence.label(),
        words(&tidied(&evidence.detail()))
    )
}

fn audited(report: &Report) -> String {
    let plural = if report.dim == 1 { "" } else { "s" };
    let mut text = format!(
        "<section class=\"report\">\n<p class=\"label\">Audit of {}, {} variable{plural}, seed {}</p>\n<ul \
         class=\"claims\">\n",
        escape(&report.subject),
        report.dim,
        report.seed
    );
    report.claims.iter().for_each(|it| text.push_str(&claim(&it.statement, &it.evidence)));
    text.push_str("</ul>\n");
    report.advice.iter().for_each(|advice| {
        let _ = writeln!(text, "<p class=\"advice\">→ {}</p>", words(advice));
    });
    text + "</section>\n"
}

fn table(headers: &[String], rows: &[Vec<String>], measured: bool) -> String {
    let figures = |column: usize| rows.iter().any(|row| row.get(column).is_some_and(|cell| is_number(cell)));
    let class = |column: usize| if figures(column) { " class=\"figure\"" } else { "" };
    let mut text = String::from("<div class=\"scroll\"><table>\n<thead><tr>");
    for (k, header) in headers.iter().enumerate() {
        let _ = write!(text, "<th{}>{}</th>", class(k), words(header));
    }
    text.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        let cells: String =
            row.iter().enumerate().map(|(k, cell)| format!("<td{}>{}</td>", class(k), words(cell))).collect();
        let _ = writeln!(text, "<tr>{cells}</tr>");
    }
    text.push_str("</tbody>\n</table></div>\n");
    if measured {
        text.push_str("<p class=\"measured\">Measured here.</p>\n");
    }
    text
}

/// Nests the hints: each opens within the one before.
fn asked(exercise: &Exercise) -> String {
    let Exercise { number, question, proof, hints, .. } = exercise;
    let mut hidden = String::new();
    for (k, hint) in hints.iter().enumerate().rev() {
        let label = if k == 0 { "A hint" } else { "Another" };
        hidden = format!("<details><summary>{label}</summary>\n<p>{}</p>\n{hidden}</details>\n", words(hint));
    }
    format!(
        "<section class=\"exercise\">\n{}<p class=\"judge\">{}</p>\n<pre>edit   {}\ncargo run --release -- check \
         {number}</pre>\n{hidden}</section>\n",
        paragraphs(question, ""),
        words(proof),
        exercise.file()
    )
}

/// Writes the next lesson, as a link if it is in the book.
fn next(text: &str, around: &Around<'_>) -> String {
    let (slug, rest) = text.split_once(": ").unwrap_or(("", text));
    let said = match around.lessons.iter().find(|lesson| lesson.slug == slug) {
        Some(lesson) => format!("<a href=\"{slug}.html\">{}</a>: {}", words(lesson.title), words(rest)),
        None => words(text),
    };
    format!("<p class=\"read\"><b>Next.</b> {said}</p>\n")
}
