//! The page: a report as HTML.
//!
//! One file that loads nothing and runs nothing: style and pictures are in it. It follows the reader's choice of light or
//! dark and fits phones, screens and paper. It is well-formed XML. Each file writes the sections of one subject.

mod calibration;
mod columns;
mod fit;
mod proofs;
mod read;
mod rows;
mod style;
mod summary;
mod usage;
mod write;

use std::fmt::Write;

use self::write::{escape, file_name};
use super::report::Report;
use crate::plot;

/// A section of the page: its anchor, its heading, and what writes it.
type Section = (&'static str, &'static str, fn(&Report) -> String);

const SECTIONS: [Section; 9] = [
    ("read", "What was read", read::section),
    ("fit", "Densities that were tried", fit::section),
    ("columns", "Each column", columns::marginals),
    ("pairs", "Pairs of columns", columns::pairs),
    ("calibration", "Calibration", calibration::section),
    ("rows", "The least likely rows", rows::section),
    ("proofs", "What is proven", proofs::section),
    ("use", "How to use the model", usage::section),
    ("terms", "Terms", usage::terms),
];

impl Report {
    /// Writes the report as an HTML page: one file without scripts, for light and dark, screens and paper.
    pub fn to_html(&self) -> String {
        let title = format!("{} on {}", file_name(&self.model), file_name(&self.table));
        let mut html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" \
             content=\"width=device-width, initial-scale=1\"/>\n<meta name=\"color-scheme\" content=\"light dark\"/>\n\
             <title>{}</title>\n<style>\n{}\n{}</style>\n</head>\n<body>\n<main>\n{}",
            escape(&title),
            plot::STYLE,
            style::STYLE,
            summary::section(self)
        );
        html.push_str("<nav>");
        for (anchor, heading, _) in SECTIONS {
            let _ = write!(html, "<a href=\"#{anchor}\">{heading}</a>");
        }
        html.push_str("</nav>\n");
        for (anchor, heading, section) in SECTIONS {
            let body = section(self);
            let _ = write!(html, "<section id=\"{anchor}\">\n<h2>{heading}</h2>\n{body}</section>\n");
        }
        let _ = write!(
            html,
            "<footer>Written by pushforward {}.</footer>\n</main>\n</body>\n</html>\n",
            env!("CARGO_PKG_VERSION")
        );
        html
    }
}
