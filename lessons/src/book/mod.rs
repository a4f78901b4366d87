//! The book: every lesson as an HTML page, made from the blocks of its page.
//!
//! MathML, inline SVG, no scripts, nothing loaded: a folder of files that can be opened from disk, in light
//! and dark, on phones and on paper. Pages are well-formed XHTML, so that a test can parse them as trees.

mod block;
mod frame;
mod glossary;
mod prose;
mod style;

use std::fmt::Write;

use self::block::{Around, rendered};
use self::frame::{Link, document};
use self::prose::words;
use super::lesson::Lesson;
use super::page::Page;
use super::{afterwards, course_map};
use pushforward::derivation::Derivation;
use pushforward::derivation::html::escape;

/// Returns the file name of a lesson's page.
fn file(lesson: &Lesson) -> String {
    format!("{}.html", lesson.slug)
}

fn link(lesson: &Lesson) -> Link {
    Link { file: file(lesson), text: format!("{} {}", lesson.number, lesson.title) }
}

/// Returns the files of the book by name: the contents, a page for each lesson, what comes after them, the
/// glossary, the derivations.
///
/// `lessons` is the whole syllabus with the pages in its order; `derivations` come with their headings.
pub fn book(lessons: &[(Lesson, Page)], derivations: &[(String, Derivation)]) -> Vec<(String, String)> {
    let all: Vec<Lesson> = lessons.iter().map(|(lesson, _)| *lesson).collect();
    let mut files = vec![("index.html".to_string(), contents(lessons, derivations.len()))];
    for (k, (lesson, page)) in lessons.iter().enumerate() {
        let before = k.checked_sub(1).map(|k| link(&all[k]));
        let last = || Link { file: "afterwards.html".to_string(), text: afterwards::TITLE.to_string() };
        let after = Some(all.get(k + 1).map_or_else(last, link));
        let body = rendered(page.blocks(), &Around { lessons: &all });
        let title = format!("{} {}", lesson.number, lesson.title);
        files.push((file(lesson), document(&title, &body, before, after)));
    }
    files.push(("afterwards.html".to_string(), after_the_lessons(&all)));
    files.push(("glossary.html".to_string(), words_of_the_book(&all)));
    files.push(("derivations.html".to_string(), derived(derivations)));
    files
}

/// Writes the table of contents.
fn contents(lessons: &[(Lesson, Page)], derivations: usize) -> String {
    let mut body = String::from(
        "<h1>pushforward</h1>\n<p class=\"question\">Write a bijection, get its density.</p>\n<p>You write <i>x = f(z)</i> \
         once. A tape derives the Jacobian, proves its structure, derives ln|det J|, audits every claim, and trains flows by \
         maximum likelihood. In these lessons every formula is rendered from the tape and every number was measured while \
         the book was written.</p>\n",
    );
    let all: Vec<Lesson> = lessons.iter().map(|(lesson, _)| *lesson).collect();
    let _ = write!(
        body,
        "<figure>\n{}<figcaption>{}.</figcaption>\n</figure>\n<ol class=\"map\">\n",
        course_map::as_svg(&all, file),
        words(course_map::TITLE)
    );
    for (lesson, page) in lessons {
        let thumbnail = page.blocks().iter().find_map(block::thumbnail).unwrap_or_default();
        let _ = writeln!(
            body,
            "<li><a href=\"{}\"><span class=\"of\">{:02}</span><span class=\"what\"><b>{}</b><span>{}</span></span>\
             <span class=\"seen\">{thumbnail}</span></a></li>",
            file(lesson),
            lesson.number,
            words(lesson.title),
            words(&about(lesson))
        );
    }
    let _ = write!(
        body,
        "</ol>\n<p><a href=\"afterwards.html\">What you can do now</a>, after the lessons: begin with a table of your own. \
         <a href=\"glossary.html\">The words of the book</a>, each with the lesson it comes from. \
         <a href=\"derivations.html\">The derivations</a> of {derivations} layers, all of the catalogue: Jacobian, \
         log-determinant, inverse, step by step.</p>\n"
    );
    document("pushforward", &body, None, lessons.first().map(|(lesson, _)| link(lesson)))
}

/// What a lesson is about, and what it builds on.
fn about(lesson: &Lesson) -> String {
    match course_map::needs(lesson) {
        needs if needs.is_empty() => lesson.about.to_string(),
        needs => format!("{} (after {needs})", lesson.about),
    }
}

/// The page after the last lesson.
fn after_the_lessons(lessons: &[Lesson]) -> String {
    let mut page = Page::untitled(false);
    afterwards::tell(&mut page);
    let body =
        format!("<h1>{}</h1>\n{}", words(afterwards::TITLE), rendered(page.blocks(), &Around { lessons }));
    document(afterwards::TITLE, &body, lessons.last().map(link), None)
}

fn words_of_the_book(lessons: &[Lesson]) -> String {
    let mut body = String::from("<h1>Words</h1>\n<dl class=\"words\">\n");
    for word in glossary::WORDS {
        let from =
            lessons.iter().find(|lesson| lesson.number == word.lesson).map_or_else(String::new, |lesson| {
                format!(" <a href=\"{}\">Lesson {}</a>", file(lesson), lesson.number)
            });
        let _ = writeln!(body, "<dt>{}</dt><dd>{}{from}</dd>", words(word.word), words(word.meaning));
    }
    body.push_str("</dl>\n");
    document("Words", &body, None, None)
}

fn derived(derivations: &[(String, Derivation)]) -> String {
    let mut body = String::from(
        "<h1>Derivations</h1>\n<p>Nothing on this page was typed in. Each layer is its map and nothing else; what \
         follows from it was derived while the book was written.</p>\n<ul class=\"contents\">\n",
    );
    for (k, (name, _)) in derivations.iter().enumerate() {
        let _ = writeln!(body, "<li><a href=\"#d{k}\">{}</a></li>", escape(name));
    }
    body.push_str("</ul>\n");
    for (k, (name, derivation)) in derivations.iter().enumerate() {
        let _ = write!(
            body,
            "<section class=\"derivation\" id=\"d{k}\">\n<h2>{}</h2>\n<p>{}</p>\n{}</section>\n",
            escape(name),
            derivation.html_title(),
            derivation.html_sections(3)
        );
    }
    document("Derivations", &body, None, None)
}
